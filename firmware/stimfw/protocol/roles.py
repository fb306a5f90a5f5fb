"""Who may ask for what: the one table, deny by default. docs/telemetry.md shows it to people."""

from stimfw.protocol import messages

PATIENT = 1
CLINICIAN = 2
SERVICE = 3
"""Whoever holds the USB cable. No key has this role, so nobody has it by radio."""

ROLE_NAMES = ("none", "patient", "clinician", "service")
KEY_ROLES = (PATIENT, CLINICIAN)

_PATIENT = (messages.STATUS, messages.START, messages.STOP, messages.AMPLITUDE)
_CLINICIAN = _PATIENT + (
    messages.IDENTIFY,
    messages.GET_PROGRAM,
    messages.SET_PROGRAM,
    messages.IMPEDANCE,
    messages.IMPEDANCE_RESULTS,
    messages.PULSES,
    messages.DETAILS,
    messages.COUNTERS,
    messages.SELF_TEST,
    messages.TEST_STIMULATION,
    messages.GET_WINDOW,
    messages.SET_WINDOW,
    messages.LOG,
    messages.GET_TIME,
    messages.SET_TIME,
)
_SERVICE = _CLINICIAN + (
    messages.PAIRINGS,
    messages.PAIR,
    messages.FORGET,
    messages.FACTORY_RESET,
    messages.RECORDS,
    messages.REPAIR,
    messages.XIP,
)

_ALLOWED = {PATIENT: _PATIENT, CLINICIAN: _CLINICIAN, SERVICE: _SERVICE}


def may(role: int, opcode: int) -> bool:
    """Whether `role` may send the request `opcode`. False for every role and opcode that the table lacks."""
    return opcode in _ALLOWED.get(role, ())
