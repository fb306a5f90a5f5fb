"""The stimulator's main loop: when the radio calls, it is read before whatever else has time."""

from itertools import pairwise

import pytest
from support.stimulator_harness import StimulatorHarness

from stimfw.stimulator.app import App  # isort: skip

RADIO, CHECK, CONSOLE, PROCEDURE, REST = "radio", "check", "console", "procedure", "rest"
WHOLE = [CHECK, CONSOLE, PROCEDURE, REST]
"""A pass in which nothing calls. Once a second a part is checked in each of three passes."""


class Part:
    """Radio, console, responder or pairing, as far as the loop asks it."""

    paused = answering = attentive = False

    def __init__(self, loop, name):
        self._loop, self._name = loop, name

    def poll(self, *_):
        return self._loop.call(self._name)

    def revive(self):
        self._loop.call(CHECK)
        return True

    def check_channel(self, *_):
        self._loop.call(CHECK)

    expire = check_channel

    def wait_ms(self, _now_ms):
        return 100

    def make_candidates(self):
        return None


class Loop:
    """`during`: what of it the radio calls in, each time."""

    def __init__(self, during=()):
        harness = StimulatorHarness()
        self.calls, self.during = [], during
        control, parts = harness.control, [Part(self, name) for name in (RADIO, CONSOLE, "", REST)]
        control.poll = lambda *_: self.call(PROCEDURE) or 100
        self.app = App(control, harness.output, harness.wake, *parts)
        self.app.poll(False)  # an edge may have been missed before the start
        self.calls = []

    def call(self, what):
        self.calls.append(what)
        if what in self.during:
            self.app.on_radio(None)
        return -1 if what == REST else 0

    def passes(self, count):
        """What is called in each of so many passes."""
        found = []
        for _ in range(count):
            self.calls = []
            self.app.poll(True)
            found.append(self.calls)
        return found


def test_a_pass_in_which_nothing_calls():
    loop = Loop()
    assert loop.passes(5) == [
        # The first part of the check was before; it has the radio looked at once more.
        [RADIO, CHECK, CONSOLE, PROCEDURE, REST], WHOLE, WHOLE[1:], WHOLE[1:], WHOLE[1:],
    ]  # fmt: skip


@pytest.mark.control("C-01")
@pytest.mark.parametrize(
    ("during", "rest"),
    [
        (CHECK, [CONSOLE, PROCEDURE, REST]),
        (CONSOLE, [PROCEDURE, REST]),
        (PROCEDURE, [REST]),
    ],
)
def test_whoever_calls_is_read_before_all_that_follows(during, rest):
    loop = Loop()
    loop.during = (during,)
    first = loop.passes(1)[0]
    assert first[-1] == during and not set(rest) & set(first)
    loop.during = ()
    assert loop.passes(1)[0][0] == RADIO


def test_a_radio_that_calls_without_pause_holds_nothing_up_for_more_than_two_passes():
    for during in ((RADIO,), (CHECK,), (CONSOLE,), (PROCEDURE,), (RADIO, CHECK, CONSOLE, PROCEDURE)):
        loop = Loop(during)
        calls = loop.passes(60)
        for what in (CONSOLE, PROCEDURE, REST):
            places = [number for number, names in enumerate(calls) if what in names]
            gaps = [after - before for before, after in pairwise(places)]
            assert max(gaps) <= 4, (during, what)
            assert len(places) >= 15


def test_a_look_for_an_edge_that_was_missed_is_no_call():
    """It would use up the loop's one hurry, and what calls then would wait for console and procedure."""
    loop = Loop()
    loop.passes(3)
    loop.app._check_part, loop.app._check_due_ms = 0, 0
    assert loop.passes(1) == [WHOLE]
    loop.during = (CHECK,)
    assert loop.passes(1) == [[RADIO, CHECK]]
