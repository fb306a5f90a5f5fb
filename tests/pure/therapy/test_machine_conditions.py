"""The states of an implanted stimulator: what they follow from, and where each event leads, a second time."""

from stimfw.protocol import messages
from stimfw.protocol.messages import FAULT, MEASURING, RAMP_UP, READY, REST
from stimfw.therapy import machine
from stimfw.therapy.machine import Machine
from support.control import control
from support.machine_states import (
    COMPLETE,
    CONDITION_OF,
    CONTRACTING,
    HEALING,
    INTERFERENCE,
    MRI,
    ON,
    REST_STATES,
    SESSION,
    SHUT,
    STATES,
    STOPPED,
    STORAGE,
    TRAIN,
    UNCONFIGURED,
    fed,
    in_state,
)  # fmt: skip

ENDED = machine.OFF | machine.CAUSE | machine.TELL | machine.HOLD_BACK

# Where each event leads, a row for each state: a letter for each event, in the order of machine.EVENT_NAMES.
# `.`: it cannot happen; `=`: the state stays; else the letter of the state that follows. The conditions stay.
# start test measure self-test stop | ended, ramp, hold, rest over | failed mended tested | window opened and
# closed, magnet programme left right | contact random train conditions | watch, interference and its end.
MATRIX = (
    ("r", "uumm= .... fr. ====== .ftr ..."),  # ready
    ("u", "=...r rh.. f== ..r.== ==.= ri."),  # ramp up
    ("h", "=...r r.d. f=. ..r.== ==.= ri."),  # hold
    ("d", "=...r rz.. f=. ..r.== ==.= ri."),  # ramp down
    ("z", "=...r r..u f=. ..r.== ==.= ri."),  # rest
    ("m", "....r r... f== ..r... .=.= r.."),  # measuring impedance
    ("f", "..mm= .... ff. ====== .ftf ..."),  # fault
    ("n", "..mm= .... fn. ====== .ftn ..."),  # unconfigured
    ("l", "..mm= .... fl. ====== .ftl ..."),  # healing
    ("s", "uumm= .... fs. ====== .fts ..."),  # stopped
    ("c", "..mm= .... fc. ====== .ftc ..."),  # complete
    ("i", "=...r r... f=. ..r.== ==.= r.z"),  # interference
    ("x", "....= .... xx. ====== .x.x ..."),  # mri mode: no failed part ends it
    ("y", "....= .... yy. ====== .y.y ..."),  # storage
    ("t", "....r r... f=. ..r... .=.= r.."),  # test train
)
LETTERS = "".join([letter for letter, _ in MATRIX])


def detail_of(state, event):
    """A detail of the event that changes nothing but what the event is for."""
    if event == machine.SETTLED:
        return CONDITION_OF.get(state, 0)
    return {machine.FAILED: messages.PART_DAC, machine.RANDOM_FAILED: messages.PART_RANDOM}.get(event, 0)


@control("C-08")
def test_every_event_in_every_state():
    assert len(MATRIX) == len(STATES) == len(messages.STATE_NAMES) == 15
    for state in STATES:
        row = MATRIX[state][1].replace(" ", "")
        assert len(row) == len(machine.EVENT_NAMES) == 25
        for event, wanted in enumerate(row):
            found = fed(state, event, detail_of(state, event))
            if wanted == ".":
                assert found is None, (state, event)
            else:
                after = state if wanted == "=" else LETTERS.index(wanted)
                assert found is not None and found[0] == after, (state, event, found)


@control("C-61")
def test_the_first_condition_that_holds_gives_the_state_at_rest():
    """Every set of conditions, with and without a failed part, from every state at rest."""
    order = (
        ("MRI mode", MRI), ("storage mode", STORAGE), ("fault", FAULT), ("no prescription", UNCONFIGURED),
        ("healing", HEALING), ("day complete", COMPLETE), ("stopped today", STOPPED),
    )  # fmt: skip
    bits = {name: 1 << index for index, name in enumerate(machine.CONDITION_NAMES)}
    for held in range(1 << len(order)):
        for failed in (0, messages.PART_RADIO):
            states = [state for name, state in order if held & bits[name] or name == "fault" and failed]
            wanted = states[0] if states else READY
            for state in REST_STATES:
                one = in_state(state)
                one.failed_parts = failed
                assert one.feed(machine.SETTLED, held) == machine.TELL
                assert (one.state, one.conditions) == (wanted, held), (state, held, failed)


def test_conditions_that_come_while_something_runs_count_when_it_has_ended():
    ends = (
        (machine.STOP, messages.STOPPED_REMOTE), (machine.ENDED, 0), (machine.MAGNET, 0),
        (machine.WATCHED, 8),
    )  # fmt: skip
    for state in ON:
        for wanted in CONDITION_OF:
            for event, detail in ends:
                if event == machine.ENDED and fed(state, machine.ENDED) is None:
                    continue
                one = in_state(state)
                assert one.feed(machine.SETTLED, CONDITION_OF[wanted]) == 0 and one.state == state
                one.feed(event, detail)
                assert one.state == wanted, (state, event)


def test_only_the_conditions_event_changes_the_conditions():
    every = (1 << len(machine.CONDITION_NAMES)) - 1
    for state in STATES:
        for event in range(len(machine.EVENT_NAMES)):
            for held in (0, every):
                one = in_state(state)
                one.conditions = held
                try:
                    one.feed(event, 0x55)
                except ValueError:
                    assert one.conditions == held
                    continue
                assert one.conditions == (0x55 if event == machine.SETTLED else held), (state, event)


def test_a_mended_part_leaves_the_conditions_in_force():
    for state in CONDITION_OF:
        one = in_state(state)
        one.feed(machine.FAILED, messages.PART_RADIO)
        assert one.state == (state if state in SHUT else FAULT)
        one.feed(machine.MENDED, messages.PART_RADIO)
        assert one.state == state


def test_the_watch_ends_what_runs_and_nothing_else():
    for state in STATES:
        wanted = (READY, ENDED) if state in ON else None
        assert fed(state, machine.WATCHED, messages.STOP_NAMES.index("watch")) == wanted, state


@control("C-60")
def test_interference_pauses_a_contraction_and_the_session_goes_on_with_a_rest():
    for state in STATES:
        wanted = (INTERFERENCE, machine.TELL) if state in CONTRACTING else None
        assert fed(state, machine.PAUSED) == wanted, state
        wanted = (REST, machine.TELL) if state == INTERFERENCE else None
        assert fed(state, machine.RESUMED) == wanted, state
    for state in CONTRACTING:
        one = in_state(state)
        one.feed(machine.CONTACT_LOST)
        one.feed(machine.PAUSED)
        assert one.ending and one.is_on() and one.over() == machine.RESUMED
        one.feed(machine.RESUMED)
        assert one.ending, "a pause does not bring the remote back"


def test_a_test_train_ends_as_a_session_does_and_tells_why():
    begun = machine.BEGIN_TRAIN | machine.LIGHT | machine.TELL
    assert fed(UNCONFIGURED, machine.TRAIN) == (TRAIN, begun)
    for event in (machine.ENDED, machine.STOP):
        assert fed(TRAIN, event, messages.STOP_NAMES.index("host gone")) == (READY, ENDED)


def test_what_a_state_waits_for():
    ends = {RAMP_UP: machine.RAMP_OVER, 2: machine.HOLD_OVER, 3: machine.RAMP_OVER, REST: machine.REST_OVER}
    ends[INTERFERENCE] = machine.RESUMED
    for state in STATES:
        assert in_state(state).over() == ends.get(state, 0xFF), state
    assert set(ends) == set(SESSION) and MEASURING not in ends


def test_a_board_on_the_bench_has_no_conditions():
    assert Machine(0).conditions == Machine(messages.PART_RADIO).conditions == 0
