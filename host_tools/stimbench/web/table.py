"""What a view brings on the bench's side: what it shows, and what can be done in it. See docs/web.md.

Actions have the form of stimbench.bench.actions: a name, arguments as a pydantic model, one sentence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stimbench.bench.actions import Action, Arguments
from stimbench.web.needs import Need

if TYPE_CHECKING:
    from stimbench.bench import Bench
    from stimbench.bench.hands import Hands
    from stimbench.client.stimulator import Stimulator

__all__ = ("Stand", "View", "WebAction")


class Stand(Protocol):
    """The bench as actions and views see it, within its process."""

    bench: Bench
    """The emulated one; ActionError on a wired one. What uses it has `needs`, or asks `lacks`."""
    hands: Hands
    seed: int
    random: random.Random
    """For keys and ids of this run; seeded, so that a repeated run is equal."""
    memory: dict[str, Any]
    """What views keep from one call to the next, under their names; empty when a run begins."""

    @property
    def now_ns(self) -> int:
        """Bench time: emulated, or since a wired bench was first served."""

    def lacks(self, need: Need) -> str:
        """Why this bench has not what is needed, in a sentence; empty if it has it."""

    def edges(self, signal: str, from_ns: int, to_ns: int) -> tuple[bool, list[int]]:
        """A signal of the stimulator: its level before a span, and the times of its edges in it, in ns.

        Raises:
            ActionError: it was not recorded.
        """

    @property
    def stimulator(self) -> Stimulator:
        """The stimulator over its USB console; time passes while a request is answered."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What the stimulator last said of itself (polling.Told), without asking it again."""

    def ask_again(self) -> None:
        """Ask the stimulator for its state now; time passes."""

    def send_stop(self) -> None:
        """Send a request STOP over USB that waits for no answer."""


@dataclass(frozen=True)
class WebAction:
    """One thing that a page can do.

    Attributes:
        name: in a message, and in a run's list of actions.
        arguments: a pydantic model; names, types, ranges, texts.
        summary: what it does, in a sentence.
        do: does it; its result is plain data for JSON. It raises a StimbenchError or an ActionError if it
            cannot be done.
        takes_time: the bench's time passes in it, as in every request to a board: it waits for its turn.
        enters_run: it can change what the bench does, so a repeated run has to do it too.
        needs: what of the bench; where that is lacking the action is refused, and its controls are disabled.
    """

    name: str
    arguments: type[Arguments]
    summary: str
    do: Callable[[Stand, Any], Any]
    takes_time: bool = False
    enters_run: bool = True
    needs: Need | None = None

    def parse(self, given: Mapping[str, Any]) -> Arguments:
        """The arguments, checked.

        Raises:
            ActionError: one is missing, unknown, or out of its range.
        """
        return Action(self.name, self.arguments, self.summary, "").parse(given)


@dataclass(frozen=True)
class View:
    """What a view shows and does.

    Attributes:
        name: of its module on the page, static/views/<name>.js, and of its part of the state.
        state: what it shows, plain data for JSON, made some times a second. No time passes in it, and it
            changes nothing on the bench.
        actions: what can be done in it.
        about: what stays as it is, ranges and texts say: told to each page once, when it comes.
        needs: what of the bench; where that is lacking the view says so, has no state, and is disabled.
    """

    name: str
    state: Callable[[Stand], dict[str, Any]]
    actions: tuple[WebAction, ...] = ()
    about: Callable[[], dict[str, Any]] = dict
    needs: Need | None = None
