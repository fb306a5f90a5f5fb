"""Captures of a wired bench on their way into the record: gaps stay gaps, figures are the instrument's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Edges
from stimbench.capture.samples import Samples
from stimbench.errors import InputError, RigError
from stimbench.web import captured as module
from stimbench.web.capture_process import Armed, record_on, record_once
from stimbench.web.captured import Captured, Placed, captured_from, packed, placed, unpacked
from stimbench.web.channel import Kind
from stimbench.web.polyline import Bands
from stimbench.web.record import Record
from stimbench.web.saving import of_captures

US, MS, S = 1_000, 1_000_000, 1_000_000_000
PERIOD_NS = 50 * MS
WIDTH_NS, GAP_NS = 214 * US, 100 * US


def edges(begins, width):
    return Edges(np.array([[at, at + width] for at in begins], np.int64).reshape(-1))


def a_capture(count=4, current=True, lasts_ns=S, first_ns=10 * MS) -> Capture:
    begins = first_ns + PERIOD_NS * np.arange(count, dtype=np.int64)
    digital = {
        "stimulator.L_CATH": edges(begins, WIDTH_NS),
        "stimulator.L_ANOD": edges(begins + WIDTH_NS + GAP_NS, WIDTH_NS),
    }
    analog = {}
    if current:
        at = np.arange(lasts_ns // 10_000) * 10_000  # 100 kHz
        values = np.zeros(len(at))
        for begin in begins:
            values[(at >= begin) & (at < begin + WIDTH_NS)] = -2000.0
            second = begin + WIDTH_NS + GAP_NS
            values[(at >= second) & (at < second + WIDTH_NS)] = 2000.0
        analog["I_LEFT"] = Samples.of(values, 0, 100_000)
    return Capture(digital, analog, end_ns=lasts_ns, origin=Origin("test", digital_hz=4_000_000))


def a_record(*begins_ns, **how) -> Record:
    record = Record()
    for begin_ns in begins_ns:
        one = captured_from(a_capture(**how), "test", Placed(begin_ns, 0))
        record.add_captured(unpacked(packed(one)))
    return record


def test_what_is_measured_is_the_instruments_and_lies_on_the_pages_clock():
    pulses = a_record(3 * S).leads["left"].pulses
    assert pulses["start_ns"].tolist() == [3 * S + 10 * MS + k * PERIOD_NS for k in range(4)]
    assert set(pulses["cathodic_ns"]) == set(pulses["anodic_ns"]) == {WIDTH_NS}
    assert pulses["period_ns"].tolist() == [0, PERIOD_NS, PERIOD_NS, PERIOD_NS]
    assert pulses["cathodic_ua"] == pytest.approx(2000)
    assert pulses["cathodic_nc"] == pytest.approx(2000 * 214e-6 * 1e3, rel=0.05)


def test_no_period_and_no_line_goes_through_a_gap():
    record = a_record(S, 5 * S, count=18)
    lead = record.leads["left"]
    assert lead.pulses["period_ns"].tolist() == ([0] + 17 * [PERIOD_NS]) * 2
    line = lead.window("current", 2 * S + MS, 5 * S - MS, 500)
    assert len(line.times_ns) and np.all(np.isnan(line.values))
    across = lead.window("current", S, 6 * S, 50)
    assert isinstance(across, Bands)
    known = np.isfinite(across.lows)
    middle = across.times_ns
    inside = (middle > 2 * S + 40 * MS) & (middle < 5 * S - 40 * MS)
    assert not known[inside].any() and known[~inside].all()
    assert across.lows[known].min() == -2000 and across.highs[known].max() == 2000


def test_without_a_current_there_are_times_and_no_amplitude():
    record = a_record(0, current=False)
    lead = record.leads["left"]
    assert not len(lead.window("current", 0, S, 100).times_ns)
    assert np.isnan(lead.pulses["cathodic_ua"]).all() and np.isnan(lead.pulses["cathodic_nc"]).all()
    assert set(lead.pulses["cathodic_ns"]) == {WIDTH_NS}


def test_a_capture_that_is_not_later_than_the_last_one_is_left_out():
    record = a_record(S, S + S // 2)
    assert (len(record.captures), record.end_ns) == (1, 2 * S)


def test_a_full_record_keeps_pulses_only(monkeypatch):
    monkeypatch.setattr("stimbench.web.record.MOST_CAPTURED_BYTES", 0)
    record = a_record(S)
    assert record.is_full and not len(record.leads["left"].lines["current"])
    assert len(record.leads["left"].pulses) == 4


def test_a_saved_span_lies_within_one_capture():
    record = a_record(S, 5 * S)
    saved = of_captures(record, 0, 3 * S)
    assert (saved.start_ns, saved.end_ns) == (S, 2 * S)
    assert len(saved.edges("stimulator.L_CATH").rises_ns) == 4
    assert saved.current("I_LEFT").i0_ua.min() == -2000
    with pytest.raises(InputError, match=r"Nothing was recorded from 2\.000 s to 5\.000 s"):
        of_captures(record, 0, 6 * S)
    with pytest.raises(InputError, match="nothing in this span"):
        of_captures(record, 3 * S, 4 * S)


@given(
    armed_for=st.integers(0, S),
    begun=st.integers(0, S),
    handing=st.integers(0, 10 * S),
    lasts=st.integers(1, S),
)
def test_a_capture_lies_where_it_is_said_to_within_what_is_said(armed_for, begun, handing, lasts):
    """The instrument begins at some time between being told and being over."""
    capture = Capture({}, end_ns=lasts)
    begin_ns = armed_for + begun  # after it said that it records
    done_ns = begin_ns + lasts + handing
    for triggered in (False, True):
        place = placed(0, armed_for, done_ns, capture, triggered)
        assert abs(place.zero_ns - begin_ns) <= place.off_ns
    early = placed(0, armed_for, armed_for + lasts + handing, capture, False)  # ... or somewhat before
    assert early.zero_ns - early.off_ns <= armed_for


def test_messages_hold_whole_captures():
    one = captured_from(a_capture(), "test", Placed(S, 5))
    again = unpacked(packed(one))
    assert isinstance(again, Captured)
    assert (again.begin_ns, again.end_ns, again.off_ns, again.source) == (S, 2 * S, 5, "test")
    assert again.leads["left"].pulses.tolist() == one.leads["left"].pulses.tolist()
    assert np.array_equal(again.digital["stimulator.L_CATH"][1], one.digital["stimulator.L_CATH"][1])


class Source:
    """An instrument that gives what it is told to, in turn."""

    def __init__(self, *results) -> None:
        self.results = list(results)

    @contextmanager
    def recording(self, duration_ms):
        result = self.results.pop(0)
        if isinstance(result, RigError):
            raise result

        def give():
            if isinstance(result, Exception):
                raise result
            return result

        yield SimpleNamespace(result=give)


def heard(*results):
    """What is told of each of these captures."""
    told, clock = [], iter(range(0, 10**12, 10**9))
    armed = Armed("one", Source(*results), False)
    for _ in results:
        record_once(armed, lambda: next(clock), lambda kind, body: told.append((kind, body)))
    return told


def test_a_capture_is_armed_taken_measured_and_told():
    (first, meta), (second, body) = heard(a_capture())
    assert (first, meta) == (Kind.STATE, {"source": "one", "since_ns": S})
    assert second is Kind.CAPTURED and len(unpacked(body).leads["left"].pulses) == 4


@pytest.mark.parametrize(
    "failure", [RigError("It is gone."), InputError("It is gone."), ValueError("is gone.")]
)
def test_one_that_fails_is_told_and_the_next_one_is_taken(failure):
    told = heard(failure, a_capture())
    failed = [body for kind, body in told if kind is Kind.FAILED]
    assert [one["source"] for one in failed] == ["one"] and "is gone." in failed[0]["error"]
    assert told[-1][0] is Kind.CAPTURED


def test_sources_take_turns_until_nobody_listens():
    sources = [Armed(name, Source(a_capture(), RigError("No."), a_capture()), False) for name in ("a", "b")]
    told, pauses = [], []

    def send(kind, body):
        if len(told) > 8:
            raise BrokenPipeError
        told.append(json.dumps(body)[:30] if isinstance(body, dict) else unpacked(body).source)

    clock = iter(range(0, 10**13, 2 * 10**9))
    with pytest.raises(BrokenPipeError):
        record_on(sources, lambda: next(clock), send, pauses.append)
    assert [one for one in told if one in "ab"] == ["a", "b", "a"]
    assert pauses == [1.0, 1.0]


def test_equal_values_in_a_row_cost_no_memory():
    times, values = captured_from(a_capture(), "test", Placed(0, 0)).leads["left"].lines["current"]
    assert len(times) < 50 and values.min() == -2000
    assert module.MEASURED.names[0] == "start_ns"
