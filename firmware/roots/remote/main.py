"""Placeholder root of the remote."""

print("stimbench remote")
