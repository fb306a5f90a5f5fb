"""Figures of an implant: whole sessions, their ledger and journal, power cuts."""
