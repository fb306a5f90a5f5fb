"""Attacks on the radio protocol, each a function that tries and counts: docs/attacks.md."""
