"""A case on a bench of boards and instruments: armed, started, recorded, and stopped whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

from stimbench.capture.capture import Capture
from stimbench.checks.account import Account, account_of, contradictions
from stimbench.checks.by_hand import prepared
from stimbench.checks.cases import Case
from stimbench.checks.moments import Moments, moment_of
from stimbench.checks.on_bench import LEAD_IN_MS, Recorded
from stimbench.checks.single import RefusedCaptureError
from stimbench.client.stimulator import Stimulator
from stimbench.devices.device import Device
from stimbench.errors import BoardLostError, PortError, RefusedError, RigError, StimbenchError
from stimbench.rig.session import Session

__all__ = ("BoardRestartedError", "duration_ms", "make_ready", "record_on_rig")

_ARMED_MS = 150
"""From arming to START: the request."""
_BETWEEN_MS = 60
"""What the board needs between two contractions."""
_AFTER_MS = 300
"""How long the output is watched after it should have gone off."""
_PERSON_MS = 15_000
"""How long a person has to do something."""
_WINDOW_S = 45
"""A magnet opens the pairing window, which closes by itself after 30 s (docs/telemetry.md)."""
_HALF_THE_CLOCK_MS = 1 << 29
_SUPPLY = "power on or RUN pin"
"""What the log calls a start that the board itself did not cause."""
_LATE_MS = 300
"""The trigger of an oscilloscope may come so long after START."""
_MUTE = ("hang", "power off")
"""After these the board restarts."""


class BoardRestartedError(StimbenchError):
    """The board restarted by itself while it should have worked: its own failure, not the rig's."""


def duration_ms(case: Case) -> int:
    """How long a case is recorded."""
    before_ms = _ARMED_MS + LEAD_IN_MS
    periods_ms = -(-3 * case.program.period_us // 1000)
    if not case.fault.kind.during:
        return before_ms + case.cycles * (case.cycle_ms + _BETWEEN_MS) + periods_ms
    after_ms = _AFTER_MS if case.fault.kind.expect == "off" else case.cycle_ms + _BETWEEN_MS
    until_ms = case.fault_at_ms if case.fault.kind.name in ("stop", "power off") else _PERSON_MS
    return before_ms + until_ms + after_ms + periods_ms


def record_on_rig(case: Case, session: Session, build: str) -> tuple[Recorded, ...]:
    """Run a case.

    Args:
        case: what to run; stimbench.checks.left_out.not_run must have no objection.
        session: the bench.
        build: the content hash that the stimulator's firmware must have.

    Returns:
        One for each instrument that can tell something of it. Impedances are in the first one.

    Raises:
        BoardLostError: the board went away.
        BoardRestartedError: it restarted by itself.
        RefusedError: it refused what it should have done.
        RigError: an instrument failed, the firmware is another one, or a person could not do what was asked.
        StimbenchError: the board did not answer.
    """
    with session.board("stimulator") as device, _losses_told(session, device):
        stimulator = session.stimulator(device)
        found = stimulator.identity
        if found.build != build:
            raise RigError(
                f"The stimulator runs {found.version}, {found.build}, and the case is for {build}: "
                f"`stimbench flash` puts that on it."
            )
        calibration = stimulator.calibration()
        with _output_off(stimulator, case), prepared(case, session):
            make_ready(stimulator, magnet=case.fault.kind.name == "magnet")
            _set_program(stimulator, case)
            expects_reading = case.fault.kind.expect in ("open", "short", "high")
            pairs = stimulator.measure_impedance() if case.impedance or expects_reading else []
            seen = _record(case, session, device, stimulator)
    known = {"stimulator": f"{found.version} {found.build}, {calibration}"}
    timed = [(each, moment_of(case, each, seen.moments)) for each in seen.captures]
    kept = [(each, when) for each, when in timed if when is not None or not case.fault.kind.during]
    if not kept:
        raise RigError(f"No capture tells when the fault came: {case.fault.text}. Was it done in time?")
    return tuple(
        Recorded(
            capture, when.at_ns if when else None, [] if index else pairs, known, "" if index else seen.state,
            when.off_ms if when else 0.0,
        )
        for index, (capture, when) in enumerate(kept)
    )  # fmt: skip


@dataclass(frozen=True)
class _Seen:
    captures: list[Capture]
    moments: Moments
    state: str


def _record(case: Case, session: Session, device: Device, stimulator: Stimulator) -> _Seen:
    """Arm all instruments, start the board, do what the case asks for, and take what they have."""
    console, lasts_ms = device.console, duration_ms(case)
    mute = case.fault.kind.name in _MUTE
    before_ms = stimulator.uptime_ms()
    with ExitStack() as stack:
        recordings = [stack.enter_context(each.source.recording(lasts_ms)) for each in session.sources]
        sent_s = console.now_s()
        stimulator.start()
        started_s = console.now_s()
        strike = _strikes(session, stimulator).get(case.fault.kind.name)
        strike_s = struck_s = started_s
        if strike is not None:
            strike_at_s = started_s + (LEAD_IN_MS + case.fault_at_ms) / 1000
            console.wait(max(0.0, strike_at_s - console.now_s()))
            strike_s = console.now_s()
            strike()
            struck_s = console.now_s()
        # An instrument may hand over for a minute what it recorded: the board does not pulse that long.
        console.wait(max(0.0, (lasts_ms + _LATE_MS) / 1000 + started_s - console.now_s()))
        account = None if mute else _account(case, stimulator, before_ms)
        state = "" if mute else messages.STATE_NAMES[stimulator.status().state]
        if not mute:
            stimulator.stop()
        captures = [_cut(recording.result(), lasts_ms) for recording in recordings]
    reasons = [] if account is None else [told for each in captures for told in contradictions(each, account)]
    if reasons:
        raise RefusedCaptureError(reasons)
    return _Seen(captures, Moments(sent_s, started_s, strike_s, struck_s), state)


def _cut(capture: Capture, lasts_ms: int) -> Capture:
    """Without what an instrument recorded beyond what it was asked for: the board was off by then."""
    return capture.between(capture.start_ns, min(capture.end_ns, capture.start_ns + lasts_ms * 1_000_000))


def _account(case: Case, stimulator: Stimulator, before_ms: int) -> Account:
    _require_no_restart(stimulator, before_ms, case)
    return account_of(stimulator)


def make_ready(stimulator: Stimulator, magnet: bool = False) -> None:
    """Stop the board, and see that nothing at the bench keeps it from starting.

    Args:
        stimulator: the board.
        magnet: whether a magnet may be there.

    Raises:
        RigError: one is there; or one was, and the pairing window that it opened stays open.
    """
    stimulator.stop()
    for _ in range(_WINDOW_S):
        status = stimulator.status()
        if not status.pairing_window:
            break
        stimulator.link.wait(1.0)
    else:
        raise RigError("The stimulator's pairing window stays open: it would refuse to start.")
    if status.magnet and not magnet:
        raise RigError("A magnet is at the stimulator: it would refuse to start.")


def _strikes(session: Session, stimulator: Stimulator) -> dict[str, Callable[[], None]]:
    """What is done in the session without a person, by fault."""
    strikes: dict[str, Callable[[], None]] = {"stop": stimulator.stop}
    if session.power is not None:
        strikes["power off"] = session.power.off
    return strikes


def _set_program(stimulator: Stimulator, case: Case) -> None:
    # A programme that moves electrodes sets their lead's amplitude to zero; the second time they stay.
    stimulator.set_program(case.program)
    if stimulator.program().values != case.program.values:
        stimulator.set_program(case.program)


@contextmanager
def _output_off(stimulator: Stimulator, case: Case) -> Iterator[None]:
    """STOP in the end, also after an error or Ctrl-C. If that fails, the exception says so."""
    try:
        yield
    except BaseException as failure:
        try:
            stimulator.stop()
        except StimbenchError as error:
            failure.add_note(f"The output could not be told to stop: use the magnet. ({error})")
        raise
    if case.fault.kind.name not in _MUTE:
        stimulator.stop()


def _require_no_restart(stimulator: Stimulator, before_ms: int, case: Case) -> None:
    """A board whose port outlives its reset, as on a pty, tells by its uptime and its lost programme."""
    went_on = elapsed_ms(stimulator.uptime_ms(), before_ms) < _HALF_THE_CLOCK_MS
    if went_on and stimulator.program().values == case.program.values:
        return
    cause = _cause(stimulator)
    if cause == _SUPPLY:
        raise BoardLostError("The stimulator lost its supply, or was reset, while it was recorded.")
    raise BoardRestartedError(f"The stimulator restarted by itself: {cause}.")


def _cause(stimulator: Stimulator) -> str:
    events = stimulator.log()
    return events[0].detail_text if events else "unknown"


@contextmanager
def _losses_told(session: Session, device: Device) -> Iterator[None]:
    """A port that goes away: the cable was pulled, or the board restarted by itself. It is asked which."""
    try:
        yield
    except BoardLostError:
        raise
    except PortError as error:
        device.close()
        cause = _SUPPLY
        try:
            session.await_board("stimulator")
            with session.board("stimulator") as again:
                cause = _cause(session.stimulator(again))
        except RefusedError:
            pass
        except StimbenchError:
            raise BoardLostError(str(error)) from error
        if cause == _SUPPLY:
            raise BoardLostError(str(error)) from error
        raise BoardRestartedError(f"The stimulator restarted by itself: {cause}.") from error
