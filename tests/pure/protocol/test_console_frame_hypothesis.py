"""Streams of any bytes on the console: no exception, no frame that was not sent, everything counted."""

from hypothesis import given
from hypothesis import strategies as st
from stimfw.protocol.console_frame import MAX_MESSAGE, Receiver, encode

messages = st.binary(min_size=1, max_size=MAX_MESSAGE)
numbers = st.integers(0, 255)
frames = st.tuples(numbers, messages)
# Without the start of a frame, so that they cannot swallow the frame behind them.
noise = st.binary(max_size=60).map(lambda data: data.replace(b"~", b"-"))


def feed(receiver, data):
    return [found for found in map(receiver.feed, data) if found is not None]


@given(st.binary(max_size=4000))
def test_random_bytes_make_no_frame(data):
    receiver = Receiver()
    assert feed(receiver, data) == []
    assert receiver.frames == 0


@given(st.lists(st.tuples(noise, frames), max_size=8))
def test_every_frame_arrives_whatever_stands_between(pieces):
    stream = b"".join(text + encode(*frame) for text, frame in pieces)
    receiver = Receiver()
    assert feed(receiver, stream) == [frame for _, frame in pieces]
    assert receiver.frames == len(pieces) and receiver.bad == receiver.oversized == 0


@given(frames, st.data())
def test_a_cut_frame_does_not_take_the_next_one_with_it(frame, data):
    line = encode(*frame)
    cut = data.draw(st.integers(0, len(line) - 1))
    receiver = Receiver()
    assert feed(receiver, line[:cut] + line) == [frame]
    assert receiver.bad == (cut > 0)


@given(frames, st.data())
def test_a_damaged_frame_is_never_another_frame(frame, data):
    line = bytearray(encode(*frame))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255))
    receiver = Receiver()
    assert feed(receiver, bytes(line)) in ([], [frame])


@given(st.lists(frames, min_size=2, max_size=4), st.randoms())
def test_interleaved_frames_give_nothing_that_was_not_sent(sent, random):
    lines = [bytearray(encode(*frame)) for frame in sent]
    mixed = bytearray()
    while any(lines):
        line = random.choice([line for line in lines if line])
        mixed.append(line.pop(0))
    assert all(found in sent for found in feed(Receiver(), bytes(mixed)))


@given(st.integers(1, 3000))
def test_an_endless_line_is_dropped_and_the_next_frame_arrives(extra):
    receiver = Receiver()
    stream = b"~" + b"A" * (2000 + extra) + encode(5, b"x")
    assert feed(receiver, stream) == [(5, b"x")]
    assert receiver.oversized == 1
