"""Who may do what: all of the table, written out a second time from docs/telemetry.md."""

from stimfw.protocol import asking, requests, roles
from support.control import control

EVERYBODY = ("STATUS", "UPTIME", "START", "STOP", "AMPLITUDE", "THERAPY", "KEPT_TIME")
CLINICIAN = (
    "IDENTIFY", "GET_PROGRAM", "SET_PROGRAM", "IMPEDANCE", "IMPEDANCE_RESULTS", "PULSES", "DETAILS",
    "COUNTERS", "SELF_TEST", "TEST_STIMULATION", "GET_WINDOW", "SET_WINDOW", "LOG", "GET_TIME", "SET_TIME",
    "STRANGERS", "GET_PRESCRIPTION", "SET_PRESCRIPTION", "MODE", "TRAIN", "TRAIN_ON", "JOURNAL", "LEDGER",
    "HISTORY", "WATCH", "CLEAR_FAULT", "CONTRACTIONS",
)  # fmt: skip
SERVICE = (
    "PAIRINGS", "PAIR", "FORGET", "FACTORY_RESET", "RECORDS", "REPAIR", "XIP", "IMPLANT", "EXPLANT",
    "GET_CALIBRATION", "SET_CALIBRATION", "FORGET_CALIBRATION",
)  # fmt: skip


def opcodes(names):
    return [getattr(requests, name) for name in names]


@control("C-27")
def test_the_whole_table():
    allowed = {
        roles.PATIENT: opcodes(EVERYBODY),
        roles.CLINICIAN: opcodes(EVERYBODY + CLINICIAN),
        roles.SERVICE: opcodes(EVERYBODY + CLINICIAN + SERVICE),
    }
    for role in range(256):
        for opcode in range(256):
            assert asking.may(role, opcode) == (opcode in allowed.get(role, ())), (role, opcode)


def test_no_key_has_the_role_of_the_cable():
    assert roles.KEY_ROLES == (roles.PATIENT, roles.CLINICIAN)
    assert roles.SERVICE not in roles.KEY_ROLES
