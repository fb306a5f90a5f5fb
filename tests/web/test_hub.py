"""The hub between a bench's process that is played here, and pages: who is told what, and what is refused."""

import asyncio
import json
import socket
from types import SimpleNamespace

import pytest
from stimbench.web import hub as module
from stimbench.web import recorded
from stimbench.web.bench_link import BenchLink
from stimbench.web.channel import HEAD, Kind, encoded
from stimbench.web.hub import Hub
from stimbench.web.run_file import Run, from_link, to_link
from stimbench.web.wire import parse
from support.saved_runs import states_of


class PlayedBench:
    """In the place of bench_link.StartedBench: its socket's other end."""

    is_wired = False

    def __init__(self, run):
        self.run = run
        self.socket, self.theirs = socket.socketpair()
        self.theirs.settimeout(10)

    def end(self):
        self.socket.close()

    def says(self, kind, body):
        self.theirs.sendall(encoded(kind, body))

    def hears(self, *kinds):
        """The next message of one of these kinds."""
        while True:
            length, kind = HEAD.unpack(self._exactly(HEAD.size))
            body = self._exactly(length)
            if Kind(kind) in kinds:
                return Kind(kind), json.loads(body) if body else None

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            data += self.theirs.recv(count - len(data))
        return data


@pytest.fixture
def play(monkeypatch):
    """Runs a scene: `scene(stage)`, where `stage` has the hub, the bench, and what is needed to speak."""

    def run(scene, first=None):
        benches, died = [], []

        def start(run):
            benches.append(PlayedBench(run))
            return benches[-1]

        monkeypatch.setattr(module, "start_bench", start)

        async def played():
            wanted = first or Run()
            hub = Hub(start(wanted), wanted, lambda: "http://invited", on_stillborn=died.append)
            await hub.open()
            stage = SimpleNamespace(hub=hub, benches=benches, died=died)
            stage.page = lambda: hub.came()
            stage.says = lambda page, **message: hub.on_page(page, parse(json.dumps(message)))
            stage.hears = lambda *kinds: asyncio.to_thread(benches[-1].hears, *kinds)
            try:
                await scene(stage)
            finally:
                await hub.close()

        asyncio.run(played())

    return run


async def told(page, kind):
    """The next text of a kind that the page is sent."""
    while True:
        for text in page.texts():
            message = json.loads(text)
            if message["kind"] == kind:
                return message
        page.wake.clear()
        await asyncio.wait_for(page.wake.wait(), 10)


STATE = {"t_ns": 5, "repeating": None, "views": {}}


def test_only_the_holder_acts_and_anybody_stops(play):
    async def scene(stage):
        one, other = stage.page(), stage.page()
        await stage.says(one, kind="hello", key="key-of-one")
        await stage.says(other, kind="hello", key="key-of-other")
        await stage.says(other, kind="do", id=1, name="start")
        answer = await told(other, "done")
        assert answer["error"] == "You look on: viewer 1 holds the controls. Ask for them."
        await stage.says(other, kind="pace", paused=True)
        await stage.says(other, kind="stop")
        await stage.says(one, kind="do", id=7, name="start")
        assert await stage.hears(Kind.STOP, Kind.DO, Kind.PACE) == (Kind.STOP, {"why": "viewer 2"})
        _, asked = await stage.hears(Kind.STOP, Kind.DO, Kind.PACE)
        assert asked["name"] == "start"
        stage.benches[0].says(Kind.DONE, {"id": asked["id"], "result": {"told": "begun"}})
        assert (await told(one, "done"))["result"] == {"told": "begun"}

    play(scene)


def test_the_bench_is_told_that_somebody_is_there_while_somebody_is(play, monkeypatch):
    monkeypatch.setattr(module, "_HELD_S", 0.01)

    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        await stage.hears(Kind.HELD)
        stage.hub.went(page)
        await stage.says(stage.page(), kind="stop")  # nothing of the page that went comes after it
        await stage.hears(Kind.STOP)
        stage.benches[0].theirs.settimeout(0.2)
        with pytest.raises(TimeoutError):
            await stage.hears(Kind.HELD)

    play(scene)


def test_a_silent_page_does_not_hold_the_controls(play, monkeypatch):
    monkeypatch.setattr(module, "_HELD_S", 0.01)
    monkeypatch.setattr(module, "_SILENT_S", -1.0)

    async def scene(stage):
        await stage.says(stage.page(), kind="hello", key="key-of-one")
        stage.benches[0].theirs.settimeout(0.2)
        with pytest.raises(TimeoutError):
            await stage.hears(Kind.HELD)

    play(scene)


def test_a_page_is_there_as_long_as_it_says_so(play, monkeypatch):
    monkeypatch.setattr(module, "_HELD_S", 0.01)

    async def scene(stage):
        now = [0.0]
        stage.hub._clock_s = lambda: now[0]
        page, other = stage.page(), stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        await stage.says(other, kind="hello", key="key-of-other")
        await stage.hears(Kind.HELD)
        for kind in ("alive", "stop", "unwatch"):
            now[0] += 100.0
            await stage.says(page, kind=kind, **({"view": 1} if kind == "unwatch" else {}))
            await stage.says(other, kind="stop")  # what came before it does not count
            while await stage.hears(Kind.STOP) != (Kind.STOP, {"why": "viewer 2"}):
                pass
            await stage.hears(Kind.HELD)

    play(scene)


@pytest.mark.parametrize(
    "verb", [{"verb": "mark"}, {"verb": "rewind", "mark": 1}, {"verb": "what-if", "action": 0},
             {"verb": "new", "seed": 2}, {"verb": "invite"}, {"verb": "open", "link": to_link(Run())}],
    ids=lambda verb: verb["verb"],
)  # fmt: skip
def test_who_looks_on_cannot_change_the_run(play, verb):
    async def scene(stage):
        one, other = stage.page(), stage.page()
        await stage.says(one, kind="hello", key="key-of-one")
        await stage.says(other, kind="hello", key="key-of-other")
        stage.benches[0].says(Kind.ACTED, [10, "start", {}])
        await until(lambda: len(stage.hub.run.actions) == 1)
        await stage.says(one, kind="run", id=1, verb="mark")
        await stage.says(other, kind="run", id=2, **verb)
        (answer,) = done_of(other)
        assert answer["error"] == "You look on: viewer 1 holds the controls. Ask for them."
        assert len(stage.benches) == 1
        await stage.says(other, kind="run", id=3, verb="link")
        assert "result" in done_of(other)[-1]

    play(scene)


def test_rewinding_begins_a_bench_with_the_actions_until_the_mark(play):
    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        bench = stage.benches[0]
        bench.says(Kind.STATE, STATE)
        bench.says(Kind.ACTED, [10, "start", {}])
        await until(lambda: len(stage.hub.run.actions) == 1)
        await stage.says(page, kind="run", id=1, verb="mark")
        assert (await told(page, "done"))["result"] == {"t_ns": 10, "number": 1}
        bench.says(Kind.ACTED, [20, "break", {"part": "left.0", "fault": "open"}])
        bench.says(Kind.ACTED, [30, "stop", {"why": ""}])
        await until(lambda: len(stage.hub.run.actions) == 3)
        before = stage.hub.run
        await stage.says(page, kind="run", id=2, verb="rewind", mark=2)
        assert (await told(page, "done"))["error"] == "There is no mark 2."
        await stage.says(page, kind="run", id=3, verb="rewind", mark=1)
        assert stage.benches[1].run == Run(actions=[(10, "start", {})], until_ns=10)
        await stage.says(page, kind="run", id=4, verb="open", link=to_link(before))
        assert stage.benches[2].run == before
        assert stage.hub.run == before  # while it is repeated, it is the whole of it
        stage.benches[2].says(Kind.STATE, STATE)
        for acted in before.actions:
            stage.benches[2].says(Kind.ACTED, list(acted))
        await until(lambda: len(stage.hub.run.actions) == 3)
        await stage.says(page, kind="run", id=5, verb="what-if", action=1, keep_later=True)
        wanted = [(10, "start", {}), (30, "stop", {"why": ""})]
        assert stage.benches[3].run == Run(actions=wanted, until_ns=19)
        await stage.says(page, kind="run", id=6, verb="what-if", action=9)
        assert "There is no action 9." in [one.get("error") for one in done_of(page)]
        await stage.says(page, kind="run", id=7, verb="link")
        # What is still to come has not been lived yet.
        assert from_link(done_of(page)[-1]["result"]["link"]) == Run(actions=wanted[:1], until_ns=19)

    play(scene)


def done_of(page):
    return [one for one in map(json.loads, page.texts()) if one["kind"] == "done"]


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it does not come true")


def test_a_bench_that_dies_is_told_and_the_run_can_be_repeated(play):
    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        stage.benches[0].says(Kind.STATE, STATE)
        stage.benches[0].says(Kind.ACTED, [10, "start", {}])
        await until(lambda: len(stage.hub.run.actions) == 1)
        stage.benches[0].theirs.close()
        assert (await told(page, "gone"))["error"] == "The bench's process has ended."
        assert stage.died == []
        await stage.says(page, kind="do", id=1, name="start")
        assert (await told(page, "done"))["error"] == "The bench's process has ended."
        await stage.says(page, kind="run", id=2, verb="what-if", action=0)
        assert stage.benches[1].run == Run(until_ns=9)

    play(scene)


def test_a_bench_that_never_came_up_ends_the_server(play):
    async def scene(stage):
        stage.benches[0].says(Kind.FAILED, {"error": "no firmware"})
        await until(lambda: stage.died)
        assert stage.died == ["no firmware"]

    play(scene)


def test_answers_for_a_page_that_has_gone_go_nowhere(play):
    async def scene(stage):
        one = stage.page()
        await stage.says(one, kind="hello", key="key-of-one")
        await stage.says(one, kind="do", id=7, name="start")
        _, asked = await stage.hears(Kind.DO)
        stage.hub.went(one)
        stage.benches[0].says(Kind.DONE, {"id": asked["id"], "result": {}})
        stage.benches[0].says(Kind.STATE, STATE)
        other = stage.page()
        await stage.says(other, kind="hello", key="key-of-other")
        assert (await told(other, "state"))["t_ns"] == 5
        assert done_of(other) == []

    play(scene)


def test_a_defect_of_what_is_made_of_the_record_takes_nothing_else_with_it(play, monkeypatch):
    def broken(record, state):
        raise ZeroDivisionError("none")

    monkeypatch.setitem(recorded._MADE, "leads", broken)

    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        stage.benches[0].says(Kind.STATE, STATE | {"views": {"leads": {"a": 1}}})
        assert (await told(page, "state"))["views"] == {"leads": {"a": 1, "error": "ZeroDivisionError: none"}}
        stage.benches[0].says(Kind.STATE, STATE | {"t_ns": 6})
        assert (await told(page, "state"))["t_ns"] == 6

    play(scene)


def test_what_is_saved_is_the_present_run_as_pages_were_told_it(play):
    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        bench = stage.benches[0]
        bench.says(Kind.TABLE, {"views": ["run"], "actions": {}, "about": {}})
        bench.says(Kind.STATE, STATE)
        bench.says(Kind.ACTED, [10, "start", {}])
        await until(lambda: len(stage.hub.run.actions) == 1)
        await stage.says(page, kind="run", id=1, verb="mark")
        bench.says(Kind.STATE, STATE | {"t_ns": 20, "views": {"run": {"a": 1}}})
        await until(lambda: len(states_of(stage.hub.saved().states)) == 2)
        saved = stage.hub.saved()
        assert saved.table["views"] == ["run"]
        assert [t_ns for t_ns, _ in states_of(saved.states)] == [5, 20]
        assert saved.about["actions"] == [[10, "start", {}]]
        assert saved.about["marks"] == [{"t_ns": 10, "number": 1}]
        assert from_link(saved.about["link"]).actions == [(10, "start", {})]
        await stage.says(page, kind="run", id=2, verb="new", seed=9)
        saved = stage.hub.saved()
        assert (saved.about["config"]["seed"], saved.about["actions"], saved.states) == (9, [], [])


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "run", "id": 7, "verb": "mark"},
        {"kind": "run", "id": 7, "verb": "rewind", "mark": 1},
        {"kind": "run", "id": 7, "verb": "what-if"},
        {"kind": "run", "id": 7, "verb": "link"},
        {"kind": "run", "id": 7, "verb": "new"},
        {"kind": "pace", "paused": True},
        {"kind": "pace", "speed": 2.0},
        {"kind": "pace", "step": "pulse"},
    ],
)
def test_a_wired_run_is_neither_repeated_nor_slowed_down(play, monkeypatch, message):
    monkeypatch.setattr(PlayedBench, "is_wired", True)

    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="a" * 16)
        await stage.says(page, **message)
        done = await told(page, "done")
        assert "cannot be repeated" in done["error"] or "wall's clock" in done["error"]
        await stage.says(page, kind="run", id=8, verb="actions")
        assert (await told(page, "done"))["result"] == {"actions": []}
        assert len(stage.benches) == 1

    play(scene)


def test_another_run_is_shown_though_it_looks_like_the_one_before(play):
    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        await stage.says(page, kind="watch", view=0, mode="all", width=100)
        assert len(page.frames(stage.hub.record)) == 1
        await stage.says(page, kind="seen", view=0, sequence=0)
        assert page.frames(stage.hub.record) == []
        await stage.says(page, kind="run", id=1, verb="new", seed=2)
        assert len(page.frames(stage.hub.record)) == 1

    play(scene)


def test_what_was_asked_of_an_earlier_run_is_answered_once(play):
    async def scene(stage):
        page = stage.page()
        await stage.says(page, kind="hello", key="key-of-one")
        await stage.says(page, kind="do", id=7, name="start")
        _, asked = await stage.hears(Kind.DO)
        await stage.says(page, kind="run", id=8, verb="new", seed=2)
        stage.benches[1].says(Kind.DONE, {"id": asked["id"], "result": {}})
        stage.benches[1].says(Kind.STATE, STATE)
        await until(lambda: stage.hub._state)
        answers = [one for one in done_of(page) if one["id"] == 7]
        assert answers == [{"kind": "done", "id": 7, "error": "Another run was begun."}]

    play(scene)


def test_a_stop_is_never_dropped_however_much_waits():
    written = []
    link = BenchLink(SimpleNamespace(socket=None), lambda kind, body: None)
    link._writer = SimpleNamespace(
        write=written.append,
        is_closing=lambda: False,
        transport=SimpleNamespace(get_write_buffer_size=lambda: 1 << 30),
    )
    link.tell(Kind.DO, {"id": 1})
    assert written == []
    link.tell(Kind.STOP, {"why": "a person"})
    assert written == [encoded(Kind.STOP, {"why": "a person"})]
