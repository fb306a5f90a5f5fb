"""Campaigns of the project: power cuts, attacks on the protocol, faults in a session."""
