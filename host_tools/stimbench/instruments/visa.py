"""An oscilloscope through PyVISA: armed for a single capture, its memory read back as a capture.

The person sets it up: probes, scales, time base, memory depth and trigger. This module arms it, waits, and
reads the channels that the channel map names. Resources are those of VISA,
`USB0::0x1AB1::0x04CE::DS1ZA0001::INSTR` or `TCPIP::scope.local::INSTR`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channel_map import ChannelMap
from stimbench.errors import InputError, RigError
from stimbench.instruments.scope import Patience, Scope
from stimbench.instruments.visa_resource import Resource, opened_with_pyvisa

__all__ = ("ScopeRecording", "ScopeSource")

_CHANNEL = re.compile(r"CH(\d)")


@dataclass(frozen=True)
class ScopeSource:
    """See stimbench.instruments.interfaces.CaptureSource.

    Attributes:
        name: the VISA resource.
        channels: which of `CH1` to `CH4` is which signal.
        calibration: the number of its calibration certificate.
        clock_ppm: how far its clock may be off.
        gain_percent: how far its voltages may be off, its shunt's tolerance included.
        patience_s: how long to wait for the trigger, and for the end of a recording after its own duration.
        backend: PyVISA's.
        opened: what opens the resource.
        monotonic, sleep: the clock.
    """

    name: str
    channels: ChannelMap
    calibration: str = ""
    clock_ppm: float = 0.0
    gain_percent: float = 0.0
    patience_s: float = 20.0
    backend: str = "@py"
    opened: Callable[[str, str], Resource] = opened_with_pyvisa
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Check the channels.

        Raises:
            InputError: none is named, or one has no number.
        """
        wrong = [name for name in self.channels.channels if not _CHANNEL.fullmatch(name)]
        if wrong or not self.channels.uses:
            raise InputError(
                f"An oscilloscope's channels are CH1 to CH4, not {', '.join(wrong) or 'none'}: "
                f"write CH1=I_LEFT:100ohm."
            )

    def identify(self) -> Origin:
        """See CaptureSource.identify.

        Raises:
            RigError: it is not there, does not answer, or is of an unknown make.
        """
        with self._session() as scope:
            return scope.origin

    @contextmanager
    def recording(self, duration_ms: int) -> Iterator[ScopeRecording]:
        """See CaptureSource.recording. A shorter capture than asked for counts as stopped.

        Raises:
            RigError: it is not there, is of an unknown make, a channel is off, or it cannot be armed.
        """
        with self._session() as scope:
            scope.check_channels()
            scope.arm()
            try:
                yield ScopeRecording(scope, duration_ms)
            finally:
                with suppress(RigError):
                    scope.stop()

    @contextmanager
    def _session(self) -> Iterator[Scope]:
        resource = self.opened(self.name, self.backend)
        try:
            origin = Origin("", self.calibration, clock_ppm=self.clock_ppm, gain_percent=self.gain_percent)
            patience = Patience(self.patience_s, self.monotonic, self.sleep)
            yield Scope(self.name, resource, self.channels, origin, patience)
        finally:
            with suppress(Exception):  # a resource that has gone cannot be closed, and nothing hangs on it
                resource.close()


class ScopeRecording:
    """See stimbench.instruments.interfaces.Recording."""

    def __init__(self, scope: Scope, duration_ms: int) -> None:
        """Take the armed oscilloscope."""
        self._scope, self._duration_ms = scope, duration_ms
        self._capture: Capture | None = None

    def result(self) -> Capture:
        """See Recording.result. Time 0 is the trigger.

        Raises:
            RigError: it never triggered, went away, or sent what makes no sense.
        """
        if self._capture is None:
            self._scope.wait_done(self._duration_ms)
            self._capture = self._scope.read(self._duration_ms)
        return self._capture
