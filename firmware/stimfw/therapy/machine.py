"""The stimulator's states, and what leads from one to the next: the one owner of its state, as a table.

Events go in, effects come out; stimfw.stimulator.control carries the effects out. Nothing here touches
hardware or looks at a clock. docs/firmware.md shows the table to people.
"""

from stimfw.protocol import messages
from stimfw.protocol.messages import FAULT, HOLD, MEASURING, RAMP_DOWN, RAMP_UP, READY, REST

# Events, and their `detail`.
START = 0  # a session is asked for; detail: 0
TEST = 1  # one contraction is asked for; detail: seconds
MEASURE = 2  # the impedance of all pairs is asked for
SELF_TEST = 3  # the output's self-test is asked for
STOP = 4  # detail: messages.STOPPED_...
ENDED = 5  # the procedure ended by itself; detail: messages.STOPPED_... of a session
RAMP_OVER = 6
HOLD_OVER = 7
REST_OVER = 8
FAILED = 9  # detail: messages.PART_... that were lost
MENDED = 10  # detail: messages.PART_... that work again
TESTED = 11  # the output's self-test has a result; detail: messages.PART_... that failed
WINDOW_OPENED = 12  # the pairing window
WINDOW_CLOSED = 13  # detail: how far the pairing had got
MAGNET = 14  # a magnet came
PROGRAM = 15  # another programme, in more than its amplitudes
LEFT_AMPLITUDE = 16  # detail: in AMPLITUDE_STEP_UA
RIGHT_AMPLITUDE = 17
EVENT_NAMES = (
    "start", "test stimulation", "measure", "self-test", "stop", "ended", "ramp over", "hold over",
    "rest over", "part failed", "part mended", "self-test done", "window opened", "window closed", "magnet",
    "programme", "left amplitude", "right amplitude",
)  # fmt: skip

# Effects: bits, to be carried out in this order.
OFF = 1  # the output, and the LED
BEGIN_SESSION = 2
BEGIN_MEASURING = 4
LIGHT = 8  # the LED
NOTE = 16  # the event, in the log
CAUSE = 32  # keep why the output went off, and note it
TELL = 64  # the remote that the state is another one
EFFECT_NAMES = ("off", "begin session", "begin measuring", "light", "note", "cause", "tell")

# In the place of a next state.
SAME = 0xFE  # the state stays
IDLE = 0xFF  # READY, or FAULT while a part has failed

SESSION = (RAMP_UP, HOLD, RAMP_DOWN, REST)
ON = SESSION + (MEASURING,)
AT_REST = (READY, FAULT)
ALL = AT_REST + ON

# States, event, next state, effects. What is not here cannot happen, or is refused: `Machine.refusal`.
ROWS = (
    ((READY,), START, RAMP_UP, BEGIN_SESSION | LIGHT | NOTE | TELL),
    ((READY,), TEST, RAMP_UP, BEGIN_SESSION | LIGHT | NOTE | TELL),
    ((READY,), MEASURE, MEASURING, BEGIN_MEASURING | LIGHT | NOTE | TELL),
    (AT_REST, SELF_TEST, MEASURING, BEGIN_MEASURING | LIGHT | NOTE | TELL),
    (SESSION, START, SAME, 0),  # asked for twice: it runs
    ((RAMP_UP,), RAMP_OVER, HOLD, TELL),
    ((HOLD,), HOLD_OVER, RAMP_DOWN, TELL),
    ((RAMP_DOWN,), RAMP_OVER, REST, TELL),
    ((REST,), REST_OVER, RAMP_UP, TELL),
    (AT_REST, STOP, SAME, OFF),
    (ON, STOP, IDLE, OFF | CAUSE | TELL),
    (SESSION, ENDED, IDLE, OFF | CAUSE | TELL),
    ((MEASURING,), ENDED, IDLE, OFF | NOTE | TELL),
    (AT_REST, MAGNET, SAME, OFF | NOTE),
    (ON, MAGNET, IDLE, OFF | NOTE | CAUSE | TELL),
    (AT_REST, FAILED, IDLE, OFF | NOTE | TELL),
    (ON, FAILED, IDLE, OFF | NOTE | CAUSE | TELL),
    (AT_REST, MENDED, IDLE, NOTE | TELL),
    (ON, MENDED, SAME, NOTE),
    ((RAMP_UP, MEASURING), TESTED, SAME, 0),  # the procedure ends if a part failed
    (AT_REST, WINDOW_OPENED, SAME, NOTE | TELL),
    (AT_REST, WINDOW_CLOSED, SAME, NOTE | TELL),
    (AT_REST, PROGRAM, SAME, 0),
    (AT_REST + SESSION, LEFT_AMPLITUDE, SAME, NOTE),
    (AT_REST + SESSION, RIGHT_AMPLITUDE, SAME, NOTE),
)

# What a self-test of the output can find: these it may clear.
OUTPUT_PARTS = messages.PART_DAC | messages.PART_MATRIX | messages.PART_SENSE
AMPLITUDE_STEP_UA = messages.LOG_AMPLITUDE_STEP_UA

_EVENTS = len(EVENT_NAMES)
_NO_ROW = 0xFF
_OVER = (-1, RAMP_OVER, HOLD_OVER, RAMP_OVER, REST_OVER, -1, -1)  # by state
# What the log calls an event that has the effect NOTE.
_LOGGED = {
    START: messages.EVENT_SESSION,
    TEST: messages.EVENT_SESSION,
    MEASURE: messages.EVENT_MEASURING,
    SELF_TEST: messages.EVENT_SELF_TEST,
    ENDED: messages.EVENT_MEASURED,
    FAILED: messages.EVENT_PART_FAILED,
    MENDED: messages.EVENT_PART_MENDED,
    WINDOW_OPENED: messages.EVENT_WINDOW_OPENED,
    WINDOW_CLOSED: messages.EVENT_WINDOW_CLOSED,
    MAGNET: messages.EVENT_MAGNET,
    LEFT_AMPLITUDE: messages.EVENT_LEFT_AMPLITUDE,
    RIGHT_AMPLITUDE: messages.EVENT_RIGHT_AMPLITUDE,
}


class Machine:
    """The state and its two conditions. They change in `feed` alone.

    Attributes:
        state: messages.READY, RAMP_UP, ....
        failed_parts: messages.PART_... bits; while there are any, no session starts.
        window_open: the pairing window is open: nothing starts.
    """

    def __init__(self, failed_parts: int) -> None:
        self.failed_parts = failed_parts
        self.window_open = False
        self.state = self._idle()
        # A stop must not wait for a search through the rows.
        self._row_of = bytearray([_NO_ROW] * (len(ALL) * _EVENTS))
        for number, row in enumerate(ROWS):
            for state in row[0]:
                self._row_of[state * _EVENTS + row[1]] = number

    def is_on(self) -> bool:
        """Whether a procedure runs: a session or a measurement."""
        return self.state in ON

    def refusal(self, event: int, magnet_near: bool, has_amplitude: bool) -> int:
        """Why what `event` asks for is refused now: messages.REASON_..., REASON_NONE if it is not.

        Args:
            event: START, TEST, MEASURE, SELF_TEST, PROGRAM or one of the amplitudes.
            magnet_near: a magnet is at the stimulator.
            has_amplitude: an amplitude of the programme is not zero.
        """
        if self.state in SESSION and event not in (START, LEFT_AMPLITUDE, RIGHT_AMPLITUDE):
            return messages.REASON_LOCKED
        if self.state == MEASURING:
            return messages.REASON_BUSY
        if event >= PROGRAM:
            return messages.REASON_NONE
        if self.window_open:
            return messages.REASON_PAIRING
        if self.failed_parts & ~(OUTPUT_PARTS if event == SELF_TEST else 0):
            return messages.REASON_SELF_TEST
        if magnet_near:
            return messages.REASON_MAGNET
        if event <= TEST and not has_amplitude:
            return messages.REASON_NO_AMPLITUDE
        return messages.REASON_NONE

    def feed(self, event: int, detail: int = 0) -> int:
        """What happened; the effects that are to be carried out.

        Raises:
            ValueError: it cannot happen in this state; the caller has not asked `refusal`.
        """
        number = self._row_of[self.state * _EVENTS + event]
        if number == _NO_ROW:
            raise ValueError("%s in state %s" % (EVENT_NAMES[event], messages.STATE_NAMES[self.state]))
        self._keep(event, detail)
        row = ROWS[number]
        if row[2] != SAME:
            self.state = self._idle() if row[2] == IDLE else row[2]
        return row[3]

    def over(self) -> int:
        """The event that ends the present part of a contraction."""
        return _OVER[self.state]

    def _keep(self, event: int, detail: int) -> None:
        """The conditions after an event."""
        if event == FAILED:
            self.failed_parts |= detail
        elif event == MENDED:
            self.failed_parts &= ~detail
        elif event == TESTED:
            self.failed_parts = self.failed_parts & ~OUTPUT_PARTS | detail
        elif event == WINDOW_OPENED or event == WINDOW_CLOSED:
            self.window_open = event == WINDOW_OPENED

    def _idle(self) -> int:
        return FAULT if self.failed_parts else READY


def cause(event: int, detail: int) -> int:
    """Why an event with the effect CAUSE ends what runs: messages.STOPPED_...."""
    if event == MAGNET:
        return messages.STOPPED_MAGNET
    return messages.STOPPED_FAULT if event == FAILED else detail


def logged_as(event: int) -> int:
    """messages.EVENT_... of an event with the effect NOTE."""
    return _LOGGED[event]
