"""An air that loses, damages, repeats, delays and forges frames: no exception, and nothing executed twice."""

from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.logic import radio_frame
from stimfw.logic.link import MEMORY_MS, TIMEOUT_MS, WINDOW, Requester, Responder
from stimfw.logic.radio_frame import MAX_MESSAGE, REPLY, REQUEST

ANYTHING = st.binary(max_size=80)
MESSAGES = st.binary(min_size=1, max_size=MAX_MESSAGE)


@given(ANYTHING)
def test_decode_only_ever_raises_value_error(raw):
    try:
        kind, number, message = radio_frame.decode(raw)
    except ValueError:
        return
    assert radio_frame.encode(kind, number, message) == raw


@given(st.sampled_from((REQUEST, REPLY)), st.integers(0, 0xFFFF), MESSAGES)
def test_decode_undoes_encode(kind, number, message):
    assert radio_frame.decode(radio_frame.encode(kind, number, message)) == (kind, number, message)


@given(st.integers(0, 0xFFFF), MESSAGES, st.data())
def test_a_damaged_frame_is_never_taken(number, message, data):
    frame = bytearray(radio_frame.encode(REQUEST, number, message))
    for place in data.draw(st.sets(st.integers(0, len(frame) - 1), min_size=1, max_size=4)):
        frame[place] ^= data.draw(st.integers(1, 255))
    executed: list[bytes] = []
    end = Responder(radio_frame, lambda m: executed.append(m) or b"ok")  # type: ignore[func-returns-value]
    assert end.on_frame(bytes(frame), 0) is None
    assert executed == [] and end.bad == 1


@settings(max_examples=200)
@given(st.integers(0, 0xFFFF), st.lists(st.tuples(MESSAGES, st.data()), min_size=1, max_size=WINDOW))
def test_whatever_the_air_does_each_request_is_executed_at_most_once_and_in_order(first, requests):
    """All of it happens within the responder's memory, as the remote's timing sees to."""
    executed: list[tuple[int, bytes]] = []
    remote = Requester(radio_frame, first)
    stimulator = Responder(radio_frame, lambda m: executed.append((len(sent), m)) or b"ok")  # type: ignore[func-returns-value]
    sent: list[bytes] = []
    for now_ms, (message, data) in enumerate(requests):
        sent.append(remote.begin(message, 1, now_ms))
        for choice in data.draw(st.lists(st.integers(-1, len(sent) - 1), max_size=6)):
            frame = data.draw(ANYTHING) if choice < 0 else sent[choice]
            reply = stimulator.on_frame(frame, now_ms)
            if reply and data.draw(st.booleans()):
                remote.on_frame(reply, now_ms)
    order = [(radio_frame.decode(frame)[1] - first) & 0xFFFF for frame in sent]
    assert order == list(range(1, len(sent) + 1))
    assert len(executed) <= len(sent)
    assert all(message == requests[index][0] for index, message in positions(executed, requests))


def positions(executed, requests):
    """Each executed message beside the first request, after the one before it, that it can have been."""
    at = -1
    for _, message in executed:
        at = next(i for i in range(at + 1, len(requests)) if requests[i][0] == message)
        yield at, message


@given(st.integers(0, 0xFFFF), st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_an_answer_is_the_answer_to_that_request(first, air):
    """`air`: for each try, whether the request and whether the reply arrives."""
    executed: list[bytes] = []
    remote = Requester(radio_frame, first)
    stimulator = Responder(radio_frame, lambda m: executed.append(m) or b"re " + m)  # type: ignore[func-returns-value]
    now_ms = 0
    frame: bytes | None = remote.begin(b"STOP", len(air), now_ms)
    for request_arrives, reply_arrives in air:
        assert frame is not None
        reply = stimulator.on_frame(frame, now_ms) if request_arrives else None
        if reply and reply_arrives:
            remote.on_frame(reply, now_ms)
        now_ms += TIMEOUT_MS
        assert now_ms < MEMORY_MS
        frame = remote.poll(now_ms)
        if remote.state != Requester.WAITING:
            break
    delivered = any(a for a, _ in air)
    answered = any(a and b for a, b in air)
    assert len(executed) == delivered if not answered else len(executed) == 1
    assert (remote.state == Requester.ANSWERED) == answered
    if answered:
        assert remote.reply == b"re STOP"
