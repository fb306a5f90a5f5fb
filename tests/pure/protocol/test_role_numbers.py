"""Roles are stored on flash and are a part of the keys: their numbers stay, and no two are alike."""

from stimfw.protocol import asking, requests, roles


def test_the_numbers_of_the_roles():
    assert (roles.PATIENT, roles.CLINICIAN, roles.SERVICE) == (1, 2, 3)
    assert roles.ROLE_NAMES == ("none", "patient", "clinician", "service")


def test_a_patient_may_not_do_what_a_clinician_may():
    assert not asking.may(1, requests.SET_WINDOW) and asking.may(2, requests.SET_WINDOW)
    assert not asking.may(2, requests.FACTORY_RESET) and asking.may(3, requests.FACTORY_RESET)
    for opcode in range(256):
        assert not asking.may(0, opcode) and not asking.may(4, opcode)
