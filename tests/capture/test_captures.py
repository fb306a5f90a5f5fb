"""A capture: its channels, slices of it, and what it costs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.analysis import LEAD_SIGNALS, pulses_of
from stimbench.capture.capture import Capture, NoChannelError
from stimbench.capture.channels import Edges, Segments, Voltages

US, MS = 1000, 1_000_000
PERIODS, PERIOD_NS = 36_000, 50 * MS
"""30 minutes at 20 Hz."""
WIDTH_NS = 214 * US

times = st.lists(st.integers(0, 1000), max_size=30).map(sorted)
spans = st.tuples(st.integers(-5, 1005), st.integers(-5, 1005)).map(sorted)


@given(times, st.booleans(), spans)
def test_a_slice_has_the_edges_of_its_span_and_the_level_before_them(at, initial, span):
    whole = Edges(np.array(at, dtype=np.int64), initial)
    part = whole.between(*span)
    assert list(part) == [(t, level) for t, level in whole if span[0] <= t < span[1]]
    assert part.initial == ([initial] + [level for t, level in whole if t < span[0]])[-1]
    assert not len(part) or np.shares_memory(part.times_ns, whole.times_ns)


@given(times, st.booleans(), spans, spans)
def test_a_slice_of_a_slice_is_the_slice_of_both_spans(at, initial, one, other):
    whole = Edges(np.array(at, dtype=np.int64), initial)
    low, high = max(one[0], other[0]), min(one[1], other[1])
    assert list(whole.between(*one).between(*other)) == list(whole.between(low, max(low, high)))


@given(times, st.booleans())
def test_rises_and_falls_are_the_edges_by_their_level(at, initial):
    edges = Edges(np.array(at, dtype=np.int64), initial)
    assert edges.rises_ns.tolist() == [t for t, level in edges if level]
    assert edges.falls_ns.tolist() == [t for t, level in edges if not level]
    assert list(edges.inverted()) == [(t, not level) for t, level in edges]
    assert edges.final == ([initial] + [level for _, level in edges])[-1]


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), max_size=30), st.booleans())
def test_changes_to_the_level_that_is_there_are_no_edges(changes, initial):
    changes = sorted(changes, key=lambda change: change[0])
    expected, level = [], initial
    for time_ns, wanted in changes:
        if wanted != level:
            expected.append((time_ns, wanted))
            level = wanted
    edges = Edges.of(changes, initial)
    assert (list(edges), edges.initial) == (expected, initial)


def test_edges_that_run_backwards_are_refused_wherever_they_are():
    with pytest.raises(ValueError, match="an edge at 5 ns follows one at 10 ns"):
        Edges(np.array([1, 10, 5]))
    with pytest.raises(ValueError, match="follows"):
        Edges.of([(10, False), (5, True)])


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=15), spans)
def test_a_slice_of_a_current_has_the_pieces_that_reach_into_it(made, span):
    pieces, at = [], 0
    for length, pause in made:
        pieces.append((at, at + length, float(length), -1.0))
        at += length + pause
    part = Segments.of(pieces).between(*span)
    assert list(part) == [piece for piece in pieces if piece[1] > span[0] and piece[0] < span[1]]


def made_up() -> Capture:
    """30 minutes of both leads: 8 edges and 6 pieces of current each period and lead."""
    starts = np.arange(PERIODS, dtype=np.int64) * PERIOD_NS + MS
    digital, analog = {}, {}
    for index, (lead, names) in enumerate(LEAD_SIGNALS.items()):
        begin = starts + index * 25 * MS
        middle, end = begin + WIDTH_NS + 50 * US, begin + 2 * WIDTH_NS + 50 * US
        spans = [(begin, begin + WIDTH_NS), (middle, end), (end + 4 * US, begin + PERIOD_NS - 12 * US)]
        for name, (high, low) in zip(names, spans, strict=True):
            digital[f"stimulator.{name}"] = Edges(np.column_stack([high, low]).ravel())
        pieces = [spans[0], spans[1], *((end + k * MS, end + (k + 1) * MS) for k in range(4))]
        t0_ns, t1_ns = (np.column_stack([piece[side] for piece in pieces]).ravel() for side in (0, 1))
        flows = np.tile([-2000.0, 2000.0, 8.0, 4.0, 2.0, 1.0], PERIODS)
        analog[f"I_{lead.upper()}"] = Segments(t0_ns, t1_ns, flows, flows)
    digital["stimulator.KEEPALIVE"] = Edges(np.arange(4 * PERIODS, dtype=np.int64) * (PERIOD_NS // 4))
    return Capture(digital, analog, end_ns=(PERIODS + 1) * PERIOD_NS)


def test_half_an_hour_is_small_and_a_slice_of_it_takes_no_memory():
    capture = made_up()
    edges = [capture.edges(name) for name in capture.digital]
    currents = [capture.current(name) for name in capture.analog]
    assert sum(map(len, edges)) == 2 * 8 * PERIODS
    assert sum(each.times_ns.nbytes for each in edges) == 8 * 2 * 8 * PERIODS < 5 * 1024**2
    assert sum(len(each) * 32 for each in currents) == 32 * 2 * 6 * PERIODS < 14 * 1024**2
    tracemalloc.start()
    try:
        minute = capture.between(10 * 60_000 * MS, 11 * 60_000 * MS)
        cut = [minute.edges(name) for name in minute.digital]
        cut_currents = [minute.current(name) for name in minute.analog]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 1024
    assert sum(map(len, cut)) == 2 * 8 * 20 * 60
    for part, whole in zip(cut, edges, strict=True):
        assert np.shares_memory(part.times_ns, whole.times_ns)
    for part, whole in zip(cut_currents, currents, strict=True):
        assert len(part) == 6 * 20 * 60 and np.shares_memory(part.i0_ua, whole.i0_ua)
    assert len(pulses_of(minute, "left")) == 20 * 60 and pulses_of(minute, "right")["complete"].all()


def test_nothing_in_a_capture_can_be_written():
    times_ns = np.array([1, 2, 3])
    capture = Capture({"a": Edges(times_ns)}, {"i": Segments.of([(0, 1, 1.0, 1.0)])}, end_ns=5)
    part = capture.between(2, 4)
    for array in (capture.edges("a").times_ns, part.edges("a").times_ns, capture.current("i").i0_ua):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    times_ns[0] = 0  # what it was made from stays writable
    with pytest.raises(AttributeError):
        capture.edges("a").initial = True


def test_a_missing_channel_is_named_with_those_that_are_there():
    capture = Capture({"stimulator.LED": Edges.of([])}, end_ns=5, source="run.vcd")
    with pytest.raises(NoChannelError) as raised:
        pulses_of(capture, "left")
    assert str(raised.value) == (
        "run.vcd has no digital channel 'stimulator.L_CATH'. It has: stimulator.LED."
    )
    with pytest.raises(NoChannelError, match=r"no analog channel 'I_LEFT'\. It has: none\."):
        capture.current("I_LEFT")
    with pytest.raises(NoChannelError, match="no digital channel 'LED'"):
        capture.select(["LED"])
    with pytest.raises(NoChannelError, match="no digital channel 'LED'"):
        capture.between(1, 2).edges("LED")


SIGNALS = ("stimulator.L_CATH", "stimulator.R_CATH", "stimulator.LED", "remote.LED", "remote.LED_RED")


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        (("stimulator", "LCATH"), "stimulator.L_CATH"),
        (("stimulator.l_cath",), "stimulator.L_CATH"),
        (("L_CATH",), "stimulator.L_CATH"),
        (("remote", "LED_RDE"), "remote.LED_RED"),
        (("remot", "LED"), "remote.LED"),
        (("stimulater", "LED"), "stimulator.LED"),
    ],
)
def test_the_nearest_name_is_said(asked, near):
    capture = Capture({name: Edges.of([]) for name in SIGNALS}, end_ns=5, source="run.vcd")
    with pytest.raises(NoChannelError) as raised:
        capture.edges(*asked)
    wanted = ".".join(asked)
    assert str(raised.value) == f"run.vcd has no digital channel {wanted!r}; the nearest is {near!r}."
    assert isinstance(raised.value, KeyError)
    assert capture.edges("stimulator", "L_CATH") == capture.edges("stimulator.L_CATH")


def test_a_channel_of_the_other_kind_is_pointed_to():
    analog = {"V_LEFT": Voltages.of([(0, 1, 1.0, 1.0)]), "I_LEFT": Segments.of([(0, 1, 1.0, 1.0)])}
    capture = Capture({"stimulator.LED": Edges.of([])}, analog, end_ns=5, source="run.vcd")
    for ask, text in [
        (lambda: capture.edges("stimulator", "V_LEFT"),
         "run.vcd has no digital channel 'stimulator.V_LEFT': 'V_LEFT' is analog, ask for it with voltage."),
        (lambda: capture.current("LED"),
         "run.vcd has no analog channel 'LED': 'stimulator.LED' is digital, ask for it with edges."),
        (lambda: capture.voltage("V_LEF"), "run.vcd has no analog channel 'V_LEF'; the nearest is 'V_LEFT'."),
        (lambda: capture.current("V_LEFT"), "V_LEFT of run.vcd is a voltage: ask for voltage('V_LEFT')."),
        (lambda: capture.voltage("I_LEFT"), "I_LEFT of run.vcd is a current: ask for current('I_LEFT')."),
    ]:  # fmt: skip
        with pytest.raises(NoChannelError) as raised:
            ask()
        assert str(raised.value) == text


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (Edges.of([]), "<no edges: low all the time>"),
        (Edges.of([(5, False), (9, True)], True), "<2 edges, 5 to 9 ns: high before the first>"),
        (Segments.of([]), "<current of no pieces: 0 uA all the time>"),
        (Segments.of([(0, 5, -2000.0, 1000.0)]), "<current of 1 piece, 0 to 5 ns: -2000 to 1000 uA>"),
        (
            Voltages.of([(0, 5, -2.0, -1.5), (6, 7, 0.5, 0.5)]),
            "<voltage of 2 pieces, 0 to 7 ns: -2 to 0.5 V>",
        ),
        (
            Capture({"a": Edges.of([])}, {}, end_ns=9, source="run.vcd"),
            "<Capture of run.vcd: 1 digital and 0 analog channels, 0 to 9 ns>",
        ),
    ],
)
def test_what_a_person_holds_says_what_it_is(what, text):
    assert repr(what) == text


def test_a_waveform_is_read_at_any_time():
    voltage = Voltages.of([(10, 20, 1.0, 2.0), (20, 30, -1.0, -1.0)])
    assert voltage.at([0, 10, 15, 20, 29, 30]).tolist() == [0.0, 1.0, 1.5, -1.0, -1.0, 0.0]
    assert Voltages.of([]).at([1, 2]).tolist() == [0.0, 0.0]
    assert voltage != Segments.of([(10, 20, 1.0, 2.0), (20, 30, -1.0, -1.0)])


def test_a_span_is_cut_to_the_capture_and_must_meet_it():
    capture = Capture({"a": Edges.of([(2, True), (9, False)])}, start_ns=1, end_ns=10)
    part = capture.between(0, 5)
    assert (part.start_ns, part.end_ns, list(part.edges("a"))) == (1, 5, [(2, True)])
    with pytest.raises(ValueError, match="ends before it begins"):
        capture.between(20, 30)


def test_a_costly_channel_is_made_once_and_only_when_it_is_asked_for():
    made = []
    capture = Capture({"a": lambda: made.append(1) or Edges.of([(2, True)]), "b": Edges.of([])}, end_ns=10)
    for part in (capture, capture.between(1, 5), capture.select(["a"])):
        part.edges("a")
    assert made == [1]


def test_captures_are_equal_by_span_names_and_channels():
    one = Capture({"a": Edges.of([(2, True)])}, {"i": Segments.of([(0, 1, 1.0, 2.0)])}, end_ns=10)
    assert one == Capture({"a": Edges.of([(2, True)])}, {"i": Segments.of([(0, 1, 1.0, 2.0)])}, end_ns=10)
    others = [
        Capture({"a": Edges.of([(2, True)])}, {"i": Segments.of([(0, 1, 1.0, 2.0)])}, end_ns=11),
        Capture({"b": Edges.of([(2, True)])}, {"i": Segments.of([(0, 1, 1.0, 2.0)])}, end_ns=10),
        Capture({"a": Edges.of([(3, True)])}, {"i": Segments.of([(0, 1, 1.0, 2.0)])}, end_ns=10),
        Capture({"a": Edges.of([(2, False)], True)}, {"i": Segments.of([(0, 1, 1.0, 2.0)])}, end_ns=10),
        Capture({"a": Edges.of([(2, True)])}, {"i": Segments.of([(0, 1, 1.0, 3.0)])}, end_ns=10),
        Capture({"a": Edges.of([(2, True)])}, end_ns=10),
    ]
    assert all(one != other for other in others) and one != "a capture"
