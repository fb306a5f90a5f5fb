"""Every request that a board answers, one row each: what it carries, who may send it, and when.

Boards and hosts read the same table. The dispatcher (stimfw.protocol.dispatcher) checks and answers by it,
the host packs and unpacks by it, and docs/telemetry.md shows it. A new request takes a number, a row, and a
method of that name in a group of handlers.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import roles

if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")
    Row = tuple[Any, ...]

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: "_T") -> "_T":  # type: ignore[misc,unused-ignore]
        """`value`. MicroPython's compiler puts it in place of the name, and the whole table into flash."""
        return value


IDENTIFY = const(0x01)
STATUS = const(0x02)
START = const(0x03)
STOP = const(0x04)
GET_PROGRAM = const(0x05)
SET_PROGRAM = const(0x06)
IMPEDANCE = const(0x07)
IMPEDANCE_RESULTS = const(0x08)
PULSES = const(0x09)
DETAILS = const(0x0A)
COUNTERS = const(0x0B)
SELF_TEST = const(0x0C)
AMPLITUDE = const(0x0D)
GET_WINDOW = const(0x0E)
SET_WINDOW = const(0x0F)
TEST_STIMULATION = const(0x10)
LOG = const(0x11)
GET_TIME = const(0x12)
SET_TIME = const(0x13)
PAIRINGS = const(0x14)
PAIR = const(0x15)
FORGET = const(0x16)
FACTORY_RESET = const(0x17)
RECORDS = const(0x18)
REPAIR = const(0x19)
XIP = const(0x1A)
UPTIME = const(0x1B)
STRANGERS = const(0x1C)
GET_CALIBRATION = const(0x1D)
SET_CALIBRATION = const(0x1E)
FORGET_CALIBRATION = const(0x1F)
MODEM_SEND = const(0x20)
MODEM_RECEIVE = const(0x21)
MODEM_CLOSE = const(0x22)
IMPLANT = const(0x30)
EXPLANT = const(0x31)
GET_PRESCRIPTION = const(0x32)
SET_PRESCRIPTION = const(0x33)
THERAPY = const(0x34)
MODE = const(0x35)
TRAIN = const(0x36)
TRAIN_ON = const(0x37)
JOURNAL = const(0x38)
LEDGER = const(0x39)
HISTORY = const(0x3A)
KEPT_TIME = const(0x3B)
WATCH = const(0x3C)
CLEAR_FAULT = const(0x3D)
CONTRACTIONS = const(0x3E)

# Records and fields that more than one place packs.
AMPLITUDE_WINDOW = const("<HHHH")  # amplitudes in uA that a patient may choose
PAIRING_RECORD = const("<BBB4s")  # slot, state, role, peer id
LOG_RECORD = const("<IBBBB")  # seconds since its start, kind, sender (slot, or FROM_USB), detail, repeats
STRANGER_RECORD = const("<IBBB")  # seconds since the start, kind, slot that was claimed, detail
PAIR_RECORD = const("<BBHHH")  # a measured electrode pair: cathode << 2 | anode, kind, ohm, nF, test current
# What a lead has delivered in a contraction: pulses, mean that was set, mean and highest current, charge.
CONTRACTION_RECORD = const("<HHHHII")
PULSE_RECORD = const("<Bhhh")  # a measured pulse: lead, current, two voltages in the cathodic phase
# What both leads share (rate ... contact); of each cathode, anode, amplitude, width, gap, patient's window.
PRESCRIPTION = const("<HHHHIHBIIHBBHHHHHBBHHHHH")

# Columns.
OPCODE = const(0)
NAME = const(1)  # also of the method that answers it
BOARDS = const(2)  # who answers it: `both`, `stimulator` or `remote`
ROLE = const(3)  # the lowest role that may send it (roles.ROLE_NAMES)
CONDITIONS = const(4)  # methods of the board's Conditions, in the order in which they are checked
BODY = const(5)  # struct format; `|` separates those of different lengths
BODY_FIELDS = const(6)
REPLY = const(7)  # struct format of the beginning
REPLY_FIELDS = const(8)
TAIL = const(9)  # struct format of the records that follow, any number of them; `s`: bytes, as they are
TAIL_FIELDS = const(10)

# Each row is a literal, without sums or calls: so MicroPython's compiler makes it a constant.
# fmt: off
TABLE: "tuple[Row, ...]" = (
    (STATUS, "status", "both", "patient", "", "", "", "<BBBHHHHH",
     "state flags stop_cause failed_parts left_amplitude_ua right_amplitude_ua session_s supply_mv", "", ""),
    (UPTIME, "uptime", "both", "patient", "", "", "", "<I", "uptime_ms", "", ""),
    (START, "start", "stimulator", "patient", "session_allowed", "", "", "", "", "", ""),
    (STOP, "stop", "stimulator", "patient", "", "", "", "", "", "", ""),
    (AMPLITUDE, "amplitude", "stimulator", "patient", "", "<HH", "left_ua right_ua", "", "", "", ""),
    (IDENTIFY, "identify", "both", "clinician", "", "", "", "", "", "s", "identity"),
    (GET_PROGRAM, "get_program", "stimulator", "clinician", "", "", "", "<HHHHHHIHHBBHBBH",
     "width_us gap_us rate_hz ramp_up_ms ramp_down_ms on_ms off_ms session_s left.amplitude_ua left.cathode left.anode right.amplitude_ua right.cathode right.anode contact_s", "", ""),  # noqa: E501
    (SET_PROGRAM, "set_program", "stimulator", "clinician", "", "<HHHHHHIHHBBHBBH",
     "width_us gap_us rate_hz ramp_up_ms ramp_down_ms on_ms off_ms session_s left.amplitude_ua left.cathode left.anode right.amplitude_ua right.cathode right.anode contact_s", "", "", "", ""),  # noqa: E501
    (IMPEDANCE, "impedance", "stimulator", "clinician", "impedance_allowed", "", "", "", "", "", ""),
    (IMPEDANCE_RESULTS, "impedance_results", "stimulator", "clinician", "", "<B", "lead", "", "",
     PAIR_RECORD, "pair kind ohm capacitance_nf test_ua"),
    (PULSES, "pulses", "stimulator", "clinician", "", "<I", "first", "<I", "first",
     PULSE_RECORD, "lead current_ua early_mv late_mv"),
    (DETAILS, "details", "stimulator", "clinician", "", "", "", "<IIIHBhII",
     "uptime_ms left_pulses right_pulses cycles reset_cause temperature_dc heap_free boot_us", "", ""),
    (COUNTERS, "counters", "both", "clinician", "", "", "", "", "", "<I", "count"),
    (SELF_TEST, "self_test", "stimulator", "clinician", "self_test_allowed", "", "", "", "", "", ""),
    (GET_WINDOW, "get_window", "stimulator", "clinician", "", "", "", AMPLITUDE_WINDOW,
     "left_min_ua left_max_ua right_min_ua right_max_ua", "", ""),
    (SET_WINDOW, "set_window", "stimulator", "clinician", "", AMPLITUDE_WINDOW,
     "left_min_ua left_max_ua right_min_ua right_max_ua", "", "", "", ""),
    (TEST_STIMULATION, "test_stimulation", "stimulator", "clinician", "test_allowed",
     "<B", "seconds", "", "", "", ""),
    (LOG, "log", "stimulator", "clinician", "", "<I", "first", "<I", "first",
     LOG_RECORD, "uptime_s kind sender detail repeats"),
    (STRANGERS, "strangers", "stimulator", "clinician", "", "<I", "first", "<IIII",
     "first forged replayed flood", STRANGER_RECORD, "uptime_s kind slot_claimed detail"),
    (GET_TIME, "get_time", "stimulator", "clinician", "", "", "", "<I", "time_s", "", ""),
    (SET_TIME, "set_time", "stimulator", "clinician", "", "<I", "time_s", "", "", "", ""),
    (PAIRINGS, "pairings", "stimulator", "service", "records_usable", "", "", "<4s", "base",
     PAIRING_RECORD, "slot state role peer_id"),
    (PAIRINGS, "pairings", "remote", "service", "records_usable", "", "", "<4s", "own_id",
     "<4sBBB4s", "base slot state role peer_id"),
    (PAIR, "pair", "stimulator", "service", "output_off records_usable random_works window_closed",
     "<4sB32s", "peer_id role key", "<B4s", "slot base", "", ""),
    (PAIR, "pair", "remote", "service", "random_works", "<4sBB32s", "base slot role key", "", "", "", ""),
    (FORGET, "forget", "stimulator", "service", "records_usable window_closed output_off",
     "<B", "slot", "", "", "", ""),
    (FORGET, "forget", "remote", "service", "idle", "<B", "slot", "", "", "", ""),
    (FACTORY_RESET, "factory_reset", "stimulator", "service",
     "magnet_near records_usable random_works window_closed output_off", "", "", "", "", "", ""),
    (RECORDS, "records", "stimulator", "service", "output_off", "", "", "", "", "<B", "state"),
    (RECORDS, "records", "remote", "service", "", "", "", "", "", "<B", "state"),
    (REPAIR, "repair", "stimulator", "service", "output_off window_closed",
     "<B", "overwrite_later", "<B", "plan", "", ""),
    (REPAIR, "repair", "remote", "service", "idle", "<B", "overwrite_later", "<B", "plan", "", ""),
    (XIP, "xip", "stimulator", "service", "", "<B", "clear", "<II", "hits accesses", "", ""),
    (GET_CALIBRATION, "get_calibration", "stimulator", "service", "", "", "", "", "", "s", "record"),
    (SET_CALIBRATION, "set_calibration", "stimulator", "service", "output_off window_closed",
     "<133s", "record", "", "", "", ""),
    (FORGET_CALIBRATION, "forget_calibration", "stimulator", "service", "output_off window_closed",
     "", "", "", "", "", ""),
    (MODEM_SEND, "modem_send", "remote", "service", "", "<4sBB32s", "base slot channel frame",
     "<I", "now_ms", "", ""),
    (MODEM_RECEIVE, "modem_receive", "remote", "service", "", "", "", "<BII", "state at_ms now_ms",
     "s", "frame"),
    (MODEM_CLOSE, "modem_close", "remote", "service", "", "", "", "", "", "", ""),
    # Of an implanted stimulator (docs/therapy.md).
    (IMPLANT, "implant", "stimulator", "service", "output_off", "<8sBI",
     "device_id healing_days time_s", "", "", "", ""),
    (EXPLANT, "explant", "stimulator", "service", "implanted output_off", "", "", "", "", "", ""),
    (GET_PRESCRIPTION, "get_prescription", "stimulator", "clinician", "implanted output_off", "", "", "<HBI",
     "version sender set_s", "s", "prescription"),
    (SET_PRESCRIPTION, "set_prescription", "stimulator", "clinician", "implanted output_off",
     PRESCRIPTION,
     "rate_hz ramp_up_ms ramp_down_ms on_ms off_ms session_s sessions_a_day between_s activation_s contact_s left.cathode left.anode left.amplitude_ua left.width_us left.gap_us left.least_ua left.most_ua right.cathode right.anode right.amplitude_ua right.width_us right.gap_us right.least_ua right.most_ua",  # noqa: E501
     "<HHHHHI", "version left_allowed_ua right_allowed_ua left_rule right_rule failed_rules", "", ""),
    (THERAPY, "therapy", "stimulator", "patient", "implanted", "", "", "<BBBBIHHHBBBBBI",
     "state reason sessions_left sessions_a_day next_s session_s elapsed_s cycles ended_cause fault fault_lead battery clock_known time_s",  # noqa: E501
     "", ""),
    (MODE, "mode", "stimulator", "clinician", "implanted output_off", "<B", "mode", "", "", "", ""),
    (TRAIN, "train", "stimulator", "clinician", "implanted", "<BBBHHHBB",
     "lead cathode anode amplitude_ua width_us gap_us rate_hz pulses", "", "", "", ""),
    (TRAIN_ON, "train_on", "stimulator", "clinician", "implanted", "", "", "<H", "pulses", "", ""),
    (JOURNAL, "journal", "stimulator", "clinician", "output_off", "<I", "first", "<III", "first oldest next",
     "s", "entries"),
    (LEDGER, "ledger", "stimulator", "clinician", "implanted", "<B", "lead", "<IIHHHHH",
     "pulses charge_nc contractions prescribed_ua mean_ua most_ua missed", "", ""),
    (HISTORY, "history", "stimulator", "clinician", "implanted output_off", "<B", "back", "<HBI",
     "version sender set_s", "s", "prescription"),
    (KEPT_TIME, "kept_time", "stimulator", "patient", "implanted", "<I", "time_s", "", "", "", ""),
    (WATCH, "watch", "stimulator", "clinician", "implanted", "<B", "lead", "<BhhhhhhHI",
     "fault set_ua cathodic_ua anodic_ua early_mv late_mv rest_mv ohm pulse", "", ""),
    (CLEAR_FAULT, "clear_fault", "stimulator", "clinician", "implanted output_off", "", "", "", "", "", ""),
    (CONTRACTIONS, "contractions", "stimulator", "clinician", "implanted", "<BH", "lead first",
     "<HH", "first ended", CONTRACTION_RECORD,
     "pulses prescribed_ua mean_ua most_ua cathodic_nc anodic_nc"),
)
# fmt: on


def answered_by(board: str) -> "list[Row]":
    """The rows of a board: `stimulator` or `remote`."""
    return [row for row in TABLE if row[BOARDS] in ("both", board)]


def row_of(opcode: int, board: str = "stimulator") -> "Row":
    """The row of a request to `board`; KeyError if that board does not answer it."""
    for row in TABLE:
        if row[OPCODE] == opcode and row[BOARDS] in ("both", board):
            return row
    raise KeyError(opcode)


def allows(row: "Row", role: int) -> bool:
    """Whether `role` may send the request of `row`; False for what is no role."""
    if role == roles.SERVICE:
        return True
    return roles.ROLE_NAMES.index(row[ROLE]) <= role <= roles.SERVICE


def unpack_body(row: "Row", body: bytes) -> "tuple[Any, ...] | None":
    """The fields of a request's body; None if the request has no body of that length."""
    formats: str = row[BODY]
    if "|" not in formats:
        return struct.unpack(formats, body) if struct.calcsize(formats) == len(body) else None
    for layout in formats.split("|"):
        if struct.calcsize(layout) == len(body):
            return struct.unpack(layout, body)
    return None


def pack_reply(row: "Row", values: "tuple[Any, ...]") -> bytes:
    """The body of a reply: its fields in order; if records may follow, the last value is their bytes."""
    if not row[TAIL]:
        return struct.pack(row[REPLY], *values)
    tail: bytes = values[-1]
    return struct.pack(row[REPLY], *values[:-1]) + tail
