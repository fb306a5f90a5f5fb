"""An air that loses, damages, repeats, delays and forges frames: no exception, and nothing executed twice."""

from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.logic import radio_frame
from stimfw.logic.link import TIMEOUT_MS, Requester, Responder
from stimfw.logic.radio_frame import HELLO, MAX_MESSAGE, NUMBER, REPLY, REQUEST

ANYTHING = st.binary(max_size=80)
MESSAGES = st.binary(min_size=1, max_size=MAX_MESSAGE)
NUMBERS = st.integers(0, 0xFFFF)
KINDS = st.sampled_from((REQUEST, REPLY, HELLO, NUMBER))


class Stimulator:
    def __init__(self, first):
        self.executed = []
        self.end = Responder(radio_frame, self.execute, first)

    def execute(self, message):
        self.executed.append(message)
        return b"re " + message[:16]


@given(ANYTHING)
def test_decode_only_ever_raises_value_error(raw):
    try:
        kind, number, message = radio_frame.decode(raw)
    except ValueError:
        return
    assert radio_frame.encode(kind, number, message) == raw


@given(KINDS, NUMBERS, MESSAGES)
def test_decode_undoes_encode(kind, number, message):
    assert radio_frame.decode(radio_frame.encode(kind, number, message)) == (kind, number, message)


@given(MESSAGES, st.data())
def test_a_damaged_frame_is_never_taken(message, data):
    frame = bytearray(radio_frame.encode(REQUEST, 1, message))
    for place in data.draw(st.sets(st.integers(0, len(frame) - 1), min_size=1, max_size=4)):
        frame[place] ^= data.draw(st.integers(1, 255))
    stimulator = Stimulator(0)
    assert stimulator.end.on_frame(bytes(frame), 0) is None
    assert stimulator.executed == [] and stimulator.end.bad == 1


@given(st.lists(st.one_of(ANYTHING, st.tuples(KINDS, NUMBERS, MESSAGES)), max_size=20), NUMBERS)
def test_forgeries_raise_nothing_out_of_either_end(frames, first):
    remote, stimulator = Requester(radio_frame, first), Stimulator(first)
    remote.begin(b"STOP", 3, 0)
    for now_ms, frame in enumerate(frames):
        raw = frame if isinstance(frame, bytes) else radio_frame.encode(*frame)
        stimulator.end.on_frame(raw, now_ms)
        remote.on_frame(raw, now_ms)
        remote.poll(now_ms)


@settings(max_examples=300)
@given(NUMBERS, NUMBERS, st.data())
def test_each_press_is_executed_at_most_once_and_in_order(ours, theirs, data):
    """Frames may be lost, repeated at any later time and reordered, in both directions."""
    remote, stimulator = Requester(radio_frame, ours), Stimulator(theirs)
    to_stimulator, to_remote = [], []
    now_ms = presses = 0
    for _ in range(data.draw(st.integers(1, 40))):
        step = data.draw(st.sampled_from(("press", "deliver", "answer", "wait")))
        if step == "press":
            presses += 1
            to_stimulator.append(remote.begin(b"%d" % presses, 5, now_ms))
        elif step == "deliver" and to_stimulator:
            reply = stimulator.end.on_frame(data.draw(st.sampled_from(to_stimulator)), now_ms)
            if reply:
                to_remote.append(reply)
        elif step == "answer" and to_remote:
            remote.on_frame(data.draw(st.sampled_from(to_remote)), now_ms)
        now_ms += data.draw(st.sampled_from((0, TIMEOUT_MS)))
        again = remote.poll(now_ms)
        if again:
            to_stimulator.append(again)
    order = [int(message) for message in stimulator.executed]
    assert order == sorted(set(order))
    if remote.state == Requester.ANSWERED:
        assert remote.reply == b"re %d" % presses and order[-1] == presses


@given(NUMBERS, NUMBERS, st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_an_air_that_works_twice_is_enough(ours, theirs, air):
    """`air`: for each try, whether the frame and whether the answer arrives. HELLO takes the first."""
    remote, stimulator = Requester(radio_frame, ours), Stimulator(theirs)
    frame = remote.begin(b"STOP", len(air), 0)
    for now, (there, back) in enumerate(air, 1):
        answer = stimulator.end.on_frame(frame, 0) if there else None
        if answer and back:
            remote.on_frame(answer, 0)
        frame = remote.poll(now * TIMEOUT_MS)
        if not frame:
            break
    works = sum(there and back for there, back in air)
    assert (remote.state == Requester.ANSWERED) == (works >= 2)
    assert len(stimulator.executed) <= 1
