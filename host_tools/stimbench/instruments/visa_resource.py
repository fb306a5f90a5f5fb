"""An instrument on VISA: opened with PyVISA, its errors turned into those of the rig."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from stimbench.errors import InputError, RigError

__all__ = ("Resource", "answered", "opened_with_pyvisa")

_ANSWER_MS = 5000
_T = TypeVar("_T")


class Resource(Protocol):
    """What is used of a PyVISA resource."""

    def write(self, message: str) -> int:
        """Send a command."""

    def query(self, message: str) -> str:
        """Send a query, and receive its answer."""

    def read_raw(self) -> bytes:
        """Receive one whole answer."""

    def close(self) -> None:
        """Let go of it."""


def opened_with_pyvisa(name: str, backend: str = "@py", answer_ms: int = _ANSWER_MS) -> Resource:
    """Open a resource.

    Args:
        name: VISA's name of it; it must end with `INSTR`, because only such a one says where an answer ends.
        backend: `@py` is pyvisa-py; an empty one is the machine's own VISA library.
        answer_ms: how long an answer may take.

    Raises:
        RigError: PyVISA is not installed, or there is no such resource.
        InputError: the name is none.
    """
    if not name.upper().endswith("INSTR"):
        raise InputError(f"{name!r} is no VISA resource that can be used: it must end with ::INSTR.")
    try:
        import pyvisa
    except ImportError as error:
        raise RigError(
            "An oscilloscope is read with PyVISA, which is not installed: "
            "pip install 'stimbench[instruments]'."
        ) from error
    try:
        # Answers end where the bus says so: a line feed may be a sample.
        resource = pyvisa.ResourceManager(backend).open_resource(
            name, open_timeout=_ANSWER_MS, timeout=answer_ms, write_termination="\n", read_termination=None
        )
    except (pyvisa.Error, OSError, ValueError) as error:
        raise RigError(f"There is no instrument at {name}: {_why(error)}") from error
    return resource  # type: ignore[return-value]


def answered(name: str, call: Callable[[], _T]) -> _T:
    """What a call of the resource `name` returns.

    Raises:
        RigError: the instrument does not answer, or not in text.
    """
    try:
        return call()
    except UnicodeDecodeError as error:
        raise RigError(f"{name} answers with bytes that are no text.") from error
    except Exception as error:
        # PyVISA is imported only if it is there: its errors are told apart by their module.
        if isinstance(error, OSError) or type(error).__module__.startswith("pyvisa"):
            raise RigError(f"{name} does not answer: {_why(error)}") from error
        raise


def _why(error: Exception) -> str:
    text = str(getattr(error, "description", "") or error).strip().rstrip(".")
    return f"{text}."
