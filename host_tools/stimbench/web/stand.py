"""The bench's process: lets time pass at a pace, does what it is told, and tells what was recorded.

All that changes the bench happens between two slices of its time, at a time that is noted: so a run is its
configuration and its list of actions, and can be repeated to the edge. How time is cut into slices, when
somebody looks and how fast it goes makes no difference to it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from stimbench.analysis import LEAD_SIGNALS
from stimbench.bench import Bench, BenchConfig
from stimbench.bench.hands import Hands
from stimbench.bench.pace import Pace
from stimbench.client.console import Console
from stimbench.client.stimulator import Stimulator
from stimbench.web import actions, news
from stimbench.web.channel import MOST_UNSENT, BenchEnd, Kind
from stimbench.web.feed import Feed
from stimbench.web.passing import PassingLink
from stimbench.web.polling import POLL_NUMBERS_FROM, POLL_TIMEOUT_S, Poll
from stimbench.web.run_file import Run
from stimbench.web.standing import Standing
from stimbench.web.table import WebAction

__all__ = ("BenchStand",)

_SLICE_NS = 2_000_000
_FAST_SLICE_NS = 20_000_000
"""Of a bench that nothing holds back: a millisecond of the wall's clock, or some."""
_LEAST_SLICE_NS = 1_000
_UP_NS = 1_050_000_000
"""A bench that was switched on is not held back until its stimulator has said that it is ready."""
_STEP_SLICE_NS = 200_000
_STEPS_NS = {"slice": 1_000_000, "pulse": 60_000_000_000}
"""How far a step goes; to the next pulse, at most."""
_SLICE_S = 0.008
"""Of the wall's clock: no slice lasts longer if the bench is slowed down."""
_TELL_S = 0.012
"""From one message with what was recorded to the next."""
_FAST_TELL_S = 0.1
"""The same of a bench that nothing holds back: seconds of its time."""
_STATE_S = 0.1
_STOP_NS = 1_000_000_000
"""A bench that stands still runs for so long after a STOP at most, until the output is off."""


class BenchStand(Standing):
    """A bench, its hands, its client, and the passing of its time. See web.table.Stand."""

    def __init__(self, end: BenchEnd, run: Run, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Switch a bench on.

        Args:
            end: to the server.
            run: what is repeated first, as fast as it goes: its actions at their times, until its end.
            clock_s: the wall's clock.

        Raises:
            BenchError: the bench cannot be built.
        """
        config = run.config
        super().__init__(end, config.seed, clock_s)
        self.bench = Bench(BenchConfig(seed=config.seed, paired=config.paired, tolerance=config.tolerance))
        self.pace = Pace(lambda: self.bench.now_ns, 1.0, clock_s, end.wait)
        self.hands = Hands(self.bench, self.pace)
        self.script = deque(run.actions)
        self.until_ns = run.until_ns
        self._feed = Feed(self.bench)
        link = PassingLink(self.bench, "stimulator", self._pass)
        self._consoles = (Console(link), Console(link, POLL_NUMBERS_FROM, POLL_TIMEOUT_S))
        self._poll = Poll(Stimulator(self._consoles[1]))
        self._paused, self._steps_to_ns = False, 0
        self._hurried = True
        self._pulse_since_ns: int | None = None
        self._told_s = self._state_s = 0.0
        self._last_state: Any = None
        self._stop_until_ns = 0
        self._was_repeating = run.until_ns > 0

    # What views and actions use.

    @property
    def now_ns(self) -> int:
        """See table.Stand."""
        return self.bench.now_ns

    def edges(self, signal: str, from_ns: int, to_ns: int) -> tuple[bool, list[int]]:
        """See table.Stand. Of the newest minutes only: web.feed."""
        trace = self.bench.trace
        before = trace.edges("stimulator", signal, 0, from_ns)
        initial = before[-1][1] if before else trace.initial_level("stimulator", signal)
        return bool(initial), [at for at, _ in trace.edges("stimulator", signal, from_ns, to_ns)]

    # How time passes.

    def step(self) -> None:
        """Do what is due, then let a slice of time pass, or wait for the wall's clock."""
        self._listen()
        if self.bench.now_ns >= self._poll.due_ns:
            self._poll.ask()
            self._poll.plan(self.bench.now_ns)
        self._do_due()
        self._let_pass()

    @property
    def repeating(self) -> bool:
        """Whether a run is repeated that has not come to its end yet."""
        return self.bench.now_ns < self.until_ns

    def _let_pass(self) -> None:
        if self._queue:
            return
        if self._end.unsent > MOST_UNSENT:
            self._end.wait(None)
        elif self._stands_still:
            self._tell(at_once=True)
            self._end.wait(_STATE_S)
        elif self._is_ahead():
            self._tell()
        else:
            self._run_to(min(self.bench.now_ns + self._slice_ns(), self._poll.due_ns))

    @property
    def _stands_still(self) -> bool:
        now_ns = self.bench.now_ns
        if self.repeating or now_ns < self._stop_until_ns:
            return False
        if self._paused and self._pulse_since_ns is not None and self._pulse_is_over():
            self._steps_to_ns, self._pulse_since_ns = now_ns, None
        return self._paused and now_ns >= self._steps_to_ns

    def _pulse_is_over(self) -> bool:
        """Whether a recharge has begun since the step did."""
        edges = self.bench.trace.edges
        return any(
            level
            for _, _, recharge in LEAD_SIGNALS.values()
            for _, level in edges("stimulator", recharge, self._pulse_since_ns or 0)
        )

    def _is_ahead(self) -> bool:
        hurried_to_ns = max(self._steps_to_ns, self._stop_until_ns, _UP_NS)
        if self.repeating or self.bench.now_ns < hurried_to_ns:
            self._hurried = True
            return False
        if self._hurried:  # what it is ahead of the wall's clock is no reason to wait
            self._hurried = False
            self.pace.set(self.pace.factor)
        return self.pace.holds()

    @property
    def _unheld(self) -> bool:
        return self.pace.factor is None or self.repeating

    def _slice_ns(self) -> int:
        if self._steps_to_ns > self.bench.now_ns:
            return _STEP_SLICE_NS
        if self._unheld:
            return _FAST_SLICE_NS
        return max(_LEAST_SLICE_NS, min(_SLICE_NS, round((self.pace.factor or 0) * _SLICE_S * 1e9)))

    def _run_to(self, time_ns: int) -> None:
        """A slice, shorter if an action of the script falls into it."""
        if self.script and self.script[0][0] > self.bench.now_ns:
            time_ns = min(time_ns, self.script[0][0])
        if self.repeating:
            time_ns = min(time_ns, self.until_ns)
        self.bench.run_to(time_ns)
        self._tell()

    def _pass(self, time_ns: int) -> None:
        """Within a request to a board: one step of time until `time_ns`, paced; hands act before it."""
        while True:
            self._listen()
            self._do_due(instant_only=True)
            if self._end.closed or not self._is_ahead():
                break
        step_ns = min(time_ns, self.bench.now_ns + self._slice_ns())
        self._run_to(max(step_ns, self.bench.now_ns))

    # What is done.

    def _listen(self) -> None:
        super()._listen()
        if self._was_repeating and not self.repeating:
            # What the run had begun goes on only if somebody is there.
            self._was_repeating, self._held_s = False, self._clock_s()
        self._stop_if_alone()

    def _stop(self, why: str) -> None:
        """See Standing: repeating ends, too."""
        self._end_repeating()
        super()._stop(why)
        self._stop_until_ns = self.bench.now_ns + _STOP_NS if self._paused else 0

    def _write(self, data: bytes) -> None:
        self.bench.board("stimulator").console.write(data)

    def _end_repeating(self) -> None:
        """What is done now departs from the run that is repeated."""
        self.script.clear()
        self.until_ns = min(self.until_ns, self.bench.now_ns)

    def _do_due(self, instant_only: bool = False) -> None:
        while self.script and self.script[0][0] <= self.bench.now_ns:
            _, name, arguments = self.script[0]
            if instant_only and actions.by_name(name).takes_time:
                return  # in the run that is repeated it waited, too
            self.script.popleft()
            self._act_at_once(name, arguments)
        if not self.repeating:
            self._do_queue(instant_only)

    def _begin_asked(self) -> None:
        self._end_repeating()

    def _note(self, action: WebAction, arguments: Mapping[str, Any], time_ns: int | None = None) -> None:
        self._poll.acted(self.bench.now_ns)
        super()._note(action, arguments, time_ns)

    def _set_pace(self, body: dict[str, Any]) -> None:
        if body.get("speed") is not None:
            self.pace.set(body["speed"])
        if body.get("paused") is not None:
            self._paused = body["paused"]
            self._steps_to_ns, self._pulse_since_ns = 0, None
            self.pace.set(self.pace.factor)
        if body.get("step"):
            now_ns = self.bench.now_ns
            self._paused = True
            self._pulse_since_ns = now_ns if body["step"] == "pulse" else None
            self._steps_to_ns = now_ns + _STEPS_NS[body["step"]]

    # What is told.

    def _tell(self, at_once: bool = False) -> None:
        now_s = self._clock_s()
        if at_once or now_s - self._told_s >= (_FAST_TELL_S if self._unheld else _TELL_S):
            self._told_s = now_s
            self._end.send(Kind.RECORD, news.packed(*self._feed.news()))
        if now_s - self._state_s >= _STATE_S:
            self._state_s = now_s
            self._tell_state()

    def _own_state(self) -> dict[str, Any]:
        return {
            "pace": {"factor": self.pace.factor, "measured": self.pace.measured, "paused": self._paused},
            "repeating": self.until_ns if self.repeating else None,
        }
