"""Every request and every reply as bytes, one example each: typed in from docs/telemetry.md.

This is a second table on purpose: it knows nothing of stimfw.protocol.requests. A test compares the two, so
the document, the code and the vectors stay together.
"""

from __future__ import annotations

from typing import Any

__all__ = ("pack", "refusals", "requests")

Values = dict[str, Any]

PATIENT, CLINICIAN, SERVICE = 1, 2, 3
_BASE, _ID, _OTHER_ID = "1cd26b97", "8a41c30e", "05f6d27b"
_KEY, _FRAME = bytes(range(0xC0, 0xE0)).hex(), bytes(range(0x30, 0x50)).hex()
_PROGRAM = (
    "width_us u16 200, gap_us u16 50, rate_hz u16 35, ramp_up_ms u16 2000, ramp_down_ms u16 1000,"
    " on_ms u16 5000, off_ms u32 70000, session_s u16 1800,"
    " left.amplitude_ua u16 1500, left.cathode u8 0, left.anode u8 1,"
    " right.amplitude_ua u16 2500, right.cathode u8 3, right.anode u8 2, contact_s u16 300"
)
_WINDOW = "left_min_ua u16 500, left_max_ua u16 2000, right_min_ua u16 0, right_max_ua u16 3000"

_DEVICE = "5342303030303031"
_PRESCRIPTION = (
    "rate_hz u16 35, ramp_up_ms u16 2000, ramp_down_ms u16 1000, on_ms u16 5000, off_ms u32 70000,"
    " session_s u16 1800, sessions_a_day u8 2, between_s u32 14400, activation_s u32 1797292800,"
    " contact_s u16 300, left.cathode u8 0, left.anode u8 1, left.amplitude_ua u16 1500,"
    " left.width_us u16 200, left.gap_us u16 50, left.least_ua u16 500, left.most_ua u16 2000,"
    " right.cathode u8 3, right.anode u8 2, right.amplitude_ua u16 2500, right.width_us u16 250,"
    " right.gap_us u16 0, right.least_ua u16 0, right.most_ua u16 3000"
)
_RECORD = bytes(k * 7 & 0xFF for k in range(133)).hex()
_KEPT = "version u16 3, sender u8 254, set_s u32 1796083200"

# A field: name, u8 to i32 or a number of bytes, value. A row: number, name, who answers, the lowest role
# that may send it, body, reply, and the records that follow it.
_ROWS: tuple[tuple[int, str, str, int, str, str, tuple[str, ...]], ...] = (
    (0x01, "IDENTIFY", "both", CLINICIAN, "", "", ("identity bytes 7374696d62656e6368",)),
    (0x02, "STATUS", "both", PATIENT, "",
     "state u8 2, flags u8 1, stop_cause u8 3, failed_parts u16 256, left_amplitude_ua u16 1500,"
     " right_amplitude_ua u16 2500, session_s u16 1799, supply_mv u16 3301", ()),
    (0x03, "START", "stimulator", PATIENT, "", "", ()),
    (0x04, "STOP", "stimulator", PATIENT, "", "", ()),
    (0x05, "GET_PROGRAM", "stimulator", CLINICIAN, "", _PROGRAM, ()),
    (0x06, "SET_PROGRAM", "stimulator", CLINICIAN, _PROGRAM, "", ()),
    (0x07, "IMPEDANCE", "stimulator", CLINICIAN, "", "", ()),
    (0x08, "IMPEDANCE_RESULTS", "stimulator", CLINICIAN, "lead u8 1", "",
     ("pair u8 1, kind u8 0, ohm u16 1012, capacitance_nf u16 470, test_ua u16 100",
      "pair u8 14, kind u8 1, ohm u16 65535, capacitance_nf u16 0, test_ua u16 100")),
    (0x09, "PULSES", "stimulator", CLINICIAN, "first u32 66000", "first u32 66000",
     ("lead u8 0, current_ua i16 -1498, early_mv i16 -1530, late_mv i16 -1720",
      "lead u8 1, current_ua i16 2502, early_mv i16 2530, late_mv i16 2790")),
    (0x0A, "DETAILS", "stimulator", CLINICIAN, "",
     "uptime_ms u32 3600123, left_pulses u32 126000, right_pulses u32 126001, cycles u16 514,"
     " reset_cause u8 1, temperature_dc i16 -55, heap_free u32 98304, boot_us u32 412345", ()),
    (0x0B, "COUNTERS", "both", CLINICIAN, "", "", ("count u32 12", "count u32 0", "count u32 70000")),
    (0x0C, "SELF_TEST", "stimulator", CLINICIAN, "", "", ()),
    (0x0D, "AMPLITUDE", "stimulator", PATIENT, "left_ua u16 1550, right_ua u16 2450", "", ()),
    (0x0E, "GET_WINDOW", "stimulator", CLINICIAN, "", _WINDOW, ()),
    (0x0F, "SET_WINDOW", "stimulator", CLINICIAN, _WINDOW, "", ()),
    (0x10, "TEST_STIMULATION", "stimulator", CLINICIAN, "seconds u8 10", "", ()),
    (0x11, "LOG", "stimulator", CLINICIAN, "first u32 4294967295", "first u32 257",
     ("uptime_s u32 3600, kind u8 19, sender u8 254, detail u8 2, repeats u8 0",
      "uptime_s u32 3601, kind u8 5, sender u8 3, detail u8 1, repeats u8 255")),
    (0x12, "GET_TIME", "stimulator", CLINICIAN, "", "time_s u32 1796083200", ()),
    (0x13, "SET_TIME", "stimulator", CLINICIAN, "time_s u32 1796083200", "", ()),
    (0x14, "PAIRINGS", "stimulator", SERVICE, "", f"base 4 {_BASE}",
     (f"slot u8 0, state u8 2, role u8 1, peer_id 4 {_ID}",
      f"slot u8 5, state u8 1, role u8 2, peer_id 4 {_OTHER_ID}")),
    (0x14, "PAIRINGS", "remote", SERVICE, "", f"own_id 4 {_ID}",
     (f"base 4 {_BASE}, slot u8 0, state u8 2, role u8 1, peer_id 4 {_ID}",)),
    (0x15, "PAIR", "stimulator", SERVICE, f"peer_id 4 {_ID}, role u8 1, key 32 {_KEY}",
     f"slot u8 4, base 4 {_BASE}", ()),
    (0x15, "PAIR", "remote", SERVICE, f"base 4 {_BASE}, slot u8 4, role u8 1, key 32 {_KEY}", "", ()),
    (0x16, "FORGET", "stimulator", SERVICE, "slot u8 255", "", ()),
    (0x16, "FORGET", "remote", SERVICE, "slot u8 0", "", ()),
    (0x17, "FACTORY_RESET", "stimulator", SERVICE, "", "", ()),
    (0x18, "RECORDS", "stimulator", SERVICE, "", "", ("state u8 1", "state u8 2", "state u8 0")),
    (0x18, "RECORDS", "remote", SERVICE, "", "", ("state u8 1", "state u8 2")),
    (0x19, "REPAIR", "stimulator", SERVICE, "overwrite_later u8 1", "plan u8 3", ()),
    (0x19, "REPAIR", "remote", SERVICE, "overwrite_later u8 0", "plan u8 1", ()),
    (0x1A, "XIP", "stimulator", SERVICE, "clear u8 1", "hits u32 1234567, accesses u32 1300000", ()),
    (0x1B, "UPTIME", "both", PATIENT, "", "uptime_ms u32 1073741823", ()),
    (0x1C, "STRANGERS", "stimulator", CLINICIAN, "first u32 0",
     "first u32 7, forged u32 70000, replayed u32 12, flood u32 1",
     ("uptime_s u32 3600, kind u8 2, slot_claimed u8 5, detail u8 1",
      "uptime_s u32 3602, kind u8 4, slot_claimed u8 255, detail u8 3")),
    (0x1D, "GET_CALIBRATION", "stimulator", SERVICE, "", "", (f"record bytes {_RECORD}",)),
    (0x1E, "SET_CALIBRATION", "stimulator", SERVICE, f"record 133 {_RECORD}", "", ()),
    (0x1F, "FORGET_CALIBRATION", "stimulator", SERVICE, "", "", ()),
    (0x20, "MODEM_SEND", "remote", SERVICE, f"base 4 {_BASE}, slot u8 2, channel u8 1, frame 32 {_FRAME}",
     "now_ms u32 70001", ()),
    (0x21, "MODEM_RECEIVE", "remote", SERVICE, "", "state u8 2, at_ms u32 70003, now_ms u32 70009",
     (f"frame bytes {_FRAME}",)),
    (0x22, "MODEM_CLOSE", "remote", SERVICE, "", "", ()),
    (0x30, "IMPLANT", "stimulator", SERVICE,
     f"device_id 8 {_DEVICE}, healing_days u8 14, time_s u32 1796083200", "", ()),
    (0x31, "EXPLANT", "stimulator", SERVICE, "", "", ()),
    (0x32, "GET_PRESCRIPTION", "stimulator", CLINICIAN, "", _KEPT, (f"prescription bytes {_FRAME}",)),
    (0x33, "SET_PRESCRIPTION", "stimulator", CLINICIAN, _PRESCRIPTION,
     "version u16 3, left_allowed_ua u16 2000, right_allowed_ua u16 2275, left_rule u16 0, right_rule u16 9,"
     " failed_rules u32 0", ()),
    (0x34, "THERAPY", "stimulator", PATIENT, "",
     "state u8 2, reason u8 0, sessions_left u8 1, sessions_a_day u8 2, next_s u32 14400, session_s u16 1800,"
     " elapsed_s u16 417, cycles u16 14, ended_cause u8 4, fault u8 0, fault_lead u8 255, battery u8 1,"
     " clock_known u8 1, time_s u32 1796083200", ()),
    (0x35, "MODE", "stimulator", CLINICIAN, "mode u8 1", "", ()),
    (0x36, "TRAIN", "stimulator", CLINICIAN,
     "lead u8 1, cathode u8 3, anode u8 2, amplitude_ua u16 1500, width_us u16 200, gap_us u16 50,"
     " rate_hz u8 20, pulses u8 40", "", ()),
    (0x37, "TRAIN_ON", "stimulator", CLINICIAN, "", "pulses u16 17", ()),
    (0x38, "JOURNAL", "stimulator", CLINICIAN, "first u32 66000",
     "first u32 66000, oldest u32 12, next u32 66001", (f"entries bytes {_FRAME}",)),
    (0x39, "LEDGER", "stimulator", CLINICIAN, "lead u8 0",
     "pulses u32 144000, charge_nc u32 43200000, contractions u16 60, prescribed_ua u16 1500,"
     " mean_ua u16 1498, most_ua u16 1510, missed u16 0", ()),
    (0x3A, "HISTORY", "stimulator", CLINICIAN, "back u8 2", _KEPT, (f"prescription bytes {_FRAME}",)),
    (0x3B, "KEPT_TIME", "stimulator", PATIENT, "time_s u32 1796083200", "", ()),
    (0x3C, "WATCH", "stimulator", CLINICIAN, "lead u8 1",
     "fault u8 1, set_ua i16 1500, cathodic_ua i16 -12, anodic_ua i16 9, early_mv i16 11500,"
     " late_mv i16 11500, rest_mv i16 -20, ohm u16 65535, pulse u32 70001", ()),
    (0x3D, "CLEAR_FAULT", "stimulator", CLINICIAN, "", "", ()),
    (0x3E, "CONTRACTIONS", "stimulator", CLINICIAN, "lead u8 1, first u16 28", "first u16 28, ended u16 30",
     ("pulses u16 600, prescribed_ua u16 1500, mean_ua u16 1498, most_ua u16 1511, cathodic_nc u32 192600,"
      " anodic_nc u32 192587",
      "pulses u16 598, prescribed_ua u16 1500, mean_ua u16 1497, most_ua u16 1510, cathodic_nc u32 191958,"
      " anodic_nc u32 191940")),
)  # fmt: skip

_REFUSALS = (
    # request, number, code's name, code, body
    ("SET_PROGRAM", 0x06, "OUT_OF_RANGE", 1, "field u8 6, value u32 4000000000"),
    ("AMPLITUDE", 0x0D, "OUT_OF_RANGE", 1, "field u8 255, value u32 3001"),
    ("START", 0x03, "WRONG_STATE", 2, "state u8 0, reason u8 4"),
    ("PAIR", 0x15, "WRONG_STATE", 2, "state u8 2, reason u8 2"),
    ("number 0x1F", 0x1F, "UNKNOWN_OPCODE", 3, ""),
    ("TEST_STIMULATION", 0x10, "BAD_LENGTH", 4, ""),
    ("LOG", 0x11, "FORBIDDEN", 5, ""),
)


def _fields(text: str) -> list[tuple[str, str, str]]:
    """Name, type and value of each field."""
    return [tuple(part.split()) for part in text.split(",") if part]  # type: ignore[misc]


def pack(text: str) -> bytes:
    """The bytes of fields, little endian, in order."""
    out = b""
    for name, kind, value in _fields(text):
        if kind[0] in "ui":
            out += int(value).to_bytes(int(kind[1:]) // 8, "little", signed=kind[0] == "i")
        else:
            piece = bytes.fromhex(value)
            if kind != "bytes" and len(piece) != int(kind):
                raise ValueError(f"{name}: {len(piece)} bytes, {kind} wanted")
            out += piece
    return out


def _values(text: str) -> Values:
    """What a reader of the file sees: numbers as numbers, bytes in hex."""
    return {name: int(value) if kind[0] in "ui" else value for name, kind, value in _fields(text)}


def _types(text: str) -> Values:
    return {name: kind for name, kind, _ in _fields(text)}


def requests() -> list[Values]:
    """All of them, by number."""
    made = []
    for number, name, board, role, body, reply, records in _ROWS:
        packed = pack(reply) + b"".join(map(pack, records))
        made.append({
            "request": name, "number": number, "answered_by": board, "role": role,
            "types": _types(body), "body": _values(body),
            "reply_types": _types(reply), "reply": _values(reply),
            "record_types": _types(records[0]) if records else {},
            "records": [_values(record) for record in records],
            "request_bytes": (bytes((number,)) + pack(body)).hex(),
            "reply_bytes": (bytes((number | 0x80, 0)) + packed).hex(),
        })  # fmt: skip
    return made


def refusals() -> list[Values]:
    """A reply of each code but OK."""
    return [
        {
            "request": name, "number": number, "code_name": code_name, "code": code,
            "body": _values(body), "reply_bytes": (bytes((number | 0x80, code)) + pack(body)).hex(),
        }
        for name, number, code_name, code, body in _REFUSALS
    ]  # fmt: skip
