"""How fast the output goes off: a STOP by radio, and the magnet."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.protocol import console_frame, messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.therapy.event_log import KEPT

from stimbench.attacks.air import RadioPeer
from stimbench.benchmarks.harness.load import ALWAYS_COLLECTING, ALWAYS_PROGRAMMING
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.harness.rig import BRIDGE, MS, Rig, programme
from stimbench.client.stimulator import Stimulator
from stimbench.parts.wiring import StimulatorWiring

__all__ = ("MAGNET", "STOP", "Chunk", "Trial", "worst_line")

_TRIALS = 200
_CHUNKS = 8
_PROGRAM = programme(on_ms=60_000, off_ms=0)
_PERIOD_NS = _PROGRAM.period_us * 1000
_PULSE_NS = (2 * _PROGRAM.width_us + _PROGRAM.gap_us) * 1000
_LEAST_NS = 3 * MS
_AFTER_MS = 30
_LONGEST_NS = 500 * MS


@dataclass(frozen=True)
class Chunk:
    """Some of the trials: of `trials` in all, numbers `first`, `first + step`, ..."""

    kind: str
    seed: int
    first: int
    step: int
    trials: int

    def numbers(self) -> range:
        """Of its trials."""
        return range(self.first, self.trials, self.step)

    def share(self, number: int) -> float:
        """A place in the period for a trial, 0 to 1: evenly spread, at random within its part."""
        rng = random.Random(f"{self.kind} {number} {self.seed}")
        return (number // 2 + rng.random()) / (self.trials / 2) % 1.0

    def phase_ns(self, number: int) -> int:
        """Half of the trials evenly over the period, half over the two pulses in it; at a random place."""
        share = self.share(number)
        if number % 2:
            return int(share * _PERIOD_NS)
        slot_ns = int(share * 2 * _PULSE_NS)
        return slot_ns if slot_ns < _PULSE_NS else _PERIOD_NS // 2 + slot_ns - _PULSE_NS


@dataclass(frozen=True)
class Trial:
    """Attributes: phase_ns: of the event in the period; delay_ns: from it to the last pin's falling edge."""

    kind: str
    phase_ns: int
    delay_ns: int
    in_pulse: bool
    late_edges: int


def _chunks(kinds: dict[str, int]) -> list[Chunk]:
    return [
        Chunk(kind, 0, first, _CHUNKS, trials)
        for kind, trials in kinds.items()
        for first in range(min(_CHUNKS, trials))
    ]


def _seeded(kinds: dict[str, int], options: Options) -> list[Chunk]:
    kinds = {kind: max(8, trials // 8) if options.quick else trials for kind, trials in kinds.items()}
    return [
        Chunk(chunk.kind, options.seed + chunk.first, chunk.first, chunk.step, chunk.trials)
        for chunk in _chunks(kinds)
    ]


def _in_pulse(phase_ns: int) -> bool:
    return phase_ns % (_PERIOD_NS // 2) < _PULSE_NS


def _next_ns(rig: Rig, first_ns: int, phase_ns: int, least_ns: int) -> int:
    """When a period next reaches `phase_ns`, at least `least_ns` from now."""
    periods = -(-(rig.now_ns + least_ns - first_ns - phase_ns) // _PERIOD_NS)
    return first_ns + periods * _PERIOD_NS + phase_ns


def _trial(rig: Rig, chunk: Chunk, first_ns: int, event_ns: int) -> Trial:
    """Judge an event that has passed by now."""
    rig.bench.run_to(max(rig.now_ns, event_ns))
    rig.bench.run_until(lambda: not any(rig.board.pin(signal).level for signal in BRIDGE), _LONGEST_NS)
    rig.run_ms(_AFTER_MS)
    phase_ns = (event_ns - first_ns) % _PERIOD_NS
    off_ns = rig.off_ns(event_ns)
    rig.run_ms(_PERIOD_NS / MS)
    return Trial(chunk.kind, phase_ns, off_ns - event_ns, _in_pulse(phase_ns), rig.bridge_edges(off_ns + 1))


# STOP by radio.


def _stops(chunk: Chunk) -> list[Trial]:
    """Sessions that end by a STOP: pressed on the remote, or a packet at an exact phase."""
    if chunk.kind in _LATE:
        return _late_stops(chunk)
    if chunk.kind == _MEASURING:
        return _measuring_stops(chunk)
    pressed = chunk.kind == "pressed"
    boards = ("stimulator", "remote") if pressed else ("stimulator",)
    with Rig(chunk.seed, boards) as rig:
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        stimulator = rig.connect()
        rig.set_program(stimulator, _PROGRAM)
        rig.run_ms(100)
        if chunk.kind == _LONG:  # and the log is full: a place has to be found for each event
            for number in range(KEPT):
                stimulator.amplitude(*_other_ua(number))
        peer = None if pressed else _joined(rig)
        if pressed:  # so the press's first frame is the one that stops, and asks for no connection
            rig.bench.press("STATUS", 40)
            rig.run_ms(1000)
        found = []
        for number in chunk.numbers():
            first_ns = rig.restart(stimulator)
            phase_ns = chunk.phase_ns(number)
            if peer:
                event_ns = _inject(rig, chunk, first_ns, phase_ns, number, peer)
            else:
                event_ns = _press(rig, first_ns, phase_ns)
            found.append(_trial(rig, chunk, first_ns, event_ns))
            if peer and peer.finish() is None:
                raise RuntimeError("the stimulator did not answer a STOP")
            rig.board.console.read()
            rig.forget()
        return found


def _late_stops(chunk: Chunk) -> list[Trial]:
    """STOP packets near the end of a long contraction, when all the garbage that it makes has been made."""
    program, after_ms = _LATE[chunk.kind]
    found = []
    for number in chunk.numbers():
        with Rig(chunk.seed) as rig:
            for lead in rig.parts.leads.values():
                lead.trace.enabled = False
            stimulator = rig.connect()
            rig.set_program(stimulator, program)
            first_ns = rig.restart(stimulator)
            peer = _joined(rig)
            while rig.now_ns < first_ns + (after_ms - 1000) * MS:
                rig.run_ms(1000)
                rig.forget()
            event_ns = first_ns + after_ms * MS + int(chunk.share(number) * program.period_us * 1000)
            peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
            found.append(_trial(rig, chunk, first_ns, event_ns))
            if peer.finish() is None:
                raise RuntimeError("the stimulator did not answer a STOP")
    return found


def _measuring_stops(chunk: Chunk) -> list[Trial]:
    """STOP packets anywhere in a measurement of all electrode pairs."""
    with Rig(chunk.seed) as rig:
        stimulator = rig.connect()
        peer = _joined(rig)
        found = []
        for number in chunk.numbers():
            rig.run_ms(1200)  # for 1.1 s after a stop nobody else begins anything
            first_ns = rig.now_ns
            stimulator._ask(requests.IMPEDANCE)
            event_ns = first_ns + _MEASURED_FROM_NS + int(chunk.share(number) * _MEASURED_FOR_NS)
            peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
            found.append(_trial(rig, chunk, first_ns, event_ns))
            if peer.finish() is None:
                raise RuntimeError("the stimulator did not answer a STOP")
            rig.board.console.read()
            rig.forget()
        return found


def _joined(rig: Rig) -> RadioPeer:
    """A transmitter without a board, with an open connection: its packets end at exactly chosen times."""
    peer = RadioPeer(rig.bench, rig.pairing)
    if peer.ask(messages.request(requests.STATUS)) is None:
        raise RuntimeError("the stimulator does not answer its peer")
    return peer


def _press(rig: Rig, first_ns: int, phase_ns: int) -> int:
    """Press STOP on the remote; the end of its frame on the air."""
    rig.run_ms(60)  # the remote must have seen the button released
    rig.bench.run_to(_next_ns(rig, first_ns, phase_ns, 0))
    pressed_ns = rig.now_ns
    rig.bench.press("STOP", 40)
    found: list[int] = []

    def heard() -> bool:
        found.extend(_stop_ends(rig, pressed_ns))
        return bool(found)

    if not rig.bench.run_until(heard, 200 * MS, MS // 2):
        raise RuntimeError("the remote sent no STOP")
    return found[0]


def _stop_ends(rig: Rig, since_ns: int) -> list[int]:
    """Ends of the first packets of a burst of REQUESTs or HELLOs since then: of a STOP, as the press was."""
    if rig.bench.air is None:
        return []
    ends = []
    for packet in reversed(rig.bench.air.tap):
        if packet.t_start_ns < since_ns:
            break
        if frames.kind_of(packet.payload) in (frames.HELLO, frames.REQUEST):
            ends.append(packet.t_end_ns)
    return sorted(ends)


def _inject(rig: Rig, chunk: Chunk, first_ns: int, phase_ns: int, number: int, peer: RadioPeer) -> int:
    """Put a STOP packet into the air that ends at an exact phase; for some kinds the host asks meanwhile."""
    # A full reply to PULSES takes as many pulses before it.
    least_ns = 900 * MS if chunk.kind == "asked pulses" else 60 * MS
    event_ns = _next_ns(rig, first_ns, phase_ns, least_ns)
    if chunk.kind.startswith("asked"):
        _ask_meanwhile(rig, chunk, number, event_ns)
    peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
    return event_ns


def _ask_meanwhile(rig: Rig, chunk: Chunk, number: int, event_ns: int) -> None:
    """Let a request of the host arrive up to 40 ms before the packet."""
    message, span_ns = _ASKED[chunk.kind]
    if chunk.kind == _LONG:
        message = _long_request(number // chunk.step)
    line = console_frame.encode(number & 0xFF, message)
    early_ns = random.Random(f"{chunk.kind} {number} {chunk.seed}").randrange(span_ns)
    rig.bench.at(event_ns - early_ns, lambda: rig.board.console.write(line))


def _other_ua(number: int) -> tuple[int, int]:
    """Amplitudes that are not those of the trial before."""
    left_ua, right_ua = (ua - 25 * (1 + number % 2) for ua in _PROGRAM.amplitude_ua)
    return left_ua, right_ua


def _long_request(number: int) -> bytes:
    """One of those that are done in most steps."""
    left_ua, right_ua = _other_ua(number)
    if number % 3 == 0:
        return messages.request(requests.LOG, struct.pack("<I", 0))
    if number % 3 == 1:
        return messages.request(requests.AMPLITUDE, struct.pack("<HH", left_ua, right_ua))
    other = _PROGRAM.replaced({"left.amplitude_ua": left_ua, "right.amplitude_ua": right_ua})
    return messages.request(requests.SET_PROGRAM, other.pack())


_LONG = "asked long"
_ASKED = {
    "asked status": (messages.request(requests.STATUS), 14 * MS),
    "asked pulses": (messages.request(requests.PULSES, b"\0\0\0\0"), 40 * MS),
    _LONG: (b"", 20 * MS),
}
"""By kind: what the host asks, and within what time before the packet's end."""
_MEASURING = "measuring"
_MEASURED_FROM_NS, _MEASURED_FOR_NS = 200 * MS, 1400 * MS  # it takes 1.8 s
_STOP_KINDS = {
    "pressed": ("pressed on the remote", _TRIALS // 2),
    "packet": ("packet at an exact phase", _TRIALS // 2),
    "asked status": ("packet while the host asks for STATUS", _TRIALS // 4),
    "asked pulses": ("packet while the host asks for PULSES", _TRIALS // 4),
    _LONG: ("packet while the host asks for LOG, AMPLITUDE or SET_PROGRAM, the log full", 96),
    _MEASURING: ("packet while all electrode pairs are measured", 96),
    "50 Hz": ("packet after 54 s at 50 Hz", 16),
    "200 Hz": ("packet after 9.5 s of a ramp at 200 Hz", 16),
}
_LATE = {
    "50 Hz": (programme(rate_hz=50, on_ms=60_000, off_ms=0), 54_000),
    "200 Hz": (programme(rate_hz=200, ramp_ms=10_000, on_ms=60_000, off_ms=0), 9500),
}
"""By kind: the programme, and how long after its first pulse the packet ends.

Less than 55 s: a peer that has said nothing for so long opens a new connection."""


def _judge_stop(found: Sequence[list[Trial]], options: Options) -> list[Line]:
    every = [trial for chunk in found for trial in chunk]
    apart = (*_LATE, _MEASURING)
    quiet = [trial for trial in every if not trial.kind.startswith("asked") and trial.kind not in apart]
    return [
        worst_line("STOP packet's end -> both bridges off", quiet, 5, "ms", MS, options),
        worst_line(
            "STOP packet's end -> both bridges off, while the host asks",
            [trial for trial in every if trial.kind.startswith("asked")], 5, "ms", MS, options,
        ),
        worst_line(
            "STOP packet's end -> both bridges off, late in long fast contractions",
            [trial for trial in every if trial.kind in _LATE], 5, "ms", MS, options,
        ),
        worst_line(
            "STOP packet's end -> both bridges off, while impedances are measured",
            [trial for trial in every if trial.kind == _MEASURING], 5, "ms", MS, options,
        ),
    ]  # fmt: skip


def worst_line(
    what: str, trials: list[Trial], limit: float, unit: str, unit_ns: int, options: Options
) -> Line:
    """The worst trial, in `unit` of `unit_ns`; not reached if the bridge moved after one of them."""
    worst = max(trials, key=lambda trial: trial.delay_ns)
    kinds = []
    for kind in dict.fromkeys(trial.kind for trial in trials):
        mine = sorted(trial.delay_ns for trial in trials if trial.kind == kind)
        name = _STOP_KINDS[kind][0] if kind in _STOP_KINDS else kind
        kinds.append(
            f"{name}: {len(mine)}, median {mine[len(mine) // 2] / unit_ns:.3g}, "
            f"worst {mine[-1] / unit_ns:.3g} {unit}"
        )
    late = sum(trial.late_edges for trial in trials)
    value = worst.delay_ns / unit_ns if not late else float("inf")
    return reached(
        what, value, Relation.AT_MOST, limit, unit,
        f"worst of {len(trials)} ({'; '.join(kinds)}); {sum(t.in_pulse for t in trials)} in a pulse, "
        f"the rest anywhere in the period, the worst at {worst.phase_ns / MS:.2f} ms of it; "
        f"{late} bridge edges in the period after; seeds {options.seed}-{options.seed + _CHUNKS - 1}",
        trials=[[t.kind, t.phase_ns, t.delay_ns] for t in trials],
    )  # fmt: skip


STOP = Row(
    "stop", "STOP: end of its radio packet -> both bridges off",
    lambda o: _seeded({kind: trials for kind, (_, trials) in _STOP_KINDS.items()}, o), _stops, _judge_stop,
    weight=60,
)  # fmt: skip


# The magnet.

_HARDWARE, _COLLECTING, _PROGRAMMING = "as built", "collecting garbage", "programming pages"
_SCRIPTS = {_HARDWARE: "", _COLLECTING: ALWAYS_COLLECTING, _PROGRAMMING: ALWAYS_PROGRAMMING}


def _magnets(chunk: Chunk) -> list[Trial]:
    """Sessions that end by a magnet: on the bench as it is built, or with CLR cut and a busy CPU."""
    script = _SCRIPTS[chunk.kind]
    with Rig(chunk.seed, wiring=StimulatorWiring(clr_cut=True) if script else None) as rig:
        stimulator = rig.execute(script) if script else rig.connect()
        rig.set_program(stimulator, _PROGRAM)
        found = []
        for number in chunk.numbers():
            first_ns = rig.restart(stimulator)
            found.append(_magnet(rig, stimulator, chunk, first_ns, chunk.phase_ns(number)))
            rig.forget()
        return found


def _magnet(rig: Rig, stimulator: Stimulator, chunk: Chunk, first_ns: int, phase_ns: int) -> Trial:
    """One magnet, taken away again after a while: nothing may restart."""
    rig.bench.run_to(_next_ns(rig, first_ns, phase_ns, _LEAST_NS))
    event_ns = rig.now_ns
    rig.bench.magnet(True)
    if _SCRIPTS[chunk.kind]:
        trial = _trial(rig, chunk, first_ns, event_ns)
    else:
        rig.run_ms(_AFTER_MS)
        gate = rig.parts.gate.q
        delay_ns = rig.current_until_ns(event_ns) - event_ns
        trial = Trial(chunk.kind, phase_ns, delay_ns if not gate else _AFTER_MS * MS, _in_pulse(phase_ns), 0)
    off_ns = rig.now_ns
    rig.bench.magnet(False)
    rig.run_ms(80)
    later = rig.bridge_edges(off_ns) + (stimulator.status().state != messages.READY)
    return Trial(trial.kind, phase_ns, trial.delay_ns, trial.in_pulse, trial.late_edges + later)


def _judge_magnet(found: Sequence[list[Trial]], options: Options) -> list[Line]:
    every = [trial for chunk in found for trial in chunk]
    by_kind = {kind: [trial for trial in every if trial.kind == kind] for kind in _SCRIPTS}
    delays = sorted(trial.delay_ns / 1000 for trial in by_kind[_PROGRAMMING])
    return [
        worst_line("magnet edge -> no current, by hardware", by_kind[_HARDWARE], 0, "ns", 1, options),
        worst_line(
            "magnet edge -> both bridges off, by firmware alone (CLR cut)", by_kind[_COLLECTING],
            200, "us", 1000, options,
        ),
        compared(
            "the same while the flash is programmed without pause",
            f"median {delays[len(delays) // 2]:.0f}, worst {delays[-1]:.0f} us",
            f"{len(delays)} times: no interrupt is served during a page program of 0.4 ms; "
            "the hardware does not wait",
            delays_us=delays,
        ),
    ]  # fmt: skip


MAGNET = Row(
    "magnet", "magnet edge -> both bridges off",
    lambda o: _seeded({_HARDWARE: 40, _COLLECTING: _TRIALS, _PROGRAMMING: 24}, o), _magnets, _judge_magnet,
    weight=50,
)  # fmt: skip
