"""States of stimfw.therapy.machine, each reached by the machine's own rows. For CPython and MicroPython."""

from stimfw.protocol import messages
from stimfw.protocol.messages import FAULT, HOLD, MEASURING, RAMP_DOWN, RAMP_UP, READY, REST
from stimfw.therapy import machine
from stimfw.therapy.machine import Machine

UNCONFIGURED, HEALING, STOPPED, COMPLETE, INTERFERENCE, MRI, STORAGE, TRAIN = range(FAULT + 1, FAULT + 9)
STATES = range(TRAIN + 1)
CONTRACTING = (RAMP_UP, HOLD, RAMP_DOWN, REST)
SESSION = (RAMP_UP, HOLD, RAMP_DOWN, REST, INTERFERENCE)
ON = (RAMP_UP, HOLD, RAMP_DOWN, REST, MEASURING, INTERFERENCE, TRAIN)
SHUT = (MRI, STORAGE)
REST_STATES = (READY, FAULT, UNCONFIGURED, HEALING, STOPPED, COMPLETE, MRI, STORAGE)
AWAKE = (READY, FAULT, UNCONFIGURED, HEALING, STOPPED, COMPLETE)
# The condition that a state at rest follows from.
CONDITION_OF = {
    MRI: machine.CONDITION_MRI,
    STORAGE: machine.CONDITION_STORAGE,
    UNCONFIGURED: machine.CONDITION_UNCONFIGURED,
    HEALING: machine.CONDITION_HEALING,
    COMPLETE: machine.CONDITION_COMPLETE,
    STOPPED: machine.CONDITION_STOPPED,
}


def in_state(state, failed_parts=0):
    """A machine that came to `state` by its own rows; in FAULT a part has failed if none is named."""
    one = Machine(failed_parts or (messages.PART_RADIO if state == FAULT else 0))
    if state in CONDITION_OF:
        one.feed(machine.SETTLED, CONDITION_OF[state])
    elif state == MEASURING:
        one.feed(machine.MEASURE)
    elif state == TRAIN:
        one.feed(machine.TRAIN)
    elif state in SESSION:
        one.feed(machine.START)
        if state == INTERFERENCE:
            one.feed(machine.PAUSED)
        while one.state != state:
            one.feed(one.over())
    assert one.state == state
    return one


def fed(state, event, detail=0):
    """The state after an event, and its effects; None if it cannot happen."""
    one = in_state(state)
    try:
        effects = one.feed(event, detail)
    except ValueError:
        assert one.state == state
        return None
    return one.state, effects


def reason(state, event, magnet_near=False, has_amplitude=True, failed_parts=0, window=False, held=False):
    """Why `event` is refused in a state."""
    one = in_state(state, failed_parts)
    one.window_open = window
    return one.refusal(event, magnet_near, has_amplitude, held)
