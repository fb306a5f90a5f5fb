"""The journal's kinds of entries: number, name, group and body of each. Boards and hosts read the same table.

An entry is a kind, a sender, a time and a body of up to BODY_BYTES bytes. How entries lie on flash and how
they are chained: stimfw.storage.journal_format.
"""

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    Kind = tuple[Any, ...]

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


BODY_BYTES = 12

# Kinds. Numbers are on flash and in reports for good: append only.
THINNED = const(0)
BOOT = const(1)
IMPLANTED = const(2)
EXPLANTED = const(3)
CLOCK_SET = const(4)
PRESCRIBED = const(5)
PRESCRIPTION_CLAMPED = const(6)
IMPEDANCE = const(7)
SESSION_BEGAN = const(8)
SESSION_ENDED = const(9)
DELIVERED = const(10)
CURRENT = const(11)
FAULT = const(12)
FAULT_FIGURES = const(13)
FAULT_CLEARED = const(14)
WARNING = const(15)
REFUSED = const(16)
MAGNET = const(17)
PAIRING = const(18)
MODE = const(19)
BATTERY = const(20)
DAILY_CHECK = const(21)
TEST_TRAIN = const(22)
PART_FAILED = const(23)
PART_MENDED = const(24)
LOST = const(25)
AMPLITUDE = const(26)
INTERFERENCE = const(27)
WINDOW = const(28)

# Groups: what may be thinned when the journal is full.
ROUTINE = "routine"
CLINICAL = "clinical"
SAFETY = "safety"

# Columns of TABLE.
NUMBER = const(0)
NAME = const(1)
GROUP = const(2)
BODY = const(3)  # struct format, little endian, at most BODY_BYTES
FIELDS = const(4)

# In a body: `lead` is 0 left, 1 right, 255 neither or both; `fault` is of stimfw.therapy.watch_table;
# `cause` is messages.STOPPED_...; `reason` is messages.REASON_...; `parts` are messages.PART_... bits.
# Each row is a literal, so that MicroPython's compiler puts the table into flash.
TABLE: "tuple[Kind, ...]" = (
    # A run of entries that the journal itself has dropped: the last one's number is this one's.
    (0, "thinned", "safety", "<II", "entries clinical"),
    (1, "boot", "routine", "<B4sI", "reset_cause firmware failed_parts"),
    (2, "implanted", "safety", "<8sB", "device_id healing_days"),
    (3, "explanted", "safety", "", ""),
    (4, "clock set", "clinical", "<II", "before_s time_s"),
    (5, "prescribed", "safety", "<H4sI", "version checksum activation_s"),
    (6, "amplitude clamped", "safety", "<BHHB", "lead asked_ua allowed_ua rule"),
    (7, "impedance", "clinical", "<BBBHHB", "lead pair kind ohm capacitance_nf why"),
    (8, "session began", "clinical", "<HHHB", "version planned_s session number_today"),
    (9, "session ended", "clinical", "<HBHHB", "session cause elapsed_s cycles fault"),
    (10, "delivered", "clinical", "<BIIH", "lead pulses charge_uc contractions"),
    (11, "current", "clinical", "<BHHHH", "lead prescribed_ua mean_ua most_ua missed"),
    (12, "fault", "safety", "<BBBI", "fault lead action pulse"),
    (13, "fault figures", "safety", "<Bhhhhh", "lead set_ua cathodic_ua anodic_ua early_mv late_mv"),
    (14, "fault cleared", "safety", "<B", "fault"),
    (15, "warning", "clinical", "<BBii", "warning lead value limit"),
    (16, "refused", "routine", "<BBH", "opcode reason times"),
    (17, "magnet", "routine", "<B", "was_on"),
    (18, "pairing", "clinical", "<BBB", "what slot role"),
    (19, "mode", "clinical", "<BB", "before after"),
    (20, "battery", "safety", "<BBH", "before after supply_mv"),
    (21, "daily check", "routine", "<BHh", "result supply_mv temperature_dc"),
    (22, "test train", "clinical", "<BHHBBI", "lead amplitude_ua width_us pair ended pulses"),
    (23, "part failed", "safety", "<I", "parts"),
    (24, "part mended", "safety", "<I", "parts"),
    (25, "lost", "safety", "<BI", "what entries"),
    (26, "amplitude", "routine", "<HH", "left_ua right_ua"),
    (27, "interference", "safety", "<BBhh", "what lead current_ua voltage_mv"),
    (28, "window", "clinical", "<HHHH", "left_least_ua left_most_ua right_least_ua right_most_ua"),
)

NO_LEAD = 0xFF

# `why` of an impedance: what it was measured for.
WHY_ASKED = 0
WHY_SESSION = 1
WHY_DAILY = 2
WHY_NAMES = ("asked", "session", "daily")

# `what` of a pairing: paired, forgotten, key retired, window opened, window closed, all erased.
PAIRING_NAMES = (
    "paired", "forgotten", "key retired", "window opened", "window closed", "all erased", "expired",
)  # fmt: skip

# `what` of a loss.
LOST_JOURNAL = 0  # entries that could not be read back at a start
LOST_PRESCRIPTION = 1
LOST_PROGRESS = 2
LOST_LIFE = 3
LOST_QUEUE = 4  # entries that came faster than flash could take them
LOST_CLOCK = 5
LOST_FORMER = 6  # former prescriptions: how many; what is in force is whole
LOST_NAMES = ("journal", "prescription", "progress", "life", "queue", "clock", "former prescription")

# `what` of an interference.
INTERFERENCE_NAMES = ("began", "over", "given up")

# `ended` of a test train.
TRAIN_NAMES = ("complete", "stopped", "host gone", "magnet", "fault")


def row_of(kind: int) -> "Kind | None":
    """The row of a kind; None if this firmware does not know it."""
    return TABLE[kind] if kind < len(TABLE) else None


def pack(kind: int, *values: object) -> bytes:
    """The body of an entry, its fields in order. ValueError or struct.error: the values do not fit."""
    return struct.pack(TABLE[kind][BODY], *values)


def unpack(kind: int, body: bytes) -> "dict[str, Any] | None":
    """The fields of an entry's body by name; None if the kind is not known here, or the body is short.

    A longer body is a later firmware's, or padding: the rest is passed over.
    """
    row = row_of(kind)
    if row is None:
        return None
    size = struct.calcsize(row[BODY])
    if len(body) < size:
        return None
    return {name: value for name, value in zip(row[FIELDS].split(), struct.unpack(row[BODY], body[:size]))}
