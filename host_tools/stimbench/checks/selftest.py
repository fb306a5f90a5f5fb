"""Is the whole bench in order? Machine, boards, loads, instruments and a few pulses, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stimfw.protocol import messages

from stimbench.checks.cases import Case, Load
from stimbench.checks.left_out import not_run
from stimbench.checks.on_bench import Recorded
from stimbench.checks.on_rig import BoardRestartedError, make_ready, record_on_rig
from stimbench.checks.outcome import Outcome
from stimbench.checks.plan import load_plan
from stimbench.checks.rig_work import judge_recordings
from stimbench.checks.work import outcome_of
from stimbench.client.console import Console, answering
from stimbench.client.records import Identity, PairImpedance
from stimbench.client.remote import Remote
from stimbench.client.stimulator import Stimulator
from stimbench.errors import RefusedError, RigError, StimbenchError
from stimbench.flashing.doctor import Finding, Machine, State
from stimbench.flashing.examination import examine
from stimbench.rig.rig import Rig
from stimbench.rig.session import NamedSource, Session

__all__ = ("SelfTest", "Step")

_PLAN = "selftest"
_EMULATED_PERCENT, _WIRED_PERCENT = 2.0, 5.0
"""Of the load: what docs/figures.md promises, and with resistors of 1 % and their wires."""
_DEFAULT_OHM = 500.0
_QUIET_MS = 300
_MOVING = ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD", "KEEPALIVE", "MATRIX_CS")
"""Signals that move in every session."""
_OUTPUTS = _MOVING[:5]
"""Signals that must not move when the output is off."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: what was tested.
        outcome: FAIL if a board is at fault, ERROR or TIMEOUT if the rig is, ABORTED if it was not run.
        told: what was found, in a sentence.
    """

    name: str
    outcome: Outcome
    told: str


class _Failed(Exception):
    """A board is at fault; the text says how."""


class SelfTest:
    """All steps on one bench. `on_step` hears of each when it is done."""

    def __init__(
        self,
        rig: Rig,
        machine: Machine,
        firmware: Mapping[str, Path] | None = None,
        on_step: Callable[[Step], None] = lambda step: None,
    ) -> None:
        """Nothing is done yet.

        Args:
            rig: the bench.
            machine: where the first step looks.
            firmware: images by board; by default those that are here.
            on_step: told each step.
        """
        self._rig, self._machine, self._firmware = rig, machine, firmware or {}
        self._on_step = on_step
        self.steps: list[Step] = []

    def run(self) -> list[Step]:
        """All steps. What cannot be done after an error is ABORTED. The output is off at the end."""
        self._do("machine", self._machine_is_ready)
        try:
            with self._rig.session(self._firmware) as session:
                self._on(session)
        except Exception as error:
            self._add("bench", *outcome_of(error))
        return self.steps

    def _on(self, session: Session) -> None:
        answered = [
            self._do(f"{board} answers", lambda board=board: self._firmware_of(session, board))  # type: ignore[misc]
            for board in session.boards
        ]
        later = ("parts of the stimulator", "impedance of the loads", "instruments", "pulses", "output off")
        if not answered[list(session.boards).index("stimulator")]:
            for name in later:
                self._add(name, Outcome.ABORTED, "not run: the stimulator does not answer as it should")
            return
        self._do(later[0], lambda: self._parts(session))
        self._do(later[1], lambda: self._impedance(session))
        self._pulses(session)
        self._do(later[4], lambda: self._off(session))

    def _add(self, name: str, outcome: Outcome, told: str) -> None:
        self.steps.append(Step(name, outcome, told))
        self._on_step(self.steps[-1])

    def _do(self, name: str, work: Callable[[], str]) -> bool:
        """A step; whether all is well."""
        try:
            self._add(name, Outcome.PASS, work())
        except (_Failed, RefusedError, BoardRestartedError) as error:
            self._add(name, Outcome.FAIL, str(error))
        except Exception as error:
            self._add(name, *outcome_of(error))
        return self.steps[-1].outcome is Outcome.PASS

    def _machine_is_ready(self) -> str:
        found = examine(self._machine, _not_asked)
        bad = [each for each in found if each.needed and each.state is State.MISSING]
        if bad:
            raise RigError("; ".join(_told(each) for each in bad) + ". `stimbench doctor` says more.")
        return f"nothing needed is missing ({sum(each.needed for each in found)} questions)"

    def _firmware_of(self, session: Session, board: str) -> str:
        with session.board(board) as device:
            console, name = Console(device.console, time.time_ns() >> 20), device.name
            kind = {"stimulator": Stimulator, "remote": Remote}[board]
            found = answering(console, kind(console)).identity
        wanted = self._rig.expected_build(board, self._firmware)
        if found.build != wanted:
            raise RigError(
                f"The {board} on {name} runs {found.version}, {found.build}, and {wanted} belongs there: "
                f"`stimbench flash` puts it there."
            )
        return f"{found.version}, {found.build}, on {name}"

    @contextmanager
    def _stimulator(self, session: Session) -> Iterator[Stimulator]:
        with session.board("stimulator") as device:
            yield session.stimulator(device)

    def _parts(self, session: Session) -> str:
        with self._stimulator(session) as stimulator:
            make_ready(stimulator)
            failed = stimulator.self_test()
        if failed:
            raise _Failed(f"the stimulator's own test failed: {', '.join(failed)}")
        return "DAC, switches and supply as the stimulator tests them itself"

    def _impedance(self, session: Session) -> str:
        with self._stimulator(session) as stimulator:
            pairs = stimulator.measure_impedance()
        wrong, worst = self._wrong_pairs(pairs)
        if wrong and self._rig.file.is_emulated:
            raise _Failed("; ".join(wrong[:4]))
        if wrong:
            raise RigError(f"{'; '.join(wrong[:4])}. Is the load wired as the bench file says?")
        load = self._load()
        return f"{len(pairs)} pairs" + (
            f", at most {worst:.1f} % off {load.resistance_ohm:g} ohm" if load else ""
        )

    def _wrong_pairs(self, pairs: list[PairImpedance]) -> tuple[list[str], float]:
        """What is wrong with which pair, and the largest deviation from the load in percent."""
        load = self._load()
        percent = _EMULATED_PERCENT if self._rig.file.is_emulated else _WIRED_PERCENT
        entry = self._rig.file.loads.get(load.name) if load else None
        wired = set(entry.electrodes) if entry else {0, 1, 2, 3}
        wrong, worst = [], 0.0
        for pair in (each for each in pairs if {each.cathode, each.anode} <= wired):
            name = f"{pair.lead_name} {pair.cathode}-{pair.anode}"
            if pair.kind != messages.KIND_OK:
                wrong.append(f"{name} is {pair.kind_name}")
            elif load:
                off = abs(pair.ohm / load.resistance_ohm - 1) * 100
                worst = max(worst, off)
                if off > percent:
                    wrong.append(f"{name} has {pair.ohm} ohm, not {load.resistance_ohm:g}")
        return wrong, worst

    def _load(self) -> Load | None:
        """What is on the leads without a person; None if that is not known."""
        if self._rig.file.is_emulated:
            return Load()
        fixed = [(name, each) for name, each in self._rig.file.loads.items() if not each.by_hand]
        return Load(fixed[0][0], fixed[0][1].resistance_ohm) if fixed else None

    def _pulses(self, session: Session) -> None:
        """Two steps: whether instruments see what moves in every session, and whether pulses are right."""
        cases = [replace(case, load=self._load() or case.load) for case in load_plan(_PLAN).cases]
        reason = next((told for case in cases if (told := not_run(case, self._rig.file))), "")
        if reason:
            self._add("instruments", Outcome.ABORTED, reason)
            self._add("pulses", Outcome.ABORTED, reason)
            return
        recorded: list[tuple[Recorded, ...]] = []
        if self._do("instruments", lambda: self._recorded(session, cases, recorded)):
            self._do("pulses", lambda: _judged(session, cases, recorded))
        else:
            self._add("pulses", Outcome.ABORTED, "not run: there is no recording that could be judged")

    def _recorded(self, session: Session, cases: list[Case], recorded: list[tuple[Recorded, ...]]) -> str:
        for source in session.sources:
            source.source.identify()
        build = self._rig.expected_build("stimulator", self._firmware)
        recorded += [record_on_rig(case, session, build) for case in cases]
        told = []
        for source, each in zip(session.sources, recorded[-1], strict=True):
            still = [name for name in _known(source, _MOVING) if not len(each.capture.edges(name))]
            if still:
                raise RigError(f"{source.name} saw no edge of {', '.join(still)} in a session: is it wired?")
            told.append(f"{source.name}: {len(source.digital)} digital, {len(source.analog)} analog channels")
        return "; ".join(told)

    def _off(self, session: Session) -> str:
        """After STOP: what the board says, and what instruments see whose wires were seen to be right."""
        proven = any(step.name == "instruments" and step.outcome is Outcome.PASS for step in self.steps)
        with session.board("stimulator") as device, ExitStack() as stack:
            stimulator = session.stimulator(device)
            stimulator.stop()
            state = stimulator.status()
            if state.state != messages.READY:
                raise _Failed(f"after STOP the stimulator is in the state {state.state_name!r}")
            if not proven:
                return "the stimulator says that it is off"
            # A trigger would wait for ever: nothing happens any more.
            waiting = self._rig.file.triggered
            quiet = [each for each in session.sources if each.name not in waiting]
            recordings = [stack.enter_context(each.source.recording(_QUIET_MS)) for each in quiet]
            device.console.wait(_QUIET_MS / 1000)
            for source, recording in zip(quiet, recordings, strict=True):
                capture = recording.result()
                outputs = [
                    f"stimulator.{name}" for name in _OUTPUTS if f"stimulator.{name}" in source.digital
                ]
                moving = [name for name in outputs if len(capture.edges(name))]
                if moving:
                    raise _Failed(f"after STOP {source.name} saw edges of {', '.join(moving)}")
        if not quiet:
            return "the stimulator says that it is off"
        return f"for {_QUIET_MS} ms no switch and no KEEPALIVE moved"


def _known(source: NamedSource, names: Sequence[str]) -> list[str]:
    """Those of the stimulator's signals that an instrument records."""
    return [f"stimulator.{name}" for name in names if f"stimulator.{name}" in source.digital]


def _judged(session: Session, cases: list[Case], recorded: list[tuple[Recorded, ...]]) -> str:
    counted = 0
    for case, each in zip(cases, recorded, strict=True):
        verdict = judge_recordings(case, each, session)
        if not verdict.outcome.is_good:
            found = ", ".join(f"{kind}: {count}" for kind, count in sorted(verdict.counts.items()))
            raise _Failed(f"{case.name}: {found or verdict.outcome.value.lower()}")
        counted += sum(len(checked.train.pulses) for checked in verdict.leads.values())
    return f"{counted} pulses within their limits"


def _told(finding: Finding) -> str:
    return f"{finding.name}: {finding.told}"


def _not_asked(path: str) -> Identity:
    raise StimbenchError("the self-test asks the boards itself")
