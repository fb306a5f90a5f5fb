"""The numbers of the wire, written out a second time: boards and hosts of two versions must agree."""

from stimfw.protocol import asking, messages, requests, therapy_reasons

OPCODES = (
    ("IDENTIFY", 0x01), ("STATUS", 0x02), ("START", 0x03), ("STOP", 0x04), ("GET_PROGRAM", 0x05),
    ("SET_PROGRAM", 0x06), ("IMPEDANCE", 0x07), ("IMPEDANCE_RESULTS", 0x08), ("PULSES", 0x09),
    ("DETAILS", 0x0A), ("COUNTERS", 0x0B), ("SELF_TEST", 0x0C), ("AMPLITUDE", 0x0D), ("GET_WINDOW", 0x0E),
    ("SET_WINDOW", 0x0F), ("TEST_STIMULATION", 0x10), ("LOG", 0x11), ("GET_TIME", 0x12), ("SET_TIME", 0x13),
    ("PAIRINGS", 0x14), ("PAIR", 0x15), ("FORGET", 0x16), ("FACTORY_RESET", 0x17), ("RECORDS", 0x18),
    ("REPAIR", 0x19), ("XIP", 0x1A), ("UPTIME", 0x1B), ("STRANGERS", 0x1C), ("MODEM_SEND", 0x20),
    ("MODEM_RECEIVE", 0x21),
    ("MODEM_CLOSE", 0x22), ("IMPLANT", 0x30), ("EXPLANT", 0x31), ("GET_PRESCRIPTION", 0x32),
    ("SET_PRESCRIPTION", 0x33), ("THERAPY", 0x34), ("MODE", 0x35), ("TRAIN", 0x36), ("TRAIN_ON", 0x37),
    ("JOURNAL", 0x38), ("LEDGER", 0x39), ("HISTORY", 0x3A), ("KEPT_TIME", 0x3B), ("WATCH", 0x3C),
    ("CLEAR_FAULT", 0x3D), ("CONTRACTIONS", 0x3E), ("GET_CALIBRATION", 0x1D), ("SET_CALIBRATION", 0x1E),
    ("FORGET_CALIBRATION", 0x1F),
)  # fmt: skip
IN_ORDER = (
    ("OK", "OUT_OF_RANGE", "WRONG_STATE", "UNKNOWN_OPCODE", "BAD_LENGTH", "FORBIDDEN"),
    ("READY", "RAMP_UP", "HOLD", "RAMP_DOWN", "REST", "MEASURING", "FAULT"),
    (
        "REASON_NONE", "REASON_SELF_TEST", "REASON_LOCKED", "REASON_MAGNET", "REASON_NO_AMPLITUDE",
        "REASON_BUSY", "REASON_PAIRING", "REASON_WINDOW", "REASON_NO_MAGNET", "REASON_FULL", "REASON_STORAGE",
        "REASON_JUST_STOPPED", "REASON_ROLE", "REASON_RANDOM",
    ),
    (
        "STOPPED_NEVER_ON", "STOPPED_REMOTE", "STOPPED_HOST", "STOPPED_MAGNET", "STOPPED_SESSION_OVER",
        "STOPPED_REPL", "STOPPED_FAULT", "STOPPED_CONTACT",
    ),
    ("MODEM_IDLE", "MODEM_SENDING", "MODEM_SENT", "MODEM_BUSY"),
    (
        "EVENT_STARTED", "EVENT_FORBIDDEN", "EVENT_FORGED", "EVENT_REPLAYED", "EVENT_FLOOD",
        "EVENT_CONNECTED", "EVENT_WINDOW_OPENED", "EVENT_WINDOW_CLOSED", "EVENT_PAIRED", "EVENT_FORGOTTEN",
        "EVENT_MAGNET", "EVENT_PROGRAM_SET", "EVENT_TIME_SET", "EVENT_WINDOW_SET", "EVENT_FACTORY_RESET",
        "EVENT_SESSION", "EVENT_MEASURING", "EVENT_SELF_TEST", "EVENT_MEASURED", "EVENT_STOPPED",
        "EVENT_PART_FAILED", "EVENT_PART_MENDED", "EVENT_LEFT_AMPLITUDE", "EVENT_RIGHT_AMPLITUDE",
        "EVENT_LINK_LOST", "EVENT_LINK_BACK", "EVENT_CONTACT_LOST", "EVENT_PAIRING_EXPIRED",
        "EVENT_KEY_RETIRED", "EVENT_LATER_PART_FAILED", "EVENT_LATER_PART_MENDED",
    ),
    ("KIND_OK", "KIND_OPEN", "KIND_SHORT", "KIND_NOT_MEASURED"),
)  # fmt: skip
BITS = (
    (
        "PART_DAC",
        "PART_MATRIX",
        "PART_RADIO",
        "PART_SENSE",
        "PART_SUPPLY",
        "PART_FILESYSTEM",
        "PART_EPOCHS",
        "PART_PAIRINGS",
        "PART_RANDOM",
        "PART_GATE",
        "PART_RELAY",
        "PART_BRIDGE",
        "PART_PUMP",
        "PART_REFERENCE",
        "PART_IDLE",
        "PART_CLOCK",
    ),
    (
        "FLAG_MAGNET", "FLAG_PAIRING", "FLAG_UNPAIRED", "FLAG_IMPLANTED", "FLAG_CALIBRATED",
        "FLAG_CALIBRATION_DAMAGED", "FLAG_RADIO_NEEDS_ACTIVATE",
    ),
)
NAMES = (
    ("CODE_NAMES", 6), ("STATE_NAMES", 15), ("REASON_TEXTS", 33), ("STOP_NAMES", 12), ("PART_NAMES", 16),
    ("EVENT_NAMES", 31), ("KIND_NAMES", 4), ("COUNTER_NAMES", 16),
)  # fmt: skip
# Of an implanted stimulator: they continue messages.REASON_..., STATE_NAMES and STOP_NAMES.
THERAPY_REASONS = (
    "NOT_IMPLANTED", "IMPLANTED", "UNCONFIGURED", "HEALING", "DAY_COMPLETE", "TOO_SOON", "CLOCK_UNKNOWN",
    "FAULT", "INTERFERENCE", "MRI_MODE", "STORAGE_MODE", "END_OF_SERVICE", "NOT_MEASURED", "RULES",
    "PRESCRIBED", "NOT_PRESCRIBED_HERE", "CLOCK_KNOWN", "JOURNAL", "DAY_LIMIT",
)  # fmt: skip
LATER_STATES = (
    "unconfigured", "healing", "stopped", "complete", "interference", "mri mode", "storage", "test train",
)  # fmt: skip
LATER_STOPS = ("watch", "host gone", "interference", "limit")


def test_every_opcode_is_the_one_that_other_versions_use():
    for name, opcode in OPCODES:
        assert getattr(requests, name) == opcode, name
    assert {row[requests.OPCODE] for row in requests.TABLE} == {opcode for _, opcode in OPCODES}


def test_reasons_states_and_causes_of_an_implanted_stimulator_go_on_from_the_others():
    reasons = [getattr(therapy_reasons, name) for name in THERAPY_REASONS]
    assert reasons == list(range(messages.REASON_RANDOM + 1, len(messages.REASON_TEXTS)))
    assert messages.STATE_NAMES[messages.FAULT + 1 :] == LATER_STATES
    assert messages.STOP_NAMES[messages.STOPPED_CONTACT + 1 :] == LATER_STOPS


def test_the_text_of_a_therapys_reason_is_its_own():
    for reason, word in (
        (therapy_reasons.NOT_IMPLANTED, "not implanted"),
        (therapy_reasons.IMPLANTED, "its prescription says"),
        (therapy_reasons.UNCONFIGURED, "no prescription"), (therapy_reasons.HEALING, "healing"),
        (therapy_reasons.DAY_COMPLETE, "sessions of today"), (therapy_reasons.TOO_SOON, "too short a time"),
        (therapy_reasons.CLOCK_UNKNOWN, "not know the time"), (therapy_reasons.FAULT, "a fault"),
        (therapy_reasons.INTERFERENCE, "disturbs"), (therapy_reasons.MRI_MODE, "MRI mode"),
        (therapy_reasons.STORAGE_MODE, "in storage"), (therapy_reasons.END_OF_SERVICE, "end of its service"),
        (therapy_reasons.NOT_MEASURED, "not measured"), (therapy_reasons.RULES, "fails a rule"),
        (therapy_reasons.PRESCRIBED, "while a session runs"), (therapy_reasons.CLOCK_KNOWN, "knows the time"),
        (therapy_reasons.NOT_PRESCRIBED_HERE, "a patient"), (therapy_reasons.JOURNAL, "journal"),
        (therapy_reasons.DAY_LIMIT, "reached its limit"),
    ):  # fmt: skip
        texts = [number for number, text in enumerate(messages.REASON_TEXTS) if word in text]
        assert texts == [reason], word


def test_codes_states_reasons_causes_and_events_count_from_zero():
    for names in IN_ORDER:
        assert [getattr(messages, name) for name in names] == list(range(len(names))), names


def test_parts_and_flags_are_bits_in_order():
    for names in BITS:
        assert [getattr(messages, name) for name in names] == [1 << bit for bit in range(len(names))], names


def test_the_records_that_failed_are_parts():
    parts = [messages.record_parts(epochs, keys) for epochs in (False, True) for keys in (False, True)]
    assert parts == [0, 128, 64, 192]


def test_every_list_of_names_is_as_long_as_what_it_names():
    for name, count in NAMES:
        assert len(getattr(messages, name)) == count, name


def test_a_request_and_a_reply_byte_by_byte():
    assert messages.request(0x0D, b"\x01\x02") == b"\x0d\x01\x02"
    assert messages.reply(0x0D, 1, b"\x03") == b"\x8d\x01\x03"
    assert messages.reply(0x8D, 0) == b"\x8d\x00"  # the bit is set, not added
    assert messages.parse_reply(0x0D, b"\x8d\x05") == (5, b"")
    assert messages.REPLY == 0x80


def test_what_is_no_reply_is_told_by_the_requests_opcode():
    try:
        messages.parse_reply(0x0D, b"\x0d\x00")
    except ValueError as error:
        assert str(error) == "not a reply to request 0x0d"
    else:
        assert False, "accepted"  # noqa: B011


def test_a_reply_of_one_byte_is_none():
    for message in (b"", b"\x8d", b"\x0d\x00", b"\x8e\x00", b"\x8c\x00"):
        try:
            messages.parse_reply(0x0D, message)
        except ValueError:
            continue
        assert False, message  # noqa: B011


def test_a_wrong_length_is_told_in_words():
    try:
        asking.unpack_status(b"123")
    except ValueError as error:
        assert str(error) == "3 bytes where 13 belong"
    else:
        assert False, "accepted"  # noqa: B011


def test_senders_and_slots_beside_the_six():
    assert messages.SLOTS == 6 and messages.ALL_SLOTS == 0xFF
    assert messages.FROM_USB == 0xFE and messages.FROM_NOBODY == 0xFF
    assert messages.MAX_BODY == 240


def test_an_amplitude_fits_the_detail_of_an_event():
    """Hosts multiply the detail by the step: 10 mA, the highest amplitude, is 200."""
    assert messages.LOG_AMPLITUDE_STEP_UA == 50
