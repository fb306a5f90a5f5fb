"""Messages of pages: what is taken, and that nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.web import wire

GOOD = [
    {"kind": "hello", "key": "abcdefgh"},
    {"kind": "alive"},
    {"kind": "stop"},
    {"kind": "do", "id": 1, "name": "press", "arguments": {"button": "START"}},
    {"kind": "pace", "speed": 0.5},
    {"kind": "pace", "step": "pulse"},
    {"kind": "watch", "view": 0, "mode": "pulse", "width": 800},
    {"kind": "unwatch", "view": 0},
    {"kind": "seen", "view": 0, "sequence": 5},
    {"kind": "control", "verb": "give", "page": 2},
    {"kind": "run", "id": 1, "verb": "rewind", "mark": 1},
]
BAD = [
    {},
    {"kind": "hello"},
    {"kind": "hello", "key": "<script>"},
    {"kind": "stop", "why": "x"},
    {"kind": "do", "id": "1", "name": "press"},
    {"kind": "do", "id": 1, "name": ""},
    {"kind": "do", "id": -1, "name": "press"},
    {"kind": "watch", "view": 256, "mode": "pulse", "width": 800},
    {"kind": "watch", "view": 0, "mode": "pulse", "width": 100_000},
    {"kind": "watch", "view": 0, "mode": "pulse", "width": 800, "overlay": 1000},
    {"kind": "watch", "view": 0, "mode": "pulse", "width": 800, "span_ns": -1.0},
    {"kind": "pace", "speed": -1.0},
    {"kind": "seen", "view": 0, "sequence": 1 << 32},
    {"kind": "run", "id": 1, "verb": "delete"},
    [],
    "stop",
    None,
]


@pytest.mark.parametrize("message", GOOD, ids=lambda one: one["kind"])
def test_good_messages_are_taken(message):
    assert wire.parse(json.dumps(message)).kind == message["kind"]


@pytest.mark.parametrize("message", BAD, ids=str)
def test_others_are_malformed(message):
    with pytest.raises(wire.MalformedError):
        wire.parse(json.dumps(message))


@pytest.mark.parametrize(
    "text", ["", "{", "\x00", '{"kind":"stop"}x', "[" * 100_000, '{"kind":"pace","speed":NaN}']
)
def test_what_is_no_json_is_malformed(text):
    with pytest.raises(wire.MalformedError):
        wire.parse(text)


def test_the_length_has_a_limit():
    text = json.dumps({"kind": "do", "id": 1, "name": "x", "arguments": {"a": "b" * wire.LONGEST_MESSAGE}})
    with pytest.raises(wire.MalformedError, match="at most"):
        wire.parse(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_anything_else_is_malformed_and_nothing_worse(data):
    with pytest.raises(wire.MalformedError):
        wire.parse(json.dumps(data))
