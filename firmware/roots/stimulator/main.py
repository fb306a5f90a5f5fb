"""Placeholder root of the stimulator."""

print("stimbench stimulator")
