"""What each fault that the watch finds means for the person: one byte a fault, by its number.

The words are in stimfw.therapy.watch_table, which a remote does not load; a test compares the two.
"""

from stimfw.ui.therapy_feedback import CLINIC

_MEANINGS = b"\x03\x03\x03\x03\x05\x03\x05\x05\x03\x03\x05\x03\x03\x03\x03\x03\x02\x03\x03"
"""Of faults 1, 2, ...: LATER, CLINIC or DOCTOR of stimfw.ui.therapy_feedback."""


def of(fault: int) -> int:
    """What a fault means; CLINIC of one that nobody knows."""
    return _MEANINGS[fault - 1] if 1 <= fault <= len(_MEANINGS) else CLINIC
