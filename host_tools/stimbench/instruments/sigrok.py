"""A logic analyser through sigrok-cli: armed, read back as a capture.

Logic alone is written as raw samples. A session (`.sr`) is written only if analog channels are asked for:
libsigrok 0.5 copies the whole archive for each packet that it adds, so 16 s at 1 MHz took it 49 s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channel_map import ChannelMap
from stimbench.capture.grid import MOST_HZ, first_samples, instants
from stimbench.capture.logic import edges_of_logic
from stimbench.capture.sigrok import read_sr
from stimbench.errors import InputError, RigError
from stimbench.instruments.sigrok_program import Analyser, SigrokRun, show

__all__ = ("SigrokRecording", "SigrokSource")

_READ_BYTES = 4 << 20


@dataclass(frozen=True)
class SigrokSource:
    """See stimbench.instruments.interfaces.CaptureSource.

    Attributes:
        driver: sigrok's name of the instrument, `demo` or `fx2lafw:conn=1.23`.
        channels: which of its channels is which signal. Only these are recorded.
        rate_hz: samples a second.
        trigger: what it waits for, in sigrok's words: `D0=r`; empty for nothing.
        settings: other settings of the driver, in sigrok's words: `{"captureratio": "10"}`.
        calibration: the number of its calibration certificate.
        clock_ppm: how far its clock may be off.
        gain_percent: how far its analog values may be off.
        patience_s: how long to wait for the trigger, and for the end of a recording after its own duration.
        program: sigrok-cli and what comes before its arguments.
        begin_s: how long it may take until it records.
    """

    driver: str
    channels: ChannelMap
    rate_hz: int
    trigger: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    calibration: str = ""
    clock_ppm: float = 0.0
    gain_percent: float = 0.0
    patience_s: float = 20.0
    program: Sequence[str] = ("sigrok-cli",)
    begin_s: float = 20.0

    def __post_init__(self) -> None:
        """Check the rate and the channels.

        Raises:
            InputError: the rate is out of range, or no channel is named.
        """
        if not 0 < self.rate_hz <= MOST_HZ:
            raise InputError(f"{self.rate_hz} samples a second: up to 8 GHz is possible.")
        if not self.channels.uses:
            raise InputError(f"No channel of {self.driver} is a signal: write D0=stimulator.L_CATH.")

    def identify(self) -> Origin:
        """See CaptureSource.identify.

        Raises:
            RigError: sigrok-cli or the instrument is not there.
            NoChannelError: the channel map names channels that it does not have; all are named.
        """
        return self._origin(self._found())

    def _found(self) -> Analyser:
        found = show(self.driver, self.program)
        self.channels.require(found.channels, f"{found.description} ({self.driver})")
        return found

    def _origin(self, found: Analyser) -> Origin:
        return Origin(
            f"{found.description} ({self.driver})", self.calibration, self.rate_hz,
            self.clock_ppm, self.gain_percent,
        )  # fmt: skip

    @contextmanager
    def recording(self, duration_ms: int) -> Iterator[SigrokRecording]:
        """See CaptureSource.recording.

        Raises:
            RigError: the instrument is not there or cannot be armed.
            InputError: the duration holds no sample, or a channel is missing.
        """
        count = duration_ms * self.rate_hz // 1000
        if count <= 0:
            raise InputError(f"{duration_ms} ms at {self.rate_hz} samples a second hold no sample.")
        found = self._found()
        with tempfile.TemporaryDirectory(prefix="stimbench-") as folder:
            raw = not any(use.analog for use in self.channels.uses)
            path = Path(folder) / ("capture.bin" if raw else "capture.sr")
            with SigrokRun(self.program, self._arguments(path, raw, count)) as run:
                run.wait_armed(self.begin_s)
                yield SigrokRecording(self, found, run, path, count)

    def _arguments(self, path: Path, raw: bool, count: int) -> list[str]:
        settings = {"samplerate": str(self.rate_hz), **self.settings}
        arguments = ["-d", self.driver, "-c", ":".join(f"{key}={value}" for key, value in settings.items())]
        arguments += ["-C", ",".join(self.channels.channels), "--samples", str(count)]
        if self.trigger:
            arguments += ["-t", self.trigger, "-w"]
        return [*arguments, "-O", "binary" if raw else "srzip", "-o", str(path)]


class SigrokRecording:
    """See stimbench.instruments.interfaces.Recording."""

    def __init__(self, source: SigrokSource, found: Analyser, run: SigrokRun, path: Path, count: int) -> None:
        """Take what runs, and where it writes `count` samples to."""
        self._source, self._found, self._run = source, found, run
        self._path, self._count = path, count
        self._capture: Capture | None = None

    def result(self) -> Capture:
        """See Recording.result. Time 0 is the first sample.

        Raises:
            RigError: the instrument failed, went away, never triggered, or left a damaged file.
        """
        if self._capture is None:
            patience_s = self._source.patience_s + self._count / self._source.rate_hz
            self._run.wait_done(patience_s, self._source.trigger)
            self._capture = self._read()
        return self._capture

    def _read(self) -> Capture:
        if not self._path.exists() or not self._path.stat().st_size:
            raise RigError(f"{self._found.description} recorded nothing.")
        try:
            capture = self._raw() if self._path.suffix == ".bin" else read_sr(self._path)
        except InputError as error:
            raise RigError(f"{self._found.description} went away while it recorded: {error}") from error
        rate_hz = capture.origin.digital_hz
        taken = int(first_samples(capture.end_ns, rate_hz))
        if not taken:
            raise RigError(f"{self._found.description} recorded nothing.")
        stopped = f"the instrument gave {taken} of {self._count} samples" if taken < self._count else ""
        origin = replace(self._source._origin(self._found), digital_hz=rate_hz, stopped=stopped)
        mapped = self._source.channels.apply(capture).with_origin(origin)
        mapped.source = self._found.description
        return mapped

    def _raw(self) -> Capture:
        """Only the channels' bits are in the file: their places are those of the instrument's own list."""
        unit, rate_hz = self._run.unit, self._source.rate_hz
        names = self._source.channels.channels
        bits = [self._found.channels.index(name) for name in names]
        if max(bits) >= 8 * unit:
            raise InputError(f"{unit} bytes a sample have no room for {names[bits.index(max(bits))]}.")
        size = self._path.stat().st_size
        edges = edges_of_logic(_pieces(self._path, unit), unit, bits, rate_hz)
        return Capture(
            dict(zip(names, edges, strict=True)), end_ns=int(instants(size // unit, rate_hz)),
            source=self._found.description, origin=Origin(digital_hz=rate_hz),
        )  # fmt: skip


def _pieces(path: Path, unit: int) -> Iterator[bytes]:
    """Whole samples; a rest at the end that is none is left out."""
    with path.open("rb") as stream:
        while piece := stream.read(_READ_BYTES // unit * unit):
            yield piece[: len(piece) // unit * unit]
