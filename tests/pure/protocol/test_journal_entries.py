"""The journal's kinds of entries, written out a second time: they are on flash and in reports for good."""

import struct

from stimfw.protocol import journal_entries

# Number, name, group, bytes of the body, fields.
KINDS = (
    (0, "thinned", "safety", 8, 2), (1, "boot", "routine", 9, 3), (2, "implanted", "safety", 9, 2),
    (3, "explanted", "safety", 0, 0), (4, "clock set", "clinical", 8, 2), (5, "prescribed", "safety", 10, 3),
    (6, "amplitude clamped", "safety", 6, 4), (7, "impedance", "clinical", 8, 6),
    (8, "session began", "clinical", 7, 4), (9, "session ended", "clinical", 8, 5),
    (10, "delivered", "clinical", 11, 4), (11, "current", "clinical", 9, 5), (12, "fault", "safety", 7, 4),
    (13, "fault figures", "safety", 11, 6), (14, "fault cleared", "safety", 1, 1),
    (15, "warning", "clinical", 10, 4), (16, "refused", "routine", 4, 3), (17, "magnet", "routine", 1, 1),
    (18, "pairing", "clinical", 3, 3), (19, "mode", "clinical", 2, 2), (20, "battery", "safety", 4, 3),
    (21, "daily check", "routine", 5, 3), (22, "test train", "clinical", 11, 6),
    (23, "part failed", "safety", 4, 1), (24, "part mended", "safety", 4, 1),
    (25, "lost", "safety", 5, 2), (26, "amplitude", "routine", 4, 2),
    (27, "interference", "safety", 6, 4), (28, "window", "clinical", 8, 4),
)  # fmt: skip
NAMES = (
    "THINNED", "BOOT", "IMPLANTED", "EXPLANTED", "CLOCK_SET", "PRESCRIBED", "PRESCRIPTION_CLAMPED",
    "IMPEDANCE", "SESSION_BEGAN", "SESSION_ENDED", "DELIVERED", "CURRENT", "FAULT", "FAULT_FIGURES",
    "FAULT_CLEARED", "WARNING", "REFUSED", "MAGNET", "PAIRING", "MODE", "BATTERY", "DAILY_CHECK",
    "TEST_TRAIN", "PART_FAILED", "PART_MENDED", "LOST", "AMPLITUDE", "INTERFERENCE", "WINDOW",
)  # fmt: skip


def test_every_kind_is_the_one_that_is_on_flash():
    found = []
    for number, name, group, layout, fields in journal_entries.TABLE:
        found.append((number, name, group, struct.calcsize(layout), len(fields.split())))
    assert tuple(found) == KINDS
    assert [getattr(journal_entries, name) for name in NAMES] == list(range(len(KINDS)))


def test_every_body_fits_and_has_a_name_for_each_value():
    assert journal_entries.BODY_BYTES == 12 and journal_entries.NO_LEAD == 255
    for row in journal_entries.TABLE:
        size = struct.calcsize(row[journal_entries.BODY])
        assert size <= 12, row
        values = struct.unpack(row[journal_entries.BODY], bytes(range(1, size + 1)))
        assert len(values) == len(row[journal_entries.FIELDS].split()), row
        body = journal_entries.pack(row[0], *values)
        named = {name: value for name, value in zip(row[journal_entries.FIELDS].split(), values)}
        for tail in (b"", bytes(12 - size)):
            assert journal_entries.unpack(row[0], body + tail) == named
        if size:
            assert journal_entries.unpack(row[0], body[:-1]) is None


def test_a_kind_of_a_later_firmware_is_none():
    for kind in (len(KINDS), 255):
        assert journal_entries.row_of(kind) is None and journal_entries.unpack(kind, bytes(12)) is None
    assert journal_entries.row_of(28)[1] == "window"


def test_what_entries_say_of_themselves():
    assert journal_entries.WHY_NAMES == ("asked", "session", "daily")
    assert (journal_entries.WHY_ASKED, journal_entries.WHY_SESSION, journal_entries.WHY_DAILY) == (0, 1, 2)
    assert journal_entries.LOST_NAMES == (
        "journal", "prescription", "progress", "life", "queue", "clock", "former prescription",
    )  # fmt: skip
    losses = [
        journal_entries.LOST_JOURNAL, journal_entries.LOST_PRESCRIPTION, journal_entries.LOST_PROGRESS,
        journal_entries.LOST_LIFE, journal_entries.LOST_QUEUE, journal_entries.LOST_CLOCK,
    ]  # fmt: skip
    assert losses == list(range(6))
    assert journal_entries.TRAIN_NAMES == ("complete", "stopped", "host gone", "magnet", "fault")
    assert journal_entries.INTERFERENCE_NAMES == ("began", "over", "given up")
    assert len(journal_entries.PAIRING_NAMES) == 7
