"""What one turn of the stimulator's loop does, and in which order: STOP may be waiting at any time."""

import pytest
from support.stimulator_harness import StimulatorHarness


class Told:
    """Radio and responder that write down who is called."""

    paused = works = False
    answering = False

    def __init__(self, said, radio):
        self.said, self._radio = said, radio

    def __getattr__(self, name):
        def call(*_):
            self.said.append(name)
            return {"wait_ms": -1, "revive": True}.get(name, False)

        return call


@pytest.fixture
def turn():
    harness = StimulatorHarness()
    said = []
    harness.app._radio = harness.app._responder = told = Told(said, harness.radio)

    def one(answering=False):
        told.answering = answering
        harness.app._radio_called = True
        said.clear()
        return harness.app.poll(False), [name for name in said if name != "wait_ms"]

    return one


def test_what_is_looked_after_once_a_second_goes_in_parts_and_the_radio_is_read_in_between(turn):
    parts = []
    for _ in range(4):
        wait_ms, said = turn()
        assert said[0] == "poll", "before anything else"
        parts.append((wait_ms == 0, [name for name in said if name in ("revive", "check_channel", "expire")]))
    assert parts == [(True, ["revive"]), (True, ["check_channel"]), (False, ["expire"]), (False, [])]


def test_keys_of_a_handshake_are_made_when_the_receiver_is_on_again_and_not_before(turn):
    for _ in range(3):
        assert "make_candidates" not in turn(answering=True)[1]
    said = turn(answering=False)[1]
    assert said.index("poll") < said.index("make_candidates")
