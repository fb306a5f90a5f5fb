"""What every stand does, whatever its bench is: hears the server, does what is asked, tells what there is.

How time passes, and what is recorded, is a stand's own: web.stand has an emulated bench, web.wired_stand a
wired one.
"""

from __future__ import annotations

import json
import random
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from stimfw.protocol import console_frame, messages, requests
from stimfw.therapy.ranges import ParameterError

from stimbench.bench import Bench
from stimbench.bench.actions import ActionError
from stimbench.bench.hands import Hands
from stimbench.client.console import Console
from stimbench.client.stimulator import Stimulator
from stimbench.errors import BenchError, StimbenchError
from stimbench.web import actions
from stimbench.web.channel import BenchEnd, Kind
from stimbench.web.needs import Need
from stimbench.web.polling import Poll
from stimbench.web.table import View, WebAction
from stimbench.web.views import VIEWS

__all__ = ("Standing",)

_HELD_S = 5.0
"""After so long without a page that holds the controls, the stimulation is stopped."""
_STOP_NUMBERS = (253, 254, 255)
"""Of a request STOP, which waits for no answer: one that no other request has."""
_REFUSED = (ActionError, BenchError, ParameterError, StimbenchError)


class Standing:
    """A stand without its bench. See web.table.Stand."""

    bench: Bench
    hands: Hands
    _consoles: tuple[Console, Console]
    """Of what is asked for, and of the poll."""
    _poll: Poll

    def __init__(self, end: BenchEnd, seed: int, clock_s: Callable[[], float]) -> None:
        """Nothing is asked for yet.

        Args:
            end: to the server.
            seed: of what is random in this run.
            clock_s: the wall's clock.
        """
        self.seed = seed
        self.random = random.Random(f"page {seed}")
        self.memory: dict[str, Any] = {}
        self._end, self._clock_s = end, clock_s
        self._client: Stimulator | None = None
        self._queue: deque[dict[str, Any]] = deque()
        self._held_s: float | None = None

    # What views and actions use.

    @property
    @abstractmethod
    def now_ns(self) -> int:
        """See table.Stand."""

    def lacks(self, need: Need) -> str:
        """See table.Stand. By default a bench has all there is."""
        return ""

    @property
    def stimulator(self) -> Stimulator:
        """See table.Stand."""
        if self._client is None:
            client = Stimulator(self._consoles[0])
            client.require_role()
            self._client = client
        return self._client

    @property
    def told(self) -> Mapping[str, Any]:
        """See table.Stand."""
        return self._poll.told

    def ask_again(self) -> None:
        """See table.Stand."""
        self._poll.ask()

    @abstractmethod
    def edges(self, signal: str, from_ns: int, to_ns: int) -> tuple[bool, list[int]]:
        """See table.Stand."""

    def send_stop(self) -> None:
        """A request STOP over USB that waits for no answer, so nothing holds it up.

        A client that waits for another answer meanwhile passes over the one to this.
        """
        waited_for = {one.last_number for one in self._consoles}
        number = next(one for one in _STOP_NUMBERS if one not in waited_for)
        self._write(console_frame.encode(number, messages.request(requests.STOP)))

    @abstractmethod
    def _write(self, data: bytes) -> None:
        """Send bytes to the stimulator now."""

    # What is done.

    def serve(self) -> None:
        """Run until the server has gone."""
        while not self._end.closed:
            self.step()

    @abstractmethod
    def step(self) -> None:
        """Do what is due, and let some time pass."""

    def _listen(self) -> None:
        for kind, body in self._end.messages():
            if kind is Kind.STOP:
                self._stop(body["why"])
            elif kind is Kind.DO:
                self._queue.append(body)
            elif kind is Kind.PACE:
                self._set_pace(body)
            elif kind is Kind.HELD:
                self._held_s = self._clock_s()

    def _stop_if_alone(self) -> None:
        """Stop if the page that held the controls was not heard for too long."""
        if self._held_s is not None and self._clock_s() - self._held_s > _HELD_S:
            self._held_s = None
            self._stop("the page that held the controls has gone")

    def _set_pace(self, body: dict[str, Any]) -> None:
        """Let time pass otherwise."""

    def _stop(self, why: str) -> None:
        """STOP, ahead of what waits: what was asked for and not begun is dropped."""
        for dropped in self._queue:
            self._answer(dropped["id"], error="A STOP came first: it was not done.")
        self._queue.clear()
        self._act_at_once("stop", {"why": why})

    def _begin_asked(self) -> None:
        """Before something new is done."""

    def _do_queue(self, instant_only: bool = False) -> None:
        waiting: deque[dict[str, Any]] = deque()
        while self._queue:
            asked = self._queue.popleft()
            if instant_only and self._takes_time(asked["name"]):
                waiting.append(asked)
                continue
            self._do_asked(asked)
        self._queue = waiting

    @staticmethod
    def _takes_time(name: str) -> bool:
        try:
            return actions.by_name(name).takes_time
        except ActionError:
            return False

    def _do_asked(self, asked: dict[str, Any]) -> None:
        self._begin_asked()
        try:
            result = self._act(asked["name"], asked["arguments"])
            json.dumps(result, allow_nan=False)
        except _REFUSED as error:
            self._answer(asked["id"], error=_sentence(error), field=getattr(error, "field", ""))
        except Exception as error:  # a defect of ours must not take the bench down with it
            told = f"The bench failed to do it ({type(error).__name__}: {error})."
            self._answer(asked["id"], error=told)
        else:
            self._answer(asked["id"], result=result)

    def _act_at_once(self, name: str, arguments: dict[str, Any]) -> None:
        """An action that nobody waits for; one that was refused then is refused again."""
        try:
            self._act(name, arguments)
        except _REFUSED:
            return

    def _act(self, name: str, arguments: Mapping[str, Any]) -> Any:
        action = actions.by_name(name)
        parsed = action.parse(arguments)
        if action.needs is not None and (why := self.lacks(action.needs)):
            raise ActionError(why)
        if not action.enters_run:
            return action.do(self, parsed)
        if action.takes_time:
            self._note(action, arguments)  # refused or not, the request was made
            return action.do(self, parsed)
        begun_ns = self.now_ns
        result = action.do(self, parsed)
        self._note(action, arguments, begun_ns)
        return result

    def _note(self, action: WebAction, arguments: Mapping[str, Any], time_ns: int | None = None) -> None:
        self._end.send(
            Kind.ACTED, [self.now_ns if time_ns is None else time_ns, action.name, dict(arguments)]
        )

    def _answer(self, number: int, **told: Any) -> None:
        self._end.send(Kind.DONE, {"id": number} | told)

    # What is told.

    def _tell_state(self) -> None:
        views = {view.name: self._state_of(view) for view in VIEWS}
        state = {"stimulator": dict(self._poll.told), "views": views}
        self._end.send(Kind.STATE, {"t_ns": self.now_ns} | self._own_state() | state)

    @abstractmethod
    def _own_state(self) -> dict[str, Any]:
        """`pace`, `repeating` and what else is the stand's own."""

    def _state_of(self, view: View) -> dict[str, Any]:
        """What a view shows; a defect of one takes neither the others nor the bench with it."""
        if view.needs is not None and self.lacks(view.needs):
            return {}
        try:
            state = view.state(self)
            json.dumps(state, allow_nan=False)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}
        return state


def _sentence(error: Exception) -> str:
    text = str(error)
    return text if text.endswith((".", ":")) else f"{text}."
