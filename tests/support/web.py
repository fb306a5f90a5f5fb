"""A stand of the page's bench in this process: it repeats a run, and nobody looks."""

from typing import Any

from stimbench.web.channel import Kind
from stimbench.web.stand import BenchStand


class NoServer:
    """In the place of channel.BenchEnd: says what it was given to say, keeps what it is told."""

    def __init__(self) -> None:
        self.closed = False
        self.unsent = 0
        self.said: list[tuple[Kind, Any]] = []
        self.heard: list[tuple[Kind, Any]] = []

    def messages(self) -> list[tuple[Kind, Any]]:
        said, self.said = self.said, []
        return said

    def send(self, kind: Kind, body: Any = b"") -> None:
        self.heard.append((kind, body))

    def wait(self, seconds: float | None) -> None:
        pass

    @property
    def acted(self) -> list[Any]:
        return [body for kind, body in self.heard if kind is Kind.ACTED]

    @property
    def done(self) -> list[Any]:
        return [body for kind, body in self.heard if kind is Kind.DONE]


class QuietStand(BenchStand):
    """Its bench's traces stay whole, to be captured."""

    def _tell(self, at_once: bool = False) -> None:
        pass


def repeated(run) -> QuietStand:
    """A run repeated to its end, by the stand's own code, without server and page."""
    stand = QuietStand(NoServer(), run)
    while stand.repeating:
        stand.step()
    return stand
