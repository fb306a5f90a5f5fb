"""What a person does at a wired bench for a case, before it and after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stimbench.checks.cases import Case
from stimbench.errors import RigError
from stimbench.rig.session import Session

__all__ = ("prepared",)

_WITHIN = "You have 10 s, which begin when you press Enter."
_TO_DO = {
    "open": ("Break the wire of electrode {0}.", "Mend the wire of electrode {0}."),
    "short": ("Short the electrodes {0} and {1}.", "Take the short between {0} and {1} away."),
    "resistance": ("Put {1} ohm into the wire of electrode {0}, in all.", "Mend the wire of electrode {0}."),
    "magnet": (f"Hold the magnet to the stimulator, and leave it there. {_WITHIN}", "Take the magnet away."),
    "hang": (f"Stop the stimulator's CPU. {_WITHIN}", "Let the stimulator's CPU run again."),
    "jam": (f"Switch the jammer on. {_WITHIN}", "Switch the jammer off."),
}
"""By fault: before the session, and after it."""


@contextmanager
def prepared(case: Case, session: Session) -> Iterator[None]:
    """The case's load is wired and its fault is there, or will be; afterwards it is mended, come what may.

    Raises:
        RigError: nobody is there, or it could not be done.
    """
    load = session.file.loads.get(case.load.name)
    if load is not None and load.by_hand:
        _ask(session, f"Wire the load {case.load.name!r} ({load.resistance_ohm:g} ohm) to both leads.")
    before, after = _TO_DO.get(case.fault.kind.name, ("", ""))
    if before:
        _ask(session, before.format(*case.fault.words))
    try:
        yield
    finally:
        if after:
            _ask(session, after.format(*case.fault.words))
        if case.fault.kind.name == "power off" and session.power is not None:
            session.power.on()


def _ask(session: Session, what: str) -> None:
    if session.person is None:
        raise RigError(f"Nobody is at the bench, and a person must do it: {what}")
    session.person.do(what)
