"""Edges and currents over time: recorded, written and read."""
