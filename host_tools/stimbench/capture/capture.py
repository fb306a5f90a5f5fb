"""One recording, wherever it comes from: named digital and analog channels over one time base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

from stimbench.capture.channels import Analog, Edges, Segments, Voltages
from stimbench.capture.nearest import NoChannelError, no_channel
from stimbench.capture.samples import Samples

__all__ = ("Capture", "NoChannelError", "Origin")

_Kind = TypeVar("_Kind", Segments, Voltages)
_Signal: TypeAlias = Edges | Callable[[], Edges]
_Waveform: TypeAlias = Analog | Samples | Callable[[], Analog | Samples]
"""A channel, or what makes it."""


@dataclass(frozen=True)
class Origin:
    """Where a capture comes from, as far as a report must say it.

    Attributes:
        instrument: maker, model and serial number, or what else the instrument calls itself.
        calibration: the number of its calibration certificate; empty if nobody gave one.
        digital_hz: at how many samples a second its digital channels were taken; 0 if every edge has its
            own time, exact to 1 ns.
        clock_ppm: how far its clock may be off, in parts per million.
        gain_percent: how far its analog values may be off, in percent of the value.
        stopped: why it ended before its time: a trigger that stopped, a full buffer. Empty if it did not.
        file: the name of the file that it was read from; empty if it was none.
        sha256: that file's hash, in hex.
        truncated: what the file has lost at its end; empty if nothing, as far as its format can tell.
    """

    instrument: str = "the emulated bench"
    calibration: str = ""
    digital_hz: int = 0
    clock_ppm: float = 0.0
    gain_percent: float = 0.0
    stopped: str = ""
    file: str = ""
    sha256: str = ""
    truncated: str = ""


class Capture:
    """Digital and analog channels, read-only. All times are in ns, currents in uA, voltages in V.

    A digital channel of the bench is called `board.signal`. Analog are the currents `I_LEFT`, `I_RIGHT` and
    `I_SENSE`, and the voltages `V_LEFT` and `V_RIGHT`. A channel that is costly to make is made when it is
    first asked for.
    """

    def __init__(
        self,
        digital: Mapping[str, _Signal],
        analog: Mapping[str, _Waveform] | None = None,
        *,
        start_ns: int = 0,
        end_ns: int,
        source: str = "the capture",
        origin: Origin | None = None,
    ) -> None:
        """Put channels together.

        Args:
            digital: edges by channel, or what makes them.
            analog: currents and voltages by channel, or what makes them.
            start_ns: where the capture begins.
            end_ns: where it ends.
            source: where it comes from, in words: the bench, a file, an instrument.
            origin: what is known of the instrument; that of the emulated bench by default.

        Raises:
            ValueError: it ends before it begins.
        """
        if end_ns < start_ns:
            raise ValueError(f"a capture from {start_ns} to {end_ns} ns ends before it begins")
        self._digital: dict[str, _Signal] = dict(digital)
        self._analog: dict[str, _Waveform] = dict(analog or {})
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.source = source
        self.origin = origin or Origin()

    def __eq__(self, other: object) -> bool:
        """Whether span, names and channels are equal, wherever the captures come from."""
        if not isinstance(other, Capture):
            return NotImplemented
        if (self.start_ns, self.end_ns) != (other.start_ns, other.end_ns):
            return False
        if set(self.digital) != set(other.digital) or set(self.analog) != set(other.analog):
            return False
        return all(self.edges(name) == other.edges(name) for name in self.digital) and all(
            self.waveform(name) == other.waveform(name) for name in self.analog
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        channels = f"{len(self._digital)} digital and {len(self._analog)} analog channels"
        return f"<Capture of {self.source}: {channels}, {self.start_ns} to {self.end_ns} ns>"

    @property
    def digital(self) -> tuple[str, ...]:
        """The names of the digital channels."""
        return tuple(self._digital)

    @property
    def analog(self) -> tuple[str, ...]:
        """The names of the analog channels."""
        return tuple(self._analog)

    def edges(self, name: str, signal: str | None = None) -> Edges:
        """A digital channel: `edges("stimulator.L_CATH")`, or `edges("stimulator", "L_CATH")`.

        Raises:
            NoChannelError: there is none of that name; the text says the nearest one.
        """
        name = name if signal is None else f"{name}.{signal}"
        self._require(self._digital, name, "digital")
        found = self._digital[name]
        if isinstance(found, Edges):
            return found
        made = self._digital[name] = found()
        return made

    def current(self, name: str) -> Segments:
        """An analog channel that is a current, in uA.

        Raises:
            NoChannelError: there is none of that name, or it is a voltage.
        """
        return self._of_kind(name, Segments)

    def voltage(self, name: str) -> Voltages:
        """An analog channel that is a voltage, in V.

        Raises:
            NoChannelError: there is none of that name, or it is a current.
        """
        return self._of_kind(name, Voltages)

    def waveform(self, name: str) -> Analog:
        """An analog channel, whether it is a current or a voltage, piece by piece.

        Raises:
            NoChannelError: there is none of that name.
        """
        found = self._made(name)
        return found.pieces() if isinstance(found, Samples) else found

    def samples(self, name: str) -> Samples | None:
        """An analog channel as an instrument took it; None if it is known piece by piece.

        Raises:
            NoChannelError: there is none of that name.
        """
        found = self._made(name)
        return found if isinstance(found, Samples) else None

    def _made(self, name: str) -> Analog | Samples:
        self._require(self._analog, name, "analog")
        found = self._analog[name]
        if callable(found):
            found = self._analog[name] = found()
        return found

    def between(self, start_ns: int, end_ns: int) -> Capture:
        """What lies in a span: edges at or after `start_ns` and before `end_ns`, currents that reach into it.

        Nothing is copied. The span is cut to that of the capture.

        Raises:
            ValueError: it ends before it begins, or lies outside of the capture.
        """
        start_ns, end_ns = max(start_ns, self.start_ns), min(end_ns, self.end_ns)
        return Capture(
            {name: partial(self._edges_between, name, start_ns, end_ns) for name in self._digital},
            {name: partial(self._waveform_between, name, start_ns, end_ns) for name in self._analog},
            start_ns=start_ns, end_ns=end_ns, source=self.source, origin=self.origin,
        )  # fmt: skip

    def select(self, digital: Iterable[str], analog: Iterable[str] = ()) -> Capture:
        """Some of the channels, in this order.

        Raises:
            NoChannelError: there is none of such a name.
        """
        signals, waveforms = list(digital), list(analog)
        for name in signals:
            self._require(self._digital, name, "digital")
        for name in waveforms:
            self._require(self._analog, name, "analog")
        return Capture(
            {name: partial(self.edges, name) for name in signals},
            {name: partial(self._made, name) for name in waveforms},
            start_ns=self.start_ns, end_ns=self.end_ns, source=self.source, origin=self.origin,
        )  # fmt: skip

    def with_origin(self, origin: Origin) -> Capture:
        """The same channels, from elsewhere."""
        made = self.select(self._digital, self._analog)
        made.origin = origin
        return made

    def shifted(self, by_ns: int, source: str) -> Capture:
        """The same, later by `by_ns`, under another source: of a file that does not say when it began."""
        return Capture(
            {name: partial(self._edges_later, name, by_ns) for name in self._digital},
            {name: partial(self._waveform_later, name, by_ns) for name in self._analog},
            start_ns=self.start_ns + by_ns, end_ns=self.end_ns + by_ns, source=source, origin=self.origin,
        )  # fmt: skip

    def _edges_between(self, name: str, start_ns: int, end_ns: int) -> Edges:
        return self.edges(name).between(start_ns, end_ns)

    def _waveform_between(self, name: str, start_ns: int, end_ns: int) -> Analog | Samples:
        return self._made(name).between(start_ns, end_ns)

    def _edges_later(self, name: str, by_ns: int) -> Edges:
        edges = self.edges(name)
        return Edges(edges.times_ns + by_ns, edges.initial)

    def _waveform_later(self, name: str, by_ns: int) -> Analog | Samples:
        return self._made(name).shifted(by_ns)

    def _of_kind(self, name: str, kind: type[_Kind]) -> _Kind:
        found = self.waveform(name)
        if not isinstance(found, kind):
            ask = "voltage" if kind is Segments else "current"
            raise NoChannelError(f"{name} of {self.source} is a {ask}: ask for {ask}({name!r}).")
        return found

    def _require(self, channels: Mapping[str, object], name: str, kind: str) -> None:
        if name not in channels:
            other = self._analog if kind == "digital" else self._digital
            raise no_channel(self.source, kind, name, channels, other)
