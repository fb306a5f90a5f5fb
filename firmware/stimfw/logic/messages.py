"""What the host, the remote and the stimulator say to each other, whatever carries it.

A request is `[opcode][body]`, a reply `[opcode | REPLY][code][body]`. All numbers are little endian.
Channels (stimfw.logic.console_frame on USB, stimfw.logic.radio_frame in the air) carry these bytes and know
nothing of their meaning; a secure channel can take their place.
"""

import struct

REPLY = 0x80
MAX_BODY = 240
"""Bytes of a body on the console; the radio carries the short ones only."""

# Opcodes. STATUS, START and STOP fit a radio frame.
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

# Reply codes.
OK = 0
OUT_OF_RANGE = 1  # body: index in program.FIELD_NAMES (u8), value (i32)
WRONG_STATE = 2  # body: the state (u8), reason (u8)
UNKNOWN_OPCODE = 3
BAD_LENGTH = 4

CODE_NAMES = ("ok", "out of range", "wrong state", "unknown opcode", "bad length")

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
REASON_TEXTS = (
    "",
    "the self-test failed",
    "locked while the output is on",
    "a magnet is present",
    "both amplitudes are zero",
    "a measurement is running",
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
PART_NAMES = ("dac", "matrix", "radio", "sense", "supply", "filesystem")
PART_DAC = 1
PART_MATRIX = 2
PART_RADIO = 4
PART_SENSE = 8
PART_SUPPLY = 16
PART_FILESYSTEM = 32

FLAG_MAGNET = 1

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
)

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
