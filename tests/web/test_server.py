"""The WebSocket of a page: what is malformed closes it and is counted; a slow page gets the newest."""

import contextlib

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from stimbench.errors import BenchError
from stimbench.web.page import Page, TooSlowError
from stimbench.web.record import Record
from stimbench.web.security import COOKIE, Door
from stimbench.web.server import application
from stimbench.web.wire import LONGEST_MESSAGE, Seen, Told, Watch
from support.saved_runs import about_of, noisy_record, saved_of

HOST = "127.0.0.1:8137"


class HubOfNothing:
    """In the place of web.hub.Hub."""

    def __init__(self):
        self.malformed, self.heard, self.gone, self.record = 0, [], 0, Record()

    async def open(self):
        pass

    async def close(self):
        pass

    def came(self):
        return Page(1)

    def went(self, page):
        self.gone += 1

    async def on_page(self, page, message):
        self.heard.append(message)
        page.tell(Told.DONE, {"id": len(self.heard)})


@pytest.fixture
def hub():
    return HubOfNothing()


@pytest.fixture
def connect(hub):
    door = Door([HOST])
    headers = {"origin": f"http://{HOST}", "host": HOST, "cookie": f"{COOKIE}={door.cookie}"}
    with TestClient(application(door, lambda: hub), base_url=f"http://{HOST}") as client:
        yield lambda: client.websocket_connect("/ws", headers=headers)


def test_messages_reach_the_hub(hub, connect):
    with connect() as socket:
        socket.send_text('{"kind":"stop"}')
        assert socket.receive_json() == {"kind": "done", "id": 1}
    assert [one.kind for one in hub.heard] == ["stop"]
    assert (hub.malformed, hub.gone) == (0, 1)


@pytest.mark.parametrize(
    ("send", "code"),
    [
        (lambda socket: socket.send_text("{"), 1007),
        (lambda socket: socket.send_text('{"kind":"stop","why":1}'), 1007),
        (lambda socket: socket.send_bytes(b"\x00\x01"), 1008),
        (lambda socket: socket.send_text(" " * (LONGEST_MESSAGE + 1)), 1008),
    ],
    ids=["no JSON", "another field", "binary", "too long"],
)
def test_what_is_malformed_closes_the_connection_and_is_counted(hub, connect, send, code):
    with connect() as socket:
        send(socket)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == code
    assert (hub.malformed, hub.gone, hub.heard) == (1, 1, [])
    with connect() as socket:  # the others, and the next ones, go on
        socket.send_text('{"kind":"alive"}')
        assert socket.receive_json()["id"] == 1
        with contextlib.suppress(WebSocketDisconnect):
            socket.close()


def grown(record, end_ns):
    record.add({}, end_ns)
    return record


def test_a_slow_page_gets_the_newest_and_no_queue():
    page, record = Page(1), Record()
    page.watch(Watch(kind="watch", view=3, mode="roll", width=100))
    sent = [page.frames(grown(record, end_ns)) for end_ns in range(1, 100)]
    assert [len(one) for one in sent] == [1] * 4 + [0] * 95
    page.seen(Seen(kind="seen", view=3, sequence=0))
    (frame,) = page.frames(grown(record, 12_345))
    assert (12_345).to_bytes(8, "little") not in frame  # times are floats
    assert page.frames(record) == []


def test_a_window_that_looks_alike_is_not_sent_again():
    page, record = Page(1), grown(Record(), 1000)
    page.watch(Watch(kind="watch", view=0, mode="span", width=100, from_ns=0.0, to_ns=500.0))
    assert len(page.frames(record)) == 1
    assert page.frames(grown(record, 2000)) == []


def test_a_page_that_takes_no_answers_has_an_end():
    page = Page(1)
    for number in range(512):
        page.tell(Told.DONE, {"id": number})
        page.tell(Told.STATE, {"t_ns": number}, latest_only=True)
    with pytest.raises(TooSlowError):
        page.tell(Told.DONE, {"id": 512})
    assert len(page.texts()) == 513
    page.tell(Told.DONE, {"id": 513})  # once they were taken there is room again


def test_states_replace_each_other_and_answers_do_not():
    page = Page(1)
    for number in range(5):
        page.tell(Told.STATE, {"t_ns": number}, latest_only=True)
        page.tell(Told.DONE, {"id": number})
    texts = page.texts()
    assert len(texts) == 6
    assert texts[-1] == '{"kind": "state", "t_ns": 4}'
    assert page.texts() == []


@pytest.fixture
def ask(hub):
    door = Door([HOST])
    with TestClient(application(door, lambda: hub), base_url=f"http://{HOST}") as client:
        yield lambda cookie=door.cookie: client.get("/run.html", headers={"cookie": f"{COOKIE}={cookie}"})


def test_the_run_is_a_file_to_whoever_was_let_in(hub, ask):
    hub.saved = lambda: saved_of(noisy_record(1, points=500, pulses=20))
    answer = ask()
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="stimbench-run-1-40s.html"'
    assert about_of(answer.content)["end_ns"] == 40_000_000_000
    assert ask(cookie="x" * 40).status_code == 403


def test_a_run_that_cannot_be_made_a_file_is_one_sentence(hub, ask, monkeypatch):
    def broken(_):
        raise BenchError("The page cannot be made: no parts.")

    hub.saved = lambda: saved_of(Record())
    monkeypatch.setattr("stimbench.web.server.saved_page", broken)
    answer = ask()
    assert (answer.status_code, answer.text) == (500, "The page cannot be made: no parts.")
