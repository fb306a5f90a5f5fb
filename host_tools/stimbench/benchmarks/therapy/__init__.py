"""Figures of an implanted stimulator: whole sessions, their ledger and journal, power cuts, what watching costs."""
