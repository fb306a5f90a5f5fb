"""A stand of the page's bench in this process: it repeats a run, and nobody looks."""

from typing import Any

from stimbench.web import actions
from stimbench.web.channel import Kind
from stimbench.web.run_file import Run, RunConfig
from stimbench.web.stand import BenchStand
from stimbench.web.views import VIEWS


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


_BOOT_NS = 1_000_000_000


def ready_stand(seed=1, paired=True) -> QuietStand:
    """A stand whose boards have booted, and nothing else has happened."""
    stand = QuietStand(NoServer(), Run(config=RunConfig(seed=seed, paired=paired)))
    run_to(stand, _BOOT_NS)
    return stand


def run_to(stand, time_ns) -> None:
    """Let the stand's time pass, as fast as it goes."""
    stand.pace.set(None)
    while stand.bench.now_ns < time_ns:
        stand.step()


def run_for(stand, seconds) -> None:
    run_to(stand, stand.bench.now_ns + round(seconds * 1e9))


def do(stand, name, /, **arguments):
    """An action of the table, as a page's request makes it."""
    action = actions.by_name(name)
    return action.do(stand, action.parse(arguments))


def state_of(stand, view):
    """What a view's state is now."""
    return next(one for one in VIEWS if one.name == view).state(stand)
