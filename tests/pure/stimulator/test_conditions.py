"""What the stimulator's conditions ask of the machine of states: the same as when something begins."""

from stimfw.protocol import messages
from stimfw.stimulator.conditions import Conditions
from stimfw.therapy import machine
from support.control import control


class Control:
    """A real machine in a state, a magnet and amplitudes."""

    def __init__(self, state, magnet_near, has_amplitude):
        self.machine = machine.Machine(messages.PART_DAC if state == messages.FAULT else 0)
        self.machine.state = state
        self._near = magnet_near
        self._has_amplitude = has_amplitude

    @property
    def failed_parts(self):
        return self.machine.failed_parts

    def refusal(self, event):
        return self.machine.refusal(event, self._near, self._has_amplitude)


def reasons(state, magnet_near=False, has_amplitude=True):
    conditions = Conditions(Control(state, magnet_near, has_amplitude), None)
    return (
        conditions.session_allowed(),
        conditions.test_allowed(),
        conditions.impedance_allowed(),
        conditions.self_test_allowed(),
    )


NONE, LOCKED, BUSY, MAGNET, PART, ZERO = (
    messages.REASON_NONE,
    messages.REASON_LOCKED,
    messages.REASON_BUSY,
    messages.REASON_MAGNET,
    messages.REASON_SELF_TEST,
    messages.REASON_NO_AMPLITUDE,
)


@control("C-39")
def test_what_may_begin_in_which_state():
    assert reasons(messages.READY) == (NONE, NONE, NONE, NONE)
    for state in (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST):
        assert reasons(state) == (NONE, LOCKED, LOCKED, LOCKED)  # START asked for twice: it runs
    assert reasons(messages.MEASURING) == (BUSY, BUSY, BUSY, BUSY)
    assert reasons(messages.FAULT) == (PART, PART, PART, NONE)


def test_a_magnet_and_zero_amplitudes_refuse_what_they_concern():
    assert reasons(messages.READY, magnet_near=True) == (MAGNET, MAGNET, MAGNET, MAGNET)
    assert reasons(messages.READY, has_amplitude=False) == (ZERO, ZERO, NONE, NONE)


def test_only_the_random_source_is_what_random_requests_wait_for():
    for parts, reason in (
        (0, NONE),
        (messages.PART_EPOCHS | messages.PART_DAC, NONE),
        (messages.PART_RANDOM, messages.REASON_RANDOM),
        (messages.PART_RANDOM | messages.PART_RADIO, messages.REASON_RANDOM),
    ):
        control = Control(messages.READY, False, True)
        control.machine.failed_parts = parts
        assert Conditions(control, None).random_works() == reason


def test_a_failed_random_source_lets_nothing_begin_as_failed_records_do():
    for part in (messages.PART_RANDOM, messages.PART_EPOCHS, messages.PART_PAIRINGS):
        for event in (machine.START, machine.TEST, machine.MEASURE, machine.SELF_TEST):
            assert machine.Machine(part).refusal(event, False, True) == PART
