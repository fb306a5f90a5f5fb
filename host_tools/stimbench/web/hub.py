"""Between the bench's process and the pages: the record, who holds the controls, and the run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from stimbench.bench.actions import ActionError
from stimbench.capture.capture import Capture
from stimbench.errors import InputError
from stimbench.web import captured, news, recorded
from stimbench.web.bench_link import BenchLink, StartedBench, start_bench
from stimbench.web.channel import Kind
from stimbench.web.control import Controls
from stimbench.web.history import History
from stimbench.web.needs import ON_A_WIRED_BENCH, Need
from stimbench.web.other_run import other_run
from stimbench.web.page import Page, TooSlowError
from stimbench.web.record import Record
from stimbench.web.run_file import MOST_ACTIONS, Acted, Run, to_link
from stimbench.web.saved_run import SavedRun, firmware_images
from stimbench.web.saving import captured_in, of_captures
from stimbench.web.wire import (
    Alive,
    Control,
    Do,
    FromPage,
    Hello,
    Pace,
    RunVerb,
    Seen,
    Stop,
    Told,
    Unwatch,
    Watch,
)

__all__ = ("Hub",)

_HELD_S = 0.5
_KEEP_BEATS = 4
"""From one writing of the run to the next, if nothing was done."""
_SILENT_S = 3.0
"""A page that says nothing for so long does not hold the controls, connected or not."""
_SHOWN_ACTIONS = 50
_ANSWER_S = 10.0
_MOST_MARKS = 200
_FULL = "The record has no room for more currents and voltages: from now on it keeps the pulses only."


class Hub:
    """One bench and its pages. All of it runs in one asyncio loop, and nothing here waits for a page.

    Attributes:
        record: of the present run.
        history: what its pages were told, over time.
        malformed: messages that no page of ours sends; each closed its connection.
    """

    def __init__(
        self,
        started: StartedBench,
        run: Run,
        invite: Callable[[], str],
        keep: Callable[[Run], None] = lambda _: None,
        on_stillborn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Serve a bench.

        Args:
            started: its process.
            run: what it was started with.
            invite: makes a link that lets a browser in.
            keep: writes the run to a disk, now and then.
            on_stillborn: told why the first bench never came up.
        """
        self.record, self.history = Record(), History()
        self.malformed = 0
        self._invite, self._keep, self._on_stillborn = invite, keep, on_stillborn
        self._link, self._firmware = BenchLink(started, self._on_bench), firmware_images()
        self._is_wired = started.is_wired
        self._config, self._repeated = run.config, run
        self._actions: list[Acted] = []
        self._marks: list[dict[str, Any]] = []
        self._pages: dict[int, Page] = {}
        self._count = self._asked = 0
        self._waiting: dict[int, tuple[int, int]] = {}
        self._own: dict[int, asyncio.Future[Any]] = {}
        self._state: dict[str, Any] = {}
        self._table: dict[str, Any] = {}
        self._controls = Controls()
        self._failed = ""
        self._kept, self._ever_ran = -1, False
        self._beat: asyncio.Task[None] | None = None
        self._clock_s = asyncio.get_running_loop().time

    async def open(self) -> None:
        """Begin."""
        await self._link.open()
        self._beat = asyncio.create_task(self._hold())

    async def close(self) -> None:
        """End the bench."""
        if self._beat is not None:
            self._beat.cancel()
        self._keep_now(anyway=True)
        await self._link.close()

    @property
    def run(self) -> Run:
        """The present run, as far as it has been lived; while it is repeated, as far as it will be then."""
        if self._repeating:
            until_ns = self._repeated.until_ns
            lived = [one for one in self._repeated.actions if one[0] <= until_ns]
            return self._repeated.model_copy(update={"actions": lived})
        return Run(config=self._config, actions=self._actions[:MOST_ACTIONS], until_ns=self._now_ns)

    @property
    def _now_ns(self) -> int:
        return max(self.record.end_ns, self._actions[-1][0] if self._actions else 0)

    @property
    def _repeating(self) -> bool:
        return self._repeated.until_ns > 0 and (not self._state or self._state["repeating"] is not None)

    # Pages come and go.

    def came(self) -> Page:
        """A page has connected."""
        self._count += 1
        page = self._pages[self._count] = Page(self._count)
        page.alive_s = self._clock_s()
        return page

    def went(self, page: Page) -> None:
        """A page has gone. If it held the controls and does not come back, the bench stops by itself."""
        self._pages.pop(page.number, None)
        self._controls.went(page.number, self._clock_s())
        self._waiting = {key: one for key, one in self._waiting.items() if one[0] != page.number}
        self._tell_controls()

    async def _hold(self) -> None:
        """Tell the bench that somebody is there. It stops by itself if it is not told for some seconds."""
        beat = 0
        while True:
            holder = self._pages.get(self._controls.holder or 0)
            if holder is not None and self._clock_s() - holder.alive_s < _SILENT_S:
                self._link.tell(Kind.HELD)
            self._keep_now(beat % _KEEP_BEATS == 0)
            beat += 1
            await asyncio.sleep(_HELD_S)

    def _keep_now(self, anyway: bool) -> None:
        """Keep the run, if an action has been done since, or anyway."""
        count = len(self._actions)
        if self._is_wired:
            return  # nobody can repeat it
        if not self._failed and (anyway or count != self._kept):
            self._kept = count
            self._keep(self.run)

    # What pages say.

    async def on_page(self, page: Page, message: FromPage) -> None:
        """A page's message."""
        page.alive_s = self._clock_s()
        if isinstance(message, Stop):
            self._link.tell(Kind.STOP, {"why": f"viewer {page.number}"})
        elif isinstance(message, Watch):
            page.watch(message)
        elif isinstance(message, Unwatch):
            page.unwatch(message.view)
        elif isinstance(message, Seen):
            page.seen(message)
        elif isinstance(message, Hello):
            self._greet(page, message)
        elif isinstance(message, Control):
            self._control(page, message)
        elif not isinstance(message, Alive):
            await self._controlled(page, message)

    def _greet(self, page: Page, hello: Hello) -> None:
        self._controls.came(page.number, hello.key, self._clock_s())
        page.tell(Told.WELCOME, {"you": page.number})
        if self._table:
            page.tell(Told.TABLE, self._table)
        if self._failed:
            page.tell(Told.GONE, {"error": self._failed})
        if self._state:
            page.tell(Told.STATE, self._state, latest_only=True)
        self._tell_run()
        self._tell_controls()

    def _control(self, page: Page, message: Control) -> None:
        try:
            if message.verb == "ask":
                self._controls.ask(page.number)
            elif message.verb == "take":
                self._controls.take(page.number, self._clock_s())
            elif message.verb == "give":
                self._controls.give(page.number, message.page)
            else:
                self._controls.refuse(page.number, message.page)
        except ActionError as error:
            page.tell(Told.CONTROL, self._controls_now() | {"error": str(error)})
            return
        self._tell_controls()

    async def _controlled(self, page: Page, message: Do | Pace | RunVerb) -> None:
        """What only the holder of the controls may do."""
        try:
            if not (isinstance(message, RunVerb) and message.verb in ("link", "actions")):
                self._controls.require(page.number)
            if isinstance(message, Pace):
                self._require_emulated(Need.PACE)
                self._link.tell(Kind.PACE, message.model_dump(exclude={"kind"}))
            elif isinstance(message, Do):
                self._do(page, message)
            else:
                page.tell(Told.DONE, {"id": message.id, "result": await self._on_run(message)})
        except (ActionError, InputError) as error:
            number = getattr(message, "id", None)
            page.tell(Told.DONE, {"id": number, "error": str(error)})

    def _require_emulated(self, need: Need) -> None:
        if self._is_wired:
            raise ActionError(ON_A_WIRED_BENCH[need])

    def _do(self, page: Page, message: Do) -> None:
        if self._failed:
            raise ActionError(self._failed)
        if len(self._actions) >= MOST_ACTIONS:
            raise ActionError(f"A run has at most {MOST_ACTIONS} actions: begin another one.")
        self._asked += 1
        self._waiting[self._asked] = (page.number, message.id)
        asked = {"id": self._asked, "name": message.name, "arguments": message.arguments}
        self._link.tell(Kind.DO, asked)

    async def _on_run(self, message: RunVerb) -> dict[str, Any]:
        """See wire.RunVerb."""
        run = self.run
        if message.verb == "actions":
            return {"actions": run.actions}
        if message.verb == "invite":
            return {"url": self._invite()}
        self._require_emulated(Need.REPEATING)
        if message.verb == "link":
            return {"link": to_link(run)}
        if message.verb == "mark":
            return self._mark()
        await self._begin(other_run(message, run, self._marks))
        return {"told": "The run is repeated."}

    def _mark(self) -> dict[str, Any]:
        if len(self._marks) >= _MOST_MARKS:
            raise ActionError(f"A run has at most {_MOST_MARKS} marks.")
        mark = {"t_ns": self._now_ns, "number": len(self._marks) + 1}
        self._marks.append(mark)
        self._tell_run()
        return mark

    async def _begin(self, run: Run) -> None:
        """Begin another run: a new bench, that repeats it."""
        self._marks = [one for one in self._marks if one["t_ns"] <= run.until_ns]
        for page_number, number in self._waiting.values():
            page = self._pages.get(page_number)
            if page is not None:
                page.tell(Told.DONE, {"id": number, "error": "Another run was begun."})
        self._waiting.clear()
        await self._link.close()
        self.record, self.history, self._state, self._failed = Record(), History(), {}, ""
        self._config, self._repeated, self._actions = run.config, run, []
        self._link, self._firmware = BenchLink(start_bench(run), self._on_bench), firmware_images()
        await self._link.open()
        for page in self._pages.values():
            page.forget_shown()
        self._tell_run()

    # What the bench says.

    def _on_bench(self, kind: Kind, body: bytes) -> None:
        if kind is Kind.RECORD:
            self.record.add(*news.unpacked(body))
            for page in self._pages.values():
                page.wake.set()
            return
        if kind is Kind.CAPTURED:
            self._take_capture(body)
            return
        self._on_told(kind, json.loads(body))

    def _on_told(self, kind: Kind, told: Any) -> None:
        if kind is Kind.STATE:
            if not self._is_wired:
                recorded.complete(told, self.record)
            self._state, self._ever_ran = told, True
            if not self._is_wired:
                self.history.add(told)
            self._tell_all(Told.STATE, told)
        elif kind is Kind.DONE:
            self._done(told)
        elif kind is Kind.TABLE:
            self._table = told
            self._tell_all(Told.TABLE, told)
        elif kind is Kind.SAID:
            self._tell_all(Told.SAID, told)
        elif kind is Kind.ACTED:
            self._actions.append((told[0], told[1], told[2]))
            self._tell_run()
        elif kind is Kind.FAILED:
            self._failed = self._failed or told["error"]
            self._tell_all(Told.GONE, {"error": self._failed})
            if not self._ever_ran:
                self._on_stillborn(self._failed)

    def _take_capture(self, body: bytes) -> None:
        was_full = self.record.is_full
        self.record.add_captured(captured.unpacked(body))
        if self.record.is_full and not was_full:
            self._tell_all(Told.SAID, {"text": _FULL, "error": True})
        for page in self._pages.values():
            page.wake.set()

    async def capture(self, from_ns: int, to_ns: int) -> Capture:
        """A span of the record, with the edges of digital signals of the last minutes.

        Raises:
            InputError: there is nothing in it, there is a gap in it, or the bench does not answer.
        """
        if self._is_wired:
            return of_captures(self.record, from_ns, to_ns)
        self._asked += 1
        answer = self._own[self._asked] = asyncio.get_running_loop().create_future()
        number, span = self._asked, {"from_ns": from_ns, "to_ns": to_ns}
        self._link.tell(Kind.DO, {"id": number, "name": "edges", "arguments": span})
        try:
            signals = await asyncio.wait_for(answer, _ANSWER_S)
        except TimeoutError:
            raise InputError("The bench does not answer.") from None
        finally:
            self._own.pop(number, None)
        return captured_in(self.record, from_ns, to_ns, signals)

    def saved(self) -> SavedRun:
        """A copy of the present run, as far as it has been lived, to be put into a file.

        Raises:
            InputError: it is a wired one.
        """
        if self._is_wired:
            raise InputError(ON_A_WIRED_BENCH[Need.REPEATING])
        run = Run(config=self._config, actions=self._actions[:MOST_ACTIONS], until_ns=self._now_ns)
        states = self.history.packed()
        return SavedRun.of(run, self.record, states, self._table, self._firmware, self._marks)

    def _done(self, told: dict[str, Any]) -> None:
        own = self._own.get(told["id"])
        if own is not None:
            if not own.done():
                own.set_result(told.get("result") or {})
            return
        page_number, number = self._waiting.pop(told.pop("id"), (0, 0))
        page = self._pages.get(page_number)
        if page is not None:
            self._safely(page, Told.DONE, {"id": number} | told, False)

    def _tell_all(self, kind: Told, told: dict[str, Any]) -> None:
        for page in list(self._pages.values()):
            self._safely(page, kind, told, True)

    def _safely(self, page: Page, kind: Told, told: dict[str, Any], latest_only: bool) -> None:
        try:
            page.tell(kind, told, latest_only)
        except TooSlowError:  # its own connection ends; the bench and the others go on
            self.went(page)

    def _controls_now(self) -> dict[str, Any]:
        controls = self._controls
        return {"holder": controls.holder, "asking": controls.asking, "pages": sorted(controls.keys)}

    def _tell_controls(self) -> None:
        self._tell_all(Told.CONTROL, self._controls_now())

    def _tell_run(self) -> None:
        first = max(0, len(self._actions) - _SHOWN_ACTIONS)
        told = {"marks": self._marks, "count": len(self._actions), "first": first,
                "actions": self._actions[first:], "config": self._config.model_dump()}  # fmt: skip
        self._tell_all(Told.RUN, told)
