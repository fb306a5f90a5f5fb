"""When the stimulator is asked for its state: it belongs to the run, so it follows from the run alone."""

import pytest
from stimbench.web.polling import Poll

MS = 1_000_000


class Deaf:
    """A stimulator that nobody speaks to here."""


def asked(actions, until_ms):
    """Times of the questions, ms, of a bench that is at each due time and at each action's."""
    poll, found, actions = Poll(Deaf()), [], list(actions)
    while poll.due_ns < until_ms * MS:
        if actions and actions[0] * MS <= poll.due_ns:
            poll.acted(actions.pop(0) * MS)
            continue
        found.append(poll.due_ns // MS)
        poll.plan(poll.due_ns)
    return found


def test_a_bench_that_was_left_alone_is_asked_each_second():
    assert asked([], 9000) == [*range(500, 5001, 500), 6000, 7000, 8000]


@pytest.mark.parametrize(("at_ms", "last"), [(6000, []), (6001, [11_500]), (6499, [11_500])])
def test_what_comes_of_an_action_is_asked_soon(at_ms, last):
    found = asked([at_ms], 14_000)
    assert found[10:] == [*range(6000, 11_001, 500), *last, 12_000, 13_000]


def test_each_action_counts_anew():
    assert asked([6000, 9600], 17_000)[-6:] == [13_000, 13_500, 14_000, 14_500, 15_000, 16_000]
