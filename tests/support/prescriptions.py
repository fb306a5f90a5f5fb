"""Prescriptions that tests change, and boards that have measured both leads. Runs on MicroPython too."""

from stimfw.protocol import messages
from stimfw.therapy import prescription
from stimfw.therapy.prescription import FIELD_NAMES
from stimfw.therapy.rules import Readings

PAIR = (1, 2)


def values(**changes):
    """Values that every rule takes, with some fields changed: left__amplitude_ua for `left.amplitude_ua`."""
    wanted = list(prescription.default().values)
    for name, value in (("left.amplitude_ua", 3000), ("right.amplitude_ua", 2500)):
        wanted[FIELD_NAMES.index(name)] = value
    for name, value in changes.items():
        wanted[FIELD_NAMES.index(name.replace("__", "."))] = value
    return tuple(wanted)


def readings(ohm=500, capacitance_nf=2500, kind=messages.KIND_OK, earliest_s=0, right=None):
    """A board whose leads have measured that of the pair in `values`; right: another right lead."""
    left = (kind, ohm, capacitance_nf)
    return Readings(({PAIR: left}, {PAIR: right or left}), earliest_s)
