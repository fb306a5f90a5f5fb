"""The supply fails in every flash operation of a session with a change of the prescription."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stimfw.protocol import journal_entries, messages
from stimfw.therapy.prescription import Prescription

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.therapy.rig import NOW_S, PLAN, ImplantRig, entries_of
from stimbench.client.stimulator import Stimulator, connect
from stimbench.emulator.flash import FlashOperation
from stimbench.errors import StimbenchError

__all__ = ("CUTS",)

_OLD = PLAN.replaced({"session_s": 60, "on_ms": 3000, "off_ms": 6500, "ramp_up_ms": 500, "ramp_down_ms": 500})
_NEW = _OLD.replaced({"left.amplitude_ua": 1500, "right.width_us": 320})
_CHUNKS = 8
_SHARES = (0.2, 0.8)
"""How much of an operation is done when the supply fails, in turn."""
_SESSION_S = 75


@dataclass(frozen=True)
class _Case:
    seed: int
    chunk: int
    stride: int


@dataclass
class _Acknowledged:
    """What the board has told a host before its supply failed."""

    prescribed: int = 0
    begun: bool = False


@dataclass
class _Found:
    """Cuts made, and what was wrong after each: operation and text."""

    operations: int = 0
    cuts: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)


def _script(rig: ImplantRig, told: _Acknowledged) -> None:
    """Measure, prescribe anew, a whole session, and a while after it. Ends early if the supply fails."""
    try:
        stimulator = rig.ready()
        stimulator.measure_impedance()
        told.prescribed = stimulator.set_prescription(_NEW.values).version
        rig.run_ms(500)
        stimulator.start()
        told.begun = True
    except StimbenchError:
        if rig.board.powered:
            raise
        return
    for _ in range(_SESSION_S):
        rig.run_ms(1000)
        if not rig.board.powered:
            return


def _judge_after(rig: ImplantRig, told: _Acknowledged) -> str:
    """Boot again; what is not as it must be, "" if nothing."""
    rig.board.power_on()
    rig.device.reconnect()
    stimulator: Stimulator = connect(rig.device.console, 0)
    entries = entries_of(stimulator)  # raises if its chain does not verify
    kinds = [kind for kind, _ in entries]
    held = stimulator.prescription()
    if held is None:
        return "no prescription"
    wanted: Prescription = {1: _OLD, 2: _NEW}.get(held.version, _OLD)
    if held.prescription.values != wanted.values or held.version < max(1, told.prescribed):
        return f"prescription {held.version} where {told.prescribed} was acknowledged, or half of one"
    if told.prescribed and not any(
        kind == journal_entries.PRESCRIBED and fields["version"] == told.prescribed
        for kind, fields in entries
    ):
        return "an acknowledged prescription is not in the journal"
    if told.begun and journal_entries.SESSION_BEGAN not in kinds:
        return "an acknowledged session is not in the journal"
    if journal_entries.SESSION_BEGAN in kinds and journal_entries.SESSION_ENDED not in kinds:
        return "a session that began has no end in the journal"
    if journal_entries.LOST in kinds:
        return "the board says that it lost something"
    if not rig.is_off or stimulator.status().state not in (messages.READY, 9):
        return f"state {stimulator.status().state_name}"
    stimulator.set_time(NOW_S + 200)
    left = stimulator.therapy().sessions_left
    if left != (1 if journal_entries.SESSION_BEGAN in kinds else 2):
        return f"{left} sessions left"
    return ""


def _clean(seed: int) -> list[FlashOperation]:
    """The flash operations of a run without a cut, from the measurement on."""
    with ImplantRig(seed, _OLD) as rig:
        rig.connect()
        before = len(rig.board.flash.operations)
    with ImplantRig(seed, _OLD) as rig:
        _script(rig, _Acknowledged())
        return list(rig.board.flash.operations[before:])


def _cuts(case: _Case) -> _Found:
    operations = _clean(case.seed)
    found = _Found(len(operations))
    for number in range(case.chunk, len(operations), case.stride):
        operation = operations[number]
        told = _Acknowledged()
        with ImplantRig(case.seed, _OLD) as rig:
            share = _SHARES[number % 2]
            at_ns = operation.start_ns + round(share * (operation.end_ns - operation.start_ns))
            rig.bench.at(at_ns, rig.board.power_off)
            _script(rig, told)
            if rig.board.powered:
                raise RuntimeError(f"operation {number} did not come again")
            rig.run_ms(50)
            try:
                wrong = _judge_after(rig, told)
            except (StimbenchError, RuntimeError) as error:
                wrong = str(error)
        found.cuts += 1
        if wrong:
            found.wrong.append((number, f"{operation.kind}: {wrong}"))
    return found


def _cases(options: Options) -> list[_Case]:
    stride = 6 * _CHUNKS if options.quick else _CHUNKS
    return [_Case(options.seed, 6 * chunk if options.quick else chunk, stride) for chunk in range(_CHUNKS)]


def _judge(found: Sequence[_Found], options: Options) -> list[Line]:
    wrong = [each for one in found for each in one.wrong]
    cuts = sum(one.cuts for one in found)
    return [
        reached(
            "supply cut in a flash operation of a session with a new prescription: torn or lost",
            len(wrong), Relation.EQUAL, 0, "",
            f"{cuts} of {found[0].operations} operations, at 20 and 80 % of each in turn; seed {options.seed}"
            + "".join(f"; {number}: {text}" for number, text in wrong[:4]),
            wrong=wrong,
        )
    ]  # fmt: skip


CUTS = Row("cuts", "the supply cut in every flash operation of a session", _cases, _cuts, _judge, weight=60)
