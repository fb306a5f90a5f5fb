"""The stimulator's states, and what leads from one to the next: the one owner of its state, as a table.

Events go in, effects come out; stimfw.stimulator.control carries the effects out. Nothing here touches
hardware or looks at a clock. docs/firmware.md shows the table to people. All of it is `const`, so that on the
boards the table lies in flash.
"""

from stimfw.protocol import messages

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


# Events, and their `detail`.
START = const(0)  # a session is asked for; detail: 0
TEST = const(1)  # one contraction is asked for; detail: seconds
MEASURE = const(2)  # the impedance of all pairs is asked for
SELF_TEST = const(3)  # the output's self-test is asked for
STOP = const(4)  # detail: messages.STOPPED_...
ENDED = const(5)  # the procedure ended by itself; detail: messages.STOPPED_... of a session
RAMP_OVER = const(6)
HOLD_OVER = const(7)
REST_OVER = const(8)
FAILED = const(9)  # detail: messages.PART_... that were lost
MENDED = const(10)  # detail: messages.PART_... that work again
TESTED = const(11)  # the output's self-test has a result; detail: messages.PART_... that failed
WINDOW_OPENED = const(12)  # the pairing window
WINDOW_CLOSED = const(13)  # detail: how far the pairing had got
MAGNET = const(14)  # a magnet came
PROGRAM = const(15)  # another programme, in more than its amplitudes
LEFT_AMPLITUDE = const(16)  # detail: in messages.LOG_AMPLITUDE_STEP_UA
RIGHT_AMPLITUDE = const(17)
CONTACT_LOST = const(18)  # no remote was heard for the programme's contact_s: the session ramps down and ends
RANDOM_FAILED = const(19)  # detail: messages.PART_RANDOM. STOP works without it, so what runs goes on
# Of an implanted stimulator.
TRAIN = const(20)  # a test train under the clinician's hand is asked for
SETTLED = const(21)  # detail: the CONDITION_... bits that hold from now on
WATCHED = const(22)  # the watch stops all; detail: messages.STOPPED_...
PAUSED = const(23)  # something disturbs the measurements: the session waits, the output is off
RESUMED = const(24)  # it is over
EVENT_NAMES = (
    "start", "test stimulation", "measure", "self-test", "stop", "ended", "ramp over", "hold over",
    "rest over", "part failed", "part mended", "self-test done", "window opened", "window closed", "magnet",
    "programme", "left amplitude", "right amplitude", "contact lost",
    "random source failed", "train", "conditions", "watch", "interference", "interference over",
)  # fmt: skip

# Effects: bits, to be carried out in this order.
OFF = const(1)  # the output, and the LED
BEGIN_SESSION = const(2)
BEGIN_MEASURING = const(4)
LIGHT = const(8)  # the LED
NOTE = const(16)  # the event, in the log
CAUSE = const(32)  # keep why the output went off, and note it
TELL = const(64)  # the remote that the state is another one
HOLD_BACK = const(128)  # what others sent before this stop
BEGIN_TRAIN = const(256)
EFFECT_NAMES = (
    "off", "begin session", "begin measuring", "light", "note", "cause", "tell", "hold back", "begin train",
)  # fmt: skip

# In the place of a next state.
SAME = const(0xFE)  # the state stays
IDLE = const(0xFF)  # READY, or FAULT while a part has failed

# The states, messages.READY ...; sets of them are bits.
_READY = const(0)
_RAMP_UP = const(1)
_HOLD = const(2)
_RAMP_DOWN = const(3)
_REST = const(4)
_MEASURING = const(5)
_FAULT = const(6)
_UNCONFIGURED = const(7)
_HEALING = const(8)
_STOPPED = const(9)
_COMPLETE = const(10)
_INTERFERENCE = const(11)
_MRI = const(12)
_STORAGE = const(13)
_TRAIN = const(14)
CONTRACTING = const(1 << _RAMP_UP | 1 << _HOLD | 1 << _RAMP_DOWN | 1 << _REST)
SESSION = const(CONTRACTING | 1 << _INTERFERENCE)
ON = const(SESSION | 1 << _MEASURING | 1 << _TRAIN)
SHUT = const(1 << _MRI | 1 << _STORAGE)
"""The electrodes stay open: nothing begins, not even a measurement."""
AWAKE = const(
    1 << _READY | 1 << _FAULT | 1 << _UNCONFIGURED | 1 << _HEALING | 1 << _STOPPED | 1 << _COMPLETE
)
AT_REST = const(AWAKE | SHUT)
STARTABLE = const(1 << _READY | 1 << _STOPPED)

# What an implanted stimulator's state at rest follows from: bits, and the state of the first one that holds.
CONDITION_MRI = const(1)
CONDITION_STORAGE = const(2)
CONDITION_FAULT = const(4)
CONDITION_UNCONFIGURED = const(8)
CONDITION_HEALING = const(16)
CONDITION_COMPLETE = const(32)
CONDITION_STOPPED = const(64)
CONDITION_NAMES = (
    "MRI mode", "storage mode", "fault", "no prescription", "healing", "day complete", "stopped today",
)  # fmt: skip
RESTS = (
    (CONDITION_MRI, _MRI),
    (CONDITION_STORAGE, _STORAGE),
    (CONDITION_FAULT, _FAULT),
    (CONDITION_UNCONFIGURED, _UNCONFIGURED),
    (CONDITION_HEALING, _HEALING),
    (CONDITION_COMPLETE, _COMPLETE),
    (CONDITION_STOPPED, _STOPPED),
)

# States, event, next state, effects. What is not here cannot happen, or is refused: `Machine.refusal`.
ROWS = (
    (STARTABLE, START, _RAMP_UP, BEGIN_SESSION | LIGHT | NOTE | TELL),
    (STARTABLE, TEST, _RAMP_UP, BEGIN_SESSION | LIGHT | NOTE | TELL),
    (AWAKE, MEASURE, _MEASURING, BEGIN_MEASURING | LIGHT | NOTE | TELL),
    (AWAKE, SELF_TEST, _MEASURING, BEGIN_MEASURING | LIGHT | NOTE | TELL),
    (SESSION, START, SAME, 0),  # asked for twice: it runs
    (1 << _RAMP_UP, RAMP_OVER, _HOLD, TELL),
    (1 << _HOLD, HOLD_OVER, _RAMP_DOWN, TELL),
    (1 << _RAMP_DOWN, RAMP_OVER, _REST, TELL),
    (1 << _REST, REST_OVER, _RAMP_UP, TELL),
    (SESSION, CONTACT_LOST, SAME, NOTE),
    (AT_REST, STOP, SAME, OFF | HOLD_BACK),
    (ON, STOP, IDLE, OFF | CAUSE | TELL | HOLD_BACK),
    (SESSION, ENDED, IDLE, OFF | CAUSE | TELL | HOLD_BACK),
    (1 << _MEASURING, ENDED, IDLE, OFF | NOTE | TELL),  # nobody's stop: nothing is held back
    (AT_REST, MAGNET, SAME, OFF | NOTE | HOLD_BACK),
    (ON, MAGNET, IDLE, OFF | NOTE | CAUSE | TELL | HOLD_BACK),
    (AT_REST, FAILED, IDLE, OFF | NOTE | TELL | HOLD_BACK),
    (ON, FAILED, IDLE, OFF | NOTE | CAUSE | TELL | HOLD_BACK),
    (AT_REST, RANDOM_FAILED, IDLE, NOTE | TELL),
    (ON, RANDOM_FAILED, SAME, NOTE),
    (AT_REST, MENDED, IDLE, NOTE | TELL),
    (ON, MENDED, SAME, NOTE),
    (1 << _RAMP_UP | 1 << _MEASURING, TESTED, SAME, 0),  # the procedure ends if a part failed
    (AT_REST, WINDOW_OPENED, SAME, NOTE | TELL),
    (AT_REST, WINDOW_CLOSED, SAME, NOTE | TELL),
    (AT_REST, PROGRAM, SAME, 0),
    (AT_REST | SESSION, LEFT_AMPLITUDE, SAME, NOTE),
    (AT_REST | SESSION, RIGHT_AMPLITUDE, SAME, NOTE),
    # Of an implanted stimulator.
    (AWAKE, TRAIN, _TRAIN, BEGIN_TRAIN | LIGHT | TELL),
    (1 << _TRAIN, ENDED, IDLE, OFF | CAUSE | TELL | HOLD_BACK),
    (AT_REST, SETTLED, IDLE, TELL),
    (ON, SETTLED, SAME, 0),  # it counts when what runs has ended
    (ON, WATCHED, IDLE, OFF | CAUSE | TELL | HOLD_BACK),
    (CONTRACTING, PAUSED, _INTERFERENCE, TELL),
    (1 << _INTERFERENCE, RESUMED, _REST, TELL),
)

# What a self-test of the output can find: these it may clear. messages.PART_DAC, PART_MATRIX, PART_SENSE,
# PART_SUPPLY, and PART_GATE to PART_IDLE.
OUTPUT_PARTS = const(0x7E1B)

_NONE = const(0xFF)
# By state.
_OVER: "tuple[int, ...]" = (
    _NONE, RAMP_OVER, HOLD_OVER, RAMP_OVER, REST_OVER, _NONE, _NONE,
    _NONE, _NONE, _NONE, _NONE, RESUMED, _NONE, _NONE, _NONE,
)  # fmt: skip
# Why START is refused at rest, messages.REASON_... or stimfw.protocol.therapy_reasons; by state.
_REFUSED: "tuple[int, ...]" = (0, 0, 0, 0, 0, 0, 21, 16, 17, 0, 18, 22, 23, 24, 5)
# What the log calls an event that has the effect NOTE, messages.EVENT_...; by event.
_LOGGED = (15, 15, 16, 17, _NONE, 18, _NONE, _NONE, _NONE, 20, 21, _NONE, 6, 7, 10, _NONE, 22, 23, 26, 20)


class Machine:
    """The state and its three conditions. They change in `feed` alone.

    Attributes:
        state: messages.READY, RAMP_UP, ....
        failed_parts: messages.PART_... bits; while there are any but `spared` ones, no session starts.
        spared: of them, those that the board does without until they work: see `spare`.
        window_open: the pairing window is open: nothing starts.
        ending: contact was lost: the session ends with the ramp down, and no START makes it go on.
        conditions: CONDITION_... bits of an implanted stimulator, none of a board on the bench.
    """

    def __init__(self, failed_parts: int) -> None:
        self.failed_parts = failed_parts
        self.spared = 0
        self.conditions = 0
        self.window_open = False
        self.ending = False
        self.state = self._idle()

    def spare(self, parts: int) -> None:
        """Do without these failed parts, messages.PART_... bits, until they are mended; at the start only."""
        self.spared = self.failed_parts & parts
        self.state = self._idle()

    def is_on(self) -> bool:
        """Whether a procedure runs: a session or a measurement."""
        return bool(ON >> self.state & 1)

    def refusal(self, event: int, magnet_near: bool, has_amplitude: bool, held_back: bool = False) -> int:
        """Why what `event` asks for is refused now: messages.REASON_..., REASON_NONE if it is not.

        Args:
            event: START, TEST, MEASURE, SELF_TEST, TRAIN, PROGRAM or one of the amplitudes.
            magnet_near: a magnet is at the stimulator.
            has_amplitude: an amplitude of the programme is not zero.
            held_back: somebody else stopped just now, and this may have been sent before.
        """
        if SESSION >> self.state & 1 and (
            event not in (START, LEFT_AMPLITUDE, RIGHT_AMPLITUDE) or self.ending and event == START
        ):
            return messages.REASON_LOCKED
        if self.state == _MEASURING or self.state == _TRAIN:
            return messages.REASON_BUSY
        if PROGRAM <= event <= RIGHT_AMPLITUDE:
            return messages.REASON_NONE
        if self.window_open:
            return messages.REASON_PAIRING
        if SHUT >> self.state & 1:
            return _REFUSED[self.state]
        if self.failed_parts & ~self.spared & ~(OUTPUT_PARTS if event == SELF_TEST else 0):
            return messages.REASON_SELF_TEST
        if event <= TEST and _REFUSED[self.state]:
            return _REFUSED[self.state]
        if magnet_near:
            return messages.REASON_MAGNET
        if event <= TEST and not has_amplitude:
            return messages.REASON_NO_AMPLITUDE
        return messages.REASON_JUST_STOPPED if held_back else messages.REASON_NONE

    def feed(self, event: int, detail: int = 0) -> int:
        """What happened; the effects that are to be carried out.

        Raises:
            ValueError: it cannot happen in this state; the caller has not asked `refusal`.
        """
        for states, known, after, effects in ROWS:
            if known == event and states >> self.state & 1:
                self._keep(event, detail)
                if after != SAME:
                    self.state = self._idle() if after == IDLE else after
                if not SESSION >> self.state & 1:
                    self.ending = False
                return effects
        raise ValueError("%s in state %s" % (EVENT_NAMES[event], messages.STATE_NAMES[self.state]))

    def over(self) -> int:
        """The event that ends the present part of a contraction."""
        return _OVER[self.state]

    def _keep(self, event: int, detail: int) -> None:
        """The conditions after an event."""
        if event == FAILED or event == RANDOM_FAILED:
            self.failed_parts |= detail
        elif event == MENDED:
            self.failed_parts &= ~detail
            self.spared &= ~detail
        elif event == TESTED:
            self.failed_parts = self.failed_parts & ~OUTPUT_PARTS | detail
        elif event == WINDOW_OPENED or event == WINDOW_CLOSED:
            self.window_open = event == WINDOW_OPENED
        elif event == CONTACT_LOST:
            self.ending = True
        elif event == SETTLED:
            self.conditions = detail

    def _idle(self) -> int:
        held = self.conditions | (CONDITION_FAULT if self.failed_parts & ~self.spared else 0)
        if held:
            for condition, state in RESTS:
                if held & condition:
                    return int(state)
        return messages.READY


def cause(event: int, detail: int) -> int:
    """Why an event with the effect CAUSE ends what runs: messages.STOPPED_...."""
    if event == MAGNET:
        return messages.STOPPED_MAGNET
    return messages.STOPPED_FAULT if event == FAILED else detail  # of WATCHED, STOP and ENDED: what they say


def logged_as(event: int) -> int:
    """messages.EVENT_... of an event with the effect NOTE."""
    return _LOGGED[event]
