"""Pulses of a whole capture: found as a plain search finds them, and the same in a slice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.analysis import LEAD_SIGNALS, current_of, find_pulses, pulses_of, switches_of
from stimbench.capture.capture import Capture, NoChannelError
from stimbench.capture.channels import Edges, Segments
from stimfw.therapy.ranges import LEADS

END_NS = 1000

spans = st.lists(st.integers(0, END_NS - 1), max_size=24, unique=True).map(
    lambda cuts: list(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)


def edges(of):
    return Edges.of(edge for start, end in of for edge in ((start, True), (end, False)))


def searched(cathodic, anodic, recharge):
    """Each cathodic phase with the first anodic phase and the first recharge before the next one."""
    found = []
    for index, (start, end) in enumerate(cathodic):
        until = cathodic[index + 1][0] if index + 1 < len(cathodic) else END_NS
        mine = [span for span in anodic if start <= span[0] < until][:1]
        short = [span[0] - start for span in recharge if start <= span[0] < until][:1]
        gap, width = (mine[0][0] - end, mine[0][1] - mine[0][0]) if mine else (0, 0)
        period = start - cathodic[index - 1][0] if index else 0
        found.append((start, end - start, gap, width, short[0] if short else 0, period, bool(mine)))
    return found


@given(spans, spans, spans)
def test_pulses_are_those_that_a_plain_search_finds(cathodic, anodic, recharge):
    found = find_pulses(edges(cathodic), edges(anodic), edges(recharge))
    assert found.tolist() == searched(cathodic, anodic, recharge)


cuts = st.tuples(st.integers(0, END_NS), st.integers(0, END_NS)).map(sorted)


@given(spans, spans, spans, st.permutations(LEAD_SIGNALS["left"]), cuts)
def test_a_slice_has_the_pulses_of_its_own_phases(cathodic, anodic, recharge, order, cut):
    start_ns, end_ns = cut
    made = dict(zip(LEAD_SIGNALS["left"], (cathodic, anodic, recharge), strict=True))
    capture = Capture({f"stimulator.{name}": edges(made[name]) for name in order}, end_ns=END_NS)
    inside = [
        [span for span in each if start_ns <= span[0] and span[1] < end_ns] for each in (cathodic, anodic)
    ]
    short = [span for span in recharge if start_ns <= span[0] < end_ns]
    assert pulses_of(capture.between(start_ns, end_ns), "left").tolist() == searched(*inside, short)


def test_each_lead_has_its_own_channels():
    names = [name for lead in LEADS for name in LEAD_SIGNALS[lead]]
    digital = {f"stimulator.{name}": edges([(index, 100 + index)]) for index, name in enumerate(names)}
    analog = {
        f"I_{lead.upper()}": Segments.of([(0, 10, float(index), float(index))])
        for index, lead in enumerate(LEADS, 1)
    }
    capture = Capture(digital, analog, end_ns=END_NS)
    assert [each.rises_ns.tolist() for lead in LEADS for each in switches_of(capture, lead)] == [
        [index] for index in range(6)
    ]
    assert [float(current_of(capture, lead).at(5)) for lead in LEADS] == [1.0, 2.0]
    with pytest.raises(NoChannelError, match=r"stimulator\.R_SHORT"):
        pulses_of(capture.select(list(digital)[:5]), "right")
