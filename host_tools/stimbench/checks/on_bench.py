"""A case on an emulated bench of its own: built, broken as the case says, run, recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stimfw.protocol import messages
from stimfw.therapy.program import default
from stimfw.therapy.ranges import LEADS

from stimbench.bench import Bench, BenchConfig
from stimbench.bench.hands import Hands
from stimbench.capture.capture import Capture
from stimbench.checks.cases import Case
from stimbench.client.records import PairImpedance
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.parts.wiring import StimulatorWiring

__all__ = ("LEAD_IN_MS", "Recorded", "record")

_MS = 1_000_000
_AFTER_MS = 300
"""How long the output is watched after it should have gone off."""
LEAD_IN_MS = 540
"""From START to the first pulse: the self-test of the output, and the first period."""
_BETWEEN_MS = 60
"""What the board needs between two contractions."""


@dataclass(frozen=True)
class Recorded:
    """What a case left to be judged.

    Attributes:
        capture: from START on.
        fault_ns: when the fault came, or None if it was there before.
        fault_off_ms: how far `fault_ns` may be off: on a wired bench nobody knows it to the nanosecond.
        pairs: the impedances, if they were measured.
        firmware: by board, version and content hash.
        state: what the stimulator said of itself at the end; empty if it could not be asked.
    """

    capture: Capture
    fault_ns: int | None = None
    pairs: list[PairImpedance] = field(default_factory=list)
    firmware: dict[str, str] = field(default_factory=dict)
    state: str = ""
    fault_off_ms: float = 0.0


def record(case: Case, firmware: Mapping[str, Path]) -> Recorded:
    """Run a case.

    Args:
        case: what to run.
        firmware: images by board.

    Raises:
        BenchError: the bench cannot be built.
        StimbenchError: the stimulator refused, or did not answer.
    """
    with Bench(_config(case, firmware)) as bench:
        stimulator = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        calibration = stimulator.calibration()
        hands = Hands(bench)
        if not case.fault.kind.during:
            _break(hands, case)
        _set_program(stimulator, case)
        expects_reading = case.fault.kind.expect in ("open", "short", "high")
        pairs = stimulator.measure_impedance() if case.impedance or expects_reading else []
        begin_ns = bench.now_ns
        stimulator.start()
        fault_ns = _run(bench, stimulator, hands, case)
        identity = stimulator.identity
        mute = case.fault.text in ("hang", "power off")
        state = "" if mute else messages.STATE_NAMES[stimulator.status().state]
        capture = bench.trace.capture(begin_ns)
        known = {"stimulator": f"{identity.version} {identity.build}, {calibration}"} if identity else {}
        return Recorded(_kept(capture), fault_ns, pairs, known, state)


def _config(case: Case, firmware: Mapping[str, Path]) -> BenchConfig:
    load = case.load
    wiring = StimulatorWiring(
        seed=case.seed, pair_r_s_ohm=load.resistance_ohm, c_dl_uf=load.double_layer_uf,
        r_ct_ohm=load.charge_transfer_ohm,
    )  # fmt: skip
    return BenchConfig(
        seed=case.seed, boards=("stimulator",), firmware=dict(firmware), wiring={"stimulator": wiring}
    )


def _set_program(stimulator: Stimulator, case: Case) -> None:
    # The first time moves electrodes, which sets their lead's amplitude to zero; the second time they stay.
    first = default()
    moved = any(
        (case.program.cathode[at], case.program.anode[at]) != (first.cathode[at], first.anode[at])
        for at in range(len(LEADS))
    )
    for _ in range(2 if moved else 1):
        stimulator.set_program(case.program)


def _break(hands: Hands, case: Case) -> None:
    fault, words = case.fault, case.fault.words
    if fault.kind.name == "none":
        return
    value = words[1] if len(words) > 1 else None
    hands.do("break", {"part": words[0], "fault": fault.kind.name} | ({"value": value} if value else {}))


def _run(bench: Bench, stimulator: Stimulator, hands: Hands, case: Case) -> int | None:
    """Let the session run as long as the case is recorded; when its fault came."""
    if not case.fault.kind.during:
        # Up to the first pulses of the contraction after the last whole one.
        whole_ms = case.cycles * (case.cycle_ms + _BETWEEN_MS)
        bench.run_for((LEAD_IN_MS + whole_ms) * _MS + 3 * case.program.period_us * 1000)
        return None
    bench.run_for((LEAD_IN_MS + case.fault_at_ms) * _MS)
    fault_ns = bench.now_ns
    _strike(hands, stimulator, case)
    bench.run_for(_AFTER_MS * _MS if case.fault.kind.expect == "off" else (case.cycle_ms + _BETWEEN_MS) * _MS)
    return fault_ns


def _strike(hands: Hands, stimulator: Stimulator, case: Case) -> None:
    name = case.fault.kind.name
    if name == "magnet":
        hands.do("magnet", {"state": "on"})
    elif name == "hang":
        hands.do("break", {"part": "stimulator", "fault": "hung"})
    elif name == "power off":
        hands.do("power", {"state": "off", "board": "stimulator"})
    elif name == "jam":
        hands.do("jam", {"channel": "all"})
    else:
        stimulator.stop()


def _kept(capture: Capture) -> Capture:
    """Without the lines of the buses, which nobody judges here."""
    digital = [name for name in capture.digital if name.startswith("stimulator.") and not _is_bus(name)]
    return capture.select(digital, capture.analog)


def _is_bus(name: str) -> bool:
    return any(word in name for word in ("SCK", "MOSI", "MISO"))
