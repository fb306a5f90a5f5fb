"""What holds for a board whether it is emulated or wired."""

import pytest
from stimbench.errors import RefusedError


def test_a_board_that_was_just_reset_is_ready_and_off(stimulator):
    assert stimulator.status().state_name == "ready"
    assert stimulator.status().amplitude_ua == (0, 0)


def test_a_session_without_an_amplitude_is_refused(stimulator):
    with pytest.raises(RefusedError):
        stimulator.start()
    assert stimulator.status().state_name == "ready"


def test_the_board_holds_the_programme_that_it_was_given(stimulator):
    stimulator.set_program(stimulator.program().replaced({"rate_hz": 30}))
    assert stimulator.program().as_dict()["rate_hz"] == 30


def test_the_remote_says_what_it_is(remote):
    assert remote.identity.role == "remote"


@pytest.mark.stimbench(needs="power")
def test_a_programme_does_not_outlive_the_supply(stimulator, device):
    stimulator.amplitude(1000, 1000)
    device.power.off()
    device.power.on()
    device.reconnect()
    assert stimulator.status().amplitude_ua == (0, 0)
