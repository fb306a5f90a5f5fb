"""Roles are stored on flash and reckoned into keys: their numbers stay, and no two are alike."""

from stimfw.protocol import messages, roles


def test_the_numbers_of_the_roles():
    assert (roles.PATIENT, roles.CLINICIAN, roles.SERVICE) == (1, 2, 3)
    assert roles.ROLE_NAMES == ("none", "patient", "clinician", "service")


def test_a_patient_may_not_do_what_a_clinician_may():
    assert not roles.may(1, messages.SET_WINDOW) and roles.may(2, messages.SET_WINDOW)
    assert not roles.may(2, messages.FACTORY_RESET) and roles.may(3, messages.FACTORY_RESET)
    for opcode in range(256):
        assert not roles.may(0, opcode) and not roles.may(4, opcode)
