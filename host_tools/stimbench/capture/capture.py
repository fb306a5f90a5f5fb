"""One recording, wherever it comes from: named digital and analog channels over one time base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

from stimbench.capture.channels import Edges, Segments
from stimbench.errors import InputError

__all__ = ("Capture", "NoChannelError")

_Channel = TypeVar("_Channel", bound=Edges | Segments)
_Source: TypeAlias = "_Channel | Callable[[], _Channel]"
"""A channel, or what makes it."""


class NoChannelError(InputError):
    """A capture has no such channel; the text lists those that it has."""


class Capture:
    """Digital and analog channels, read-only. All times are in ns, currents in uA.

    A digital channel of the bench is called `board.signal`, a current `I_LEFT` or `I_RIGHT`. A channel that
    is costly to make is made when it is first asked for.
    """

    def __init__(
        self,
        digital: Mapping[str, _Source[Edges]],
        analog: Mapping[str, _Source[Segments]] | None = None,
        *,
        start_ns: int = 0,
        end_ns: int,
        source: str = "the capture",
    ) -> None:
        """Put channels together.

        Args:
            digital: edges by channel, or what makes them.
            analog: currents by channel, or what makes them.
            start_ns: where the capture begins.
            end_ns: where it ends.
            source: where it comes from, in words: the bench, a file, an instrument.

        Raises:
            ValueError: it ends before it begins.
        """
        if end_ns < start_ns:
            raise ValueError(f"a capture from {start_ns} to {end_ns} ns ends before it begins")
        self._digital: dict[str, _Source[Edges]] = dict(digital)
        self._analog: dict[str, _Source[Segments]] = dict(analog or {})
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.source = source

    def __eq__(self, other: object) -> bool:
        """Whether span, names and channels are equal, wherever the captures come from."""
        if not isinstance(other, Capture):
            return NotImplemented
        if (self.start_ns, self.end_ns) != (other.start_ns, other.end_ns):
            return False
        if set(self.digital) != set(other.digital) or set(self.analog) != set(other.analog):
            return False
        return all(self.edges(name) == other.edges(name) for name in self.digital) and all(
            self.current(name) == other.current(name) for name in self.analog
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

    def edges(self, name: str) -> Edges:
        """A digital channel.

        Raises:
            NoChannelError: there is none of that name.
        """
        return self._channel(self._digital, name, "digital")

    def current(self, name: str) -> Segments:
        """An analog channel.

        Raises:
            NoChannelError: there is none of that name.
        """
        return self._channel(self._analog, name, "analog")

    def between(self, start_ns: int, end_ns: int) -> Capture:
        """What lies in a span: edges at or after `start_ns` and before `end_ns`, currents that reach into it.

        Nothing is copied. The span is cut to that of the capture.

        Raises:
            ValueError: it ends before it begins, or lies outside of the capture.
        """
        start_ns, end_ns = max(start_ns, self.start_ns), min(end_ns, self.end_ns)
        return Capture(
            {name: partial(self._edges_between, name, start_ns, end_ns) for name in self._digital},
            {name: partial(self._current_between, name, start_ns, end_ns) for name in self._analog},
            start_ns=start_ns, end_ns=end_ns, source=self.source,
        )  # fmt: skip

    def select(self, digital: Iterable[str], analog: Iterable[str] = ()) -> Capture:
        """Some of the channels, in this order.

        Raises:
            NoChannelError: there is none of such a name.
        """
        signals = _known(digital, self._digital, "digital", self.source)
        currents = _known(analog, self._analog, "analog", self.source)
        return Capture(
            {name: partial(self.edges, name) for name in signals},
            {name: partial(self.current, name) for name in currents},
            start_ns=self.start_ns, end_ns=self.end_ns, source=self.source,
        )  # fmt: skip

    def shifted(self, by_ns: int, source: str) -> Capture:
        """The same, later by `by_ns`, under another source: of a file that does not say when it began."""
        return Capture(
            {name: partial(self._edges_later, name, by_ns) for name in self._digital},
            {name: partial(self._current_later, name, by_ns) for name in self._analog},
            start_ns=self.start_ns + by_ns, end_ns=self.end_ns + by_ns, source=source,
        )  # fmt: skip

    def _edges_between(self, name: str, start_ns: int, end_ns: int) -> Edges:
        return self.edges(name).between(start_ns, end_ns)

    def _current_between(self, name: str, start_ns: int, end_ns: int) -> Segments:
        return self.current(name).between(start_ns, end_ns)

    def _edges_later(self, name: str, by_ns: int) -> Edges:
        edges = self.edges(name)
        return Edges(edges.times_ns + by_ns, edges.initial)

    def _current_later(self, name: str, by_ns: int) -> Segments:
        current = self.current(name)
        return Segments(current.t0_ns + by_ns, current.t1_ns + by_ns, current.i0_ua, current.i1_ua)

    def _channel(self, channels: dict[str, _Source[_Channel]], name: str, kind: str) -> _Channel:
        _known([name], channels, kind, self.source)
        found = channels[name]
        if isinstance(found, Edges | Segments):
            return found
        made = channels[name] = found()
        return made


def _known(names: Iterable[str], channels: Mapping[str, object], kind: str, source: str) -> list[str]:
    chosen = list(names)
    for name in chosen:
        if name not in channels:
            there = ", ".join(channels) or "none"
            raise NoChannelError(f"{source} has no {kind} channel {name!r}. It has: {there}.")
    return chosen
