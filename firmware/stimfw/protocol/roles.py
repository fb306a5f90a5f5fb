"""Whose request it is. What each may ask for: the column ROLE of stimfw.protocol.requests.TABLE."""

PATIENT = 1
CLINICIAN = 2
SERVICE = 3
"""Whoever holds the USB cable. No key has this role, so nobody has it by radio."""

ROLE_NAMES = ("none", "patient", "clinician", "service")
"""By number; each may do what those before it may. `none` may do nothing."""
KEY_ROLES = (PATIENT, CLINICIAN)
