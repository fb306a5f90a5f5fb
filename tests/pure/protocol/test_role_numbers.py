"""Roles are stored on flash and reckoned into keys: their numbers stay, and no two are alike."""

from stimfw.protocol import requests, roles


def test_the_numbers_of_the_roles():
    assert (roles.PATIENT, roles.CLINICIAN, roles.SERVICE) == (1, 2, 3)
    assert roles.ROLE_NAMES == ("none", "patient", "clinician", "service")


def test_a_patient_may_not_do_what_a_clinician_may():
    assert not requests.may(1, requests.SET_WINDOW) and requests.may(2, requests.SET_WINDOW)
    assert not requests.may(2, requests.FACTORY_RESET) and requests.may(3, requests.FACTORY_RESET)
    for opcode in range(256):
        assert not requests.may(0, opcode) and not requests.may(4, opcode)
