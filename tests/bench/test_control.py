"""The socket of a running bench: who is answered, who is refused; the bench goes on. No firmware runs."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stimbench.bench.actions import ActionError
from stimbench.bench.control import LONGEST_MESSAGE, ControlServer
from stimbench.bench.control_client import RunningBench
from stimbench.bench.hands import Later
from stimbench.bench.running import BenchRecord
from stimbench.errors import PortError

TOKEN = "right"
S = 1_000_000_000


class FakeHands:
    """The table without a bench: notes what was asked."""

    def __init__(self):
        self.bench = self
        self.now_ns = 0
        self.asked = []

    def begin(self, name, arguments):
        self.asked.append((name, arguments))
        if name == "press":
            raise ActionError("press: not today.")
        if name == "speed":
            raise ZeroDivisionError("a defect")
        if name == "wait":
            return Later(self.now_ns + S, lambda: {"waited_to_ns": self.now_ns})
        return {"action": name, "told": "done"}


class Desk:
    """A server, and clients that speak to it in the same thread."""

    def __init__(self, folder):
        self.path = str(Path(folder) / "s")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen()
        listener.setblocking(False)
        self.listener = listener
        self.hands = FakeHands()
        self.server = ControlServer(listener, self.hands, TOKEN)

    def client(self):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.connect(self.path)
        one.setblocking(False)
        return one

    def polled(self, client, times=3):
        """What the server sent; None once it has hung up."""
        data = b""
        for _ in range(times):
            self.server.poll()
            try:
                found = client.recv(1 << 20)
            except BlockingIOError:
                continue
            except ConnectionError:
                found = b""
            if not found:
                return data or None
            data += found
        return data

    def ask(self, line, client=None):
        client = client or self.client()
        client.send(line)
        return json.loads(self.polled(client))

    def close(self):
        self.server.close()
        self.listener.close()


@pytest.fixture
def desk():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Desk(folder)
        yield made
        made.close()


def message(action="status", token=TOKEN, **arguments):
    return json.dumps({"token": token, "action": action, "arguments": arguments}).encode() + b"\n"


def test_an_action_is_done_and_its_result_told(desk):
    assert desk.ask(message("magnet", state="on")) == {
        "ok": True,
        "result": {"action": "magnet", "told": "done"},
    }
    assert desk.hands.asked == [("magnet", {"state": "on"})]


def test_several_messages_on_one_connection_are_answered_in_order(desk):
    client = desk.client()
    client.send(message("magnet") + message("mend")[:20])
    assert json.loads(desk.polled(client))["result"]["action"] == "magnet"
    client.send(message("mend")[20:] + message("jam"))
    assert [json.loads(line)["result"]["action"] for line in desk.polled(client).splitlines()] == [
        "mend",
        "jam",
    ]


def test_what_the_bench_refuses_is_a_sentence_and_the_connection_stays(desk):
    client = desk.client()
    assert desk.ask(message("press"), client) == {"ok": False, "error": "press: not today."}
    assert desk.ask(message("status"), client)["ok"]


def test_a_defect_of_an_action_does_not_end_the_bench(desk):
    told = desk.ask(message("speed"))
    assert told == {"ok": False, "error": "The bench failed to do it (ZeroDivisionError: a defect)."}
    assert desk.ask(message("status"))["ok"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (message(token="wrong"), "The token is wrong."),
        (message(token=""), "The token is wrong."),
        (message(token="r\u00e9ght"), "The token is wrong."),
        (b'{"action": "status"}\n', "no message to a bench"),
        (b'{"token": 1, "action": "status"}\n', "no message to a bench"),
        (b'{"token": "right", "action": "status", "more": 1}\n', "no message to a bench"),
        (b'{"token": "right", "action": "x", "arguments": {"a": []}}\n', "no message to a bench"),
        (b"GET / HTTP/1.1\r\n\r\n", "no message to a bench"),
        (b"\n", "no message to a bench"),
        (b"[" * 20000 + b"\n", "no message to a bench"),
        (b"\xff\xfe\n", "no message to a bench"),
        (b"x" * (LONGEST_MESSAGE + 1), "at most 65536 bytes"),
        (b"x" * (LONGEST_MESSAGE + 1) + b"\n", "at most 65536 bytes"),
    ],
)
def test_who_has_no_token_or_says_something_else_is_refused_and_dropped(desk, line, why):
    client = desk.client()
    answer = b""
    client.setblocking(True)
    sender = threading.Thread(target=client.sendall, args=(line,))
    sender.start()
    while b"\n" not in answer:
        client.setblocking(False)
        answer += desk.polled(client) or b""
    sender.join()
    told = json.loads(answer)
    assert told["ok"] is False and why in told["error"]
    assert desk.polled(client) is None, "and dropped"
    assert desk.hands.asked == []
    assert desk.ask(message())["ok"], "the bench goes on"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.binary(min_size=1, max_size=300))
def test_whatever_is_sent_the_bench_goes_on_and_does_nothing(desk, data):
    client = desk.client()
    client.send(data)
    for line in (desk.polled(client) or b"").splitlines():
        assert json.loads(line)["ok"] is False
    client.close()
    assert desk.hands.asked == []
    assert desk.ask(message())["ok"]
    desk.hands.asked.clear()


def test_waiting_is_answered_when_the_time_has_come_and_holds_nobody_else_up(desk):
    client = desk.client()
    client.send(message("wait") + message("status"))
    assert desk.polled(client) == b""
    desk.hands.now_ns = S - 1
    assert desk.polled(client) == b"" and desk.ask(message("magnet"))["ok"]
    desk.hands.now_ns = S
    first, second = desk.polled(client).splitlines()
    assert json.loads(first) == {"ok": True, "result": {"waited_to_ns": S}} and json.loads(second)["ok"]


def test_who_hangs_up_while_waiting_leaves_nothing_behind(desk):
    client = desk.client()
    client.send(message("wait"))
    desk.server.poll()
    client.close()
    desk.hands.now_ns = 2 * S
    for _ in range(3):
        desk.server.poll()
    assert desk.ask(message())["ok"]


def test_who_connects_and_stays_silent_is_dropped_when_there_are_too_many(desk):
    first = desk.client()
    desk.server.poll()
    others = [desk.client() for _ in range(20)]
    assert desk.polled(first) is None
    assert desk.ask(message())["ok"] and others


# The other end.


def served(desk, work):
    """What `work` gives, while the server is polled in this thread."""
    found = []

    def run():
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        desk.server.poll()
        desk.hands.now_ns += S // 10
    return found[0]


def running_bench(desk, token=TOKEN):
    return RunningBench(BenchRecord(name="b", pid=1, socket=desk.path, token=token, ports={}, links={}))


def test_the_client_does_actions_and_waits(desk):
    bench = running_bench(desk)
    assert served(desk, lambda: bench.do("magnet", state="on"))["told"] == "done"
    assert served(desk, lambda: bench.do("wait", seconds=1))["waited_to_ns"] >= S


def test_the_client_says_what_is_wrong(desk):
    refused = served(desk, lambda: running_bench(desk).do("press", button="START"))
    assert isinstance(refused, ActionError) and str(refused) == "press: not today."
    unknown = served(desk, lambda: running_bench(desk, "wrong").do("status"))
    assert isinstance(unknown, ActionError) and str(unknown) == "The token is wrong."
    with pytest.raises(ActionError, match="button is missing"):
        running_bench(desk).do("press")
    desk.close()
    with pytest.raises(PortError, match="The bench 'b' went away"):
        running_bench(desk).do("status")


def test_a_token_is_never_shown(desk):
    from stimbench.bench.control import Message

    assert "secret" not in repr(Message(token="secret", action="status"))
    assert "secret" not in repr(running_bench(desk, "secret")._record)
