"""What a run's page was told, over time: whole again from changes, and in a bounded memory."""

import json
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from stimbench.web.history import History, changed, patched
from support.saved_runs import states_of

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(2, 9), st.text("ab<", max_size=3))
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.sampled_from("vpdka"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_a_change_makes_the_one_state_of_the_other(before, now):
    kept = json.loads(json.dumps(before))
    change = json.loads(json.dumps(changed(before, now)))
    assert patched(before, change) == now
    assert before == kept


@given(st.lists(st.integers(0, 3), max_size=8), st.integers(0, 8), st.lists(st.integers(0, 3), max_size=3))
def test_a_list_that_rolls_is_told_by_what_is_new(before, lost, new):
    now = [*before[lost:], *new]
    change = changed(before, now)
    assert patched(before, change) == now
    if before[lost:]:
        assert "a" in change
        assert len(change["a"]) <= len(new)


def state_at(t_ns, noise=0):
    views = {
        "radio": {
            "total": t_ns // 50,
            "frames": [[n, f"{n:08x}"] for n in range(t_ns // 50, t_ns // 50 + 32)],
        },
        "boards": {"supply_v": noise},
    }
    return {"t_ns": t_ns, "pace": {"measured": 1.0}, "repeating": None, "stimulator": {}, "views": views}


def test_all_states_come_back_and_equal_ones_are_kept_once():
    history = History()
    states = [state_at(t_ns) for t_ns in range(0, 60_000, 10)]
    for state in states:
        history.add(state)
    expected = {state["t_ns"] // 50 * 50: state for state in reversed(states)}
    found = states_of(history.packed())
    assert [t_ns for t_ns, _ in found] == sorted(expected)
    for t_ns, told in found:
        assert told == {key: expected[t_ns][key] for key in ("repeating", "stimulator", "views")}


def test_the_pace_and_the_series_of_forces_are_not_kept():
    history = History()
    side = {"force": [1, 2, 3], "able": 0.5}
    state = state_at(0)
    state["views"]["leads"] = {"muscles": {"to_ns": 5, "sides": {"left": side}}}
    history.add(state)
    ((_, told),) = states_of(history.packed())
    assert "pace" not in told
    assert told["views"]["leads"] == {"muscles": {"to_ns": 5, "sides": {"left": {"able": 0.5}}}}
    assert side["force"] == [1, 2, 3]  # the page's own state is left as it is


def test_memory_is_bounded_and_what_is_lost_is_lost_evenly():
    noise = random.Random(1)
    history = History(most_bytes=20_000)
    states, most = {}, 0
    for t_ns in range(10_000):
        states[t_ns] = state_at(t_ns, noise.random())
        history.add(states[t_ns])
        most = max(most, history.nbytes)
    assert 18_000 < most <= 23_000  # one chunk of 2.5 KB more
    found = states_of(history.packed())
    times = [t_ns for t_ns, _ in found]
    assert times[0] == 0
    assert times[-1] == 9_999
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= 4 * 10_000 / len(times)
    for t_ns, told in found[:: len(found) // 100]:
        assert told["views"] == states[t_ns]["views"]


def test_bytes_for_half_an_hour_with_a_frame_every_half_a_second_are_below_3_mb():
    history = History()
    for tenth in range(18_000):
        history.add(state_at(tenth * 10))
    assert history.nbytes < 3_000_000
