"""Runs a command as Unix expects it: Ctrl-C, a reader that has gone, output that cannot be written.

Entry points import this before all else, so it imports little itself.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import contextmanager, suppress

TYPE_CHECKING = False  # the module `typing` takes longer to load than all of the above
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn, TextIO

EXIT_CANNOT_WRITE = 2
EXIT_INTERRUPTED = 128 + 2  # 128 + the signal's number, as a shell counts it: SIGINT
EXIT_READER_GONE = 128 + 13  # SIGPIPE


class CannotWriteError(Exception):
    """Standard output takes no more. The cause is the system's OSError.

    Neither an OSError nor a StimbenchError: Click, Rich and the commands handle these in their own ways.
    """


class CheckedOutput(io.TextIOWrapper):
    """A standard stream whose errors are CannotWriteError, or which drops what it cannot write.

    After an error it leads to nowhere, so what is still in its buffer does no harm at the end of the process.

    Attributes:
        drop: whether to drop.
    """

    def __init__(self, stream: TextIO, drop: bool) -> None:
        """Take the place of `stream`, which can no longer be used."""
        buffering = getattr(stream, "line_buffering", False), getattr(stream, "write_through", False)
        # A character that the encoding lacks becomes a question mark: in a file's name, say.
        errors = "replace" if stream.errors == "strict" else stream.errors
        super().__init__(stream.detach(), stream.encoding, errors, None, *buffering)  # type: ignore[attr-defined]
        self.drop = drop
        self._error: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write text."""
        # Click tries a stream with an empty text and swallows the error, so it has to come again.
        self._raise()
        try:
            return super().write(text)
        except OSError as error:
            self._failed(error)
            return len(text)

    def flush(self) -> None:
        """Write what is in the buffer."""
        self._raise()
        try:
            super().flush()
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        self._error = error
        self._raise()

    def _raise(self) -> None:
        if self._error is not None and not self.drop:
            raise CannotWriteError from self._error


def run(load: Callable[[], Callable[[], Any]]) -> NoReturn:
    """Run a command and end the process with its exit code.

    Ctrl-C ends it with 130: at once while modules are loaded, by a KeyboardInterrupt while the command runs.
    If the reader of standard output has gone, it ends with 141 in silence.

    Args:
        load: imports the command and returns it. A command returns what sys.exit() takes.
    """
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not so if the shell ignores it
    if ours:
        signal.signal(signal.SIGINT, _end_at_once)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = sys.__stdout__ = CheckedOutput(sys.stdout, drop=False)  # type: ignore[misc]
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = sys.__stderr__ = CheckedOutput(sys.stderr, drop=True)  # type: ignore[misc]
    try:
        command = load()
        try:
            if ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            code = _code_of(command)
        finally:
            if ours:
                signal.signal(signal.SIGINT, _end_at_once)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        code = EXIT_INTERRUPTED
    except CannotWriteError as error:
        sys.stdout.drop = True  # type: ignore[union-attr]
        code = _told(error.__cause__)
    sys.exit(code)


@contextmanager
def ended_at_once() -> Iterator[None]:
    """While more modules are loaded: Ctrl-C ends the process at once, as while `run` loads the first ones.

    A KeyboardInterrupt in the middle of an import may be swallowed. Nothing changes if somebody else listens
    to Ctrl-C, or in another thread than the main one.
    """
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with suppress(ValueError):  # of another thread
        if ours:
            signal.signal(signal.SIGINT, _end_at_once)
    try:
        yield
    finally:
        with suppress(ValueError):
            if ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)


def _code_of(command: Callable[[], Any]) -> Any:
    try:
        return command()
    except SystemExit as ending:
        return ending.code


def _told(cause: BaseException | None) -> int:
    """Say why standard output could not be written, unless nobody reads it; the exit code."""
    if isinstance(cause, BrokenPipeError):
        return EXIT_READER_GONE
    reason = cause.strerror if isinstance(cause, OSError) else None
    print(f"Error: cannot write: {reason or cause}.", file=sys.stderr)
    return EXIT_CANNOT_WRITE


def _end_at_once(_number: int, _frame: object) -> None:
    """Nothing is open yet, or all is closed already."""
    os._exit(EXIT_INTERRUPTED)
