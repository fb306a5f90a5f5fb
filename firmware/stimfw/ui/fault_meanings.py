"""What each fault that the watch finds means for the person: one byte a fault, by its number."""

from stimfw.ui.therapy_feedback import CLINIC

_MEANINGS = b""
"""Of faults 1, 2, ...: LATER, CLINIC or DOCTOR of stimfw.ui.therapy_feedback."""


def of(fault: int) -> int:
    """What a fault means; CLINIC of one that nobody knows."""
    return _MEANINGS[fault - 1] if 1 <= fault <= len(_MEANINGS) else CLINIC
