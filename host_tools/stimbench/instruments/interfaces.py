"""Where captures come from: an instrument is armed, the board is started, and a capture comes back.

    with source.recording(2000) as recording:
        stimulator.start()
        capture = recording.result()

`SigrokSource` and `ScopeSource` are sources. What an instrument does wrong is a `RigError`: it never counts
as the board's failure.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from stimbench.capture.capture import Capture, Origin

__all__ = ("CaptureSource", "Recording")


class Recording(Protocol):
    """An instrument that records."""

    def result(self) -> Capture:
        """Wait until the instrument is done, and take what it has.

        Returns:
            The capture, under the bench's names; its times begin at 0 with the first sample, or with the
            trigger at 0 where the instrument says it. Asked again, the same one.

        Raises:
            RigError: the instrument failed, went away, or never triggered.
        """


class CaptureSource(Protocol):
    """An instrument with a channel map."""

    def identify(self) -> Origin:
        """Ask the instrument who it is.

        Raises:
            RigError: it does not answer, or nothing here knows how to use it.
        """

    def recording(self, duration_ms: int) -> AbstractContextManager[Recording]:
        """Record for a time: the block begins when the instrument is armed.

        Leaving the block ends a recording that still runs.

        Args:
            duration_ms: how long to record. An instrument that has its own setting records as it is set.

        Raises:
            RigError: it cannot be armed.
        """
