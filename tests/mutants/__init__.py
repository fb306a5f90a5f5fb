"""Mutation tests of the firmware's pure packages, by cosmic-ray (docs/testing.md): `python -m mutants`."""
