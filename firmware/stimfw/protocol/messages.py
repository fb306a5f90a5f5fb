"""What the host, the remote and the stimulator say to each other, whatever carries it.

A request is `[opcode][body]`, a reply `[opcode | REPLY][code][body]`. All numbers are little endian.
The console (stimfw.protocol.console_frame) and the radio (stimfw.telemetry) carry these bytes and know
nothing of their meaning. Who may send which request: stimfw.protocol.roles.
"""

import struct

REPLY = 0x80
MAX_BODY = 240
"""Bytes of a body."""

# Opcodes.
IDENTIFY = 0x01
STATUS = 0x02
START = 0x03
STOP = 0x04
GET_PROGRAM = 0x05
SET_PROGRAM = 0x06
IMPEDANCE = 0x07  # begins a measurement of all pairs of both leads
IMPEDANCE_RESULTS = 0x08  # body: lead index
PULSES = 0x09  # body: number of the first pulse wanted (u32)
DETAILS = 0x0A
COUNTERS = 0x0B
SELF_TEST = 0x0C  # begins the output's self-test: a test current that crosses no electrode pair
AMPLITUDE = 0x0D  # body: left, right amplitude in uA (u16 each)
GET_WINDOW = 0x0E  # reply: AMPLITUDE_WINDOW
SET_WINDOW = 0x0F  # body: AMPLITUDE_WINDOW
TEST_STIMULATION = 0x10  # body: seconds (u8, 1-30): one contraction, then the output is off
LOG = 0x11  # body: number of the first event wanted (u32); reply: the first event's number (u32), LOG_RECORDs
GET_TIME = 0x12  # reply: seconds since 1970 (u32), 0 if nobody set the clock since the start
SET_TIME = 0x13  # body: seconds since 1970 (u32)
# Reply, stimulator: base 4, then PAIRING_RECORDs; remote: own id 4, then base 4, PAIRING_RECORD if paired.
PAIRINGS = 0x14
# Stimulator: peer id 4, role u8, key 32; reply: slot u8, base 4. Remote: base 4, slot u8, role u8, key 32.
PAIR = 0x15
FORGET = 0x16  # body: slot u8, or ALL_SLOTS
FACTORY_RESET = 0x17  # with the magnet only
RECORDS = 0x18  # reply: a state u8 for each area on flash (stimfw.storage.areas)
# Body: u8, 1 to overwrite also what a later firmware has written. Reply: the plan u8, see there; the board
# restarts if it is not 0.
REPAIR = 0x19
XIP = 0x1A  # body: u8, 1 to clear them afterwards; reply: hits u32, accesses u32 of the flash cache
# Of the remote alone: it carries frames for a clinician's host and cannot read them.
MODEM_SEND = 0x20  # body: base 4, slot u8, frame
MODEM_RECEIVE = 0x21  # reply: MODEM_... state u8, then the received frame if there is one
MODEM_CLOSE = 0x22

# Reply codes.
OK = 0
OUT_OF_RANGE = 1  # body: index in program.FIELD_NAMES (u8), value (i32)
WRONG_STATE = 2  # body: the state (u8), reason (u8)
UNKNOWN_OPCODE = 3
BAD_LENGTH = 4
FORBIDDEN = 5  # not for the sender's role

CODE_NAMES = ("ok", "out of range", "wrong state", "unknown opcode", "bad length", "forbidden to this role")

# States of the stimulator.
READY = 0
RAMP_UP = 1
HOLD = 2
RAMP_DOWN = 3
REST = 4
MEASURING = 5
FAULT = 6
STATE_NAMES = ("ready", "ramp up", "hold", "ramp down", "rest", "measuring impedance", "fault")

# Why a request is refused in a state.
REASON_NONE = 0
REASON_SELF_TEST = 1
REASON_LOCKED = 2
REASON_MAGNET = 3
REASON_NO_AMPLITUDE = 4
REASON_BUSY = 5
REASON_PAIRING = 6
REASON_WINDOW = 7
REASON_NO_MAGNET = 8
REASON_FULL = 9
REASON_STORAGE = 10
REASON_TEXTS = (
    "",
    "the self-test failed",
    "locked while the output is on",
    "a magnet is present",
    "both amplitudes are zero",
    "a measurement is running",
    "the pairing window is open",
    "outside the amplitudes that the clinician allowed",
    "it needs the magnet at the stimulator",
    "all slots are taken: forget a pairing first",
    "the flash did not take it",
)

# Why the output last went off.
STOPPED_NEVER_ON = 0
STOPPED_REMOTE = 1
STOPPED_HOST = 2
STOPPED_MAGNET = 3
STOPPED_SESSION_OVER = 4
STOPPED_REPL = 5
STOPPED_FAULT = 6
STOP_NAMES = ("never on", "remote", "host", "magnet", "session over", "console interrupt", "fault")

# Parts that the self-test may find wanting, by bit.
PART_NAMES = ("dac", "matrix", "radio", "sense", "supply", "filesystem", "epochs", "pairings")
PART_DAC = 1
PART_MATRIX = 2
PART_RADIO = 4
PART_SENSE = 8
PART_SUPPLY = 16
PART_FILESYSTEM = 32  # littlefs, which holds nothing of ours
PART_EPOCHS = 64
PART_PAIRINGS = 128

FLAG_MAGNET = 1
FLAG_PAIRING = 2  # the pairing window is open
FLAG_UNPAIRED = 4  # of a remote: it has no pairing

_STATUS = "<BBBHHHHH"
STATUS_FIELDS = (
    "state",
    "flags",
    "stop_cause",
    "failed_parts",
    "left_amplitude_ua",
    "right_amplitude_ua",
    "session_s",
    "supply_mv",
)
_DETAILS = "<IIIHBhII"
DETAILS_FIELDS = (
    "uptime_ms",
    "left_pulses",
    "right_pulses",
    "cycles",
    "reset_cause",
    "temperature_dc",
    "heap_free",
    "boot_us",
)
COUNTER_NAMES = (
    "console_frames",
    "console_bad",
    "console_oversized",
    "console_tx_dropped",
    "radio_frames",
    "radio_bad",
    "radio_duplicates",
    "radio_tx_failed",
    "refused",
    "magnet_stops",
    "missed_measurements",
    "radio_forged",  # tags that did not verify
    "radio_replayed",  # frames that were good once
    "radio_over_budget",  # dropped unverified
    "radio_connections",
    "forbidden",  # requests that the sender's role may not make
)

# Amplitudes in uA that a patient may choose: left lowest, left highest, right lowest, right highest.
AMPLITUDE_WINDOW = "<HHHH"
WINDOW_FIELDS = ("left_min_ua", "left_max_ua", "right_min_ua", "right_max_ua")

# Pairings.
SLOTS = 6
ALL_SLOTS = 0xFF
PAIRING_RECORD = "<BBB4s"  # slot, state, role, peer id
PAIRING_FIELDS = ("slot", "state", "role", "peer_id")

# What has become of the frame that the modem was given.
MODEM_IDLE = 0
MODEM_SEARCHING = 1
MODEM_DELIVERED = 2
MODEM_UNDELIVERED = 3

# The event log: since the start, in RAM. Seconds since the start, kind, sender (slot, or FROM_USB), detail.
LOG_RECORD = "<IBBB"  # uptime_s, kind, sender, detail
LOG_FIELDS = ("uptime_s", "kind", "sender", "detail")
FROM_USB = 0xFE
FROM_NOBODY = 0xFF
EVENT_NAMES = (
    "started",  # detail: reset cause
    "forbidden",  # detail: opcode
    "forged",  # detail: kind of frame; at most one a second
    "replayed",  # detail: kind of frame; at most one a second
    "flood",  # detail: level of the back-off, 0 when it is over
    "connected",
    "window opened",
    "window closed",  # detail: how far the pairing had got
    "paired",  # detail: role
    "forgotten",
    "magnet",
    "programme set",
    "time set",
    "window set",
    "factory reset",
    "session",  # detail: 0, or the seconds of a test stimulation
    "measurement",
    "self-test",
    "measurement over",  # it ended by itself, or a self-test did
    "output off",  # detail: STOPPED_...; not if it was off already
    "part failed",  # detail: PART_... bits that were lost
    "part mended",  # detail: PART_... bits that work again
    "left amplitude",  # of the programme; detail: in LOG_AMPLITUDE_STEP_UA, rounded up
    "right amplitude",
)
LOG_AMPLITUDE_STEP_UA = 50
EVENT_STARTED = 0
EVENT_FORBIDDEN = 1
EVENT_FORGED = 2
EVENT_REPLAYED = 3
EVENT_FLOOD = 4
EVENT_CONNECTED = 5
EVENT_WINDOW_OPENED = 6
EVENT_WINDOW_CLOSED = 7
EVENT_PAIRED = 8
EVENT_FORGOTTEN = 9
EVENT_MAGNET = 10
EVENT_PROGRAM_SET = 11
EVENT_TIME_SET = 12
EVENT_WINDOW_SET = 13
EVENT_FACTORY_RESET = 14
EVENT_SESSION = 15
EVENT_MEASURING = 16
EVENT_SELF_TEST = 17
EVENT_MEASURED = 18
EVENT_STOPPED = 19
EVENT_PART_FAILED = 20
EVENT_PART_MENDED = 21
EVENT_LEFT_AMPLITUDE = 22
EVENT_RIGHT_AMPLITUDE = 23

# One measured electrode pair: cathode << 2 | anode, kind, resistance, series capacitance, test current.
PAIR_RECORD = "<BBHHH"
PAIR_BYTES = struct.calcsize(PAIR_RECORD)
PAIR_FIELDS = ("pair", "kind", "ohm", "capacitance_nf", "test_ua")
KIND_OK = 0
KIND_OPEN = 1
KIND_SHORT = 2
KIND_NOT_MEASURED = 3
KIND_NAMES = ("ok", "open", "short", "not measured")

# One measured pulse: lead (0 left, 1 right), current, and two electrode voltages in the cathodic phase.
PULSE_RECORD = "<Bhhh"
PULSE_BYTES = struct.calcsize(PULSE_RECORD)
PULSE_FIELDS = ("lead", "current_ua", "early_mv", "late_mv")


def record_parts(epochs_failed: bool, pairings_failed: bool) -> int:
    """The PART_... bits of the records on flash."""
    return (PART_EPOCHS if epochs_failed else 0) | (PART_PAIRINGS if pairings_failed else 0)


def request(opcode: int, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    return bytes((opcode,)) + body


def reply(opcode: int, code: int, body: bytes = b"") -> bytes:
    """The bytes of a reply to `opcode`."""
    return bytes((opcode | REPLY, code)) + body


def parse_reply(opcode: int, message: bytes) -> "tuple[int, bytes]":
    """The code and the body of a reply to `opcode`.

    Raises:
        ValueError: the message is no reply to that opcode.
    """
    if len(message) < 2 or message[0] != opcode | REPLY:
        raise ValueError("not a reply to request 0x%02x" % opcode)
    return message[1], bytes(message[2:])


def pack_status(values: "tuple[int, ...]") -> bytes:
    """The body of a STATUS reply, STATUS_FIELDS in order."""
    return struct.pack(_STATUS, *values)


def unpack_status(body: bytes) -> "dict[str, int]":
    """The fields of a STATUS reply's body; ValueError if its length is wrong."""
    return _unpack(_STATUS, STATUS_FIELDS, body)


def pack_details(values: "tuple[int, ...]") -> bytes:
    """The body of a DETAILS reply, DETAILS_FIELDS in order."""
    return struct.pack(_DETAILS, *values)


def unpack_details(body: bytes) -> "dict[str, int]":
    """The fields of a DETAILS reply's body; ValueError if its length is wrong."""
    return _unpack(_DETAILS, DETAILS_FIELDS, body)


def _unpack(fmt: str, names: "tuple[str, ...]", body: bytes) -> "dict[str, int]":
    if len(body) != struct.calcsize(fmt):
        raise ValueError("%d bytes where %d belong" % (len(body), struct.calcsize(fmt)))
    return {name: value for name, value in zip(names, struct.unpack(fmt, body))}
