"""Ticks that wrap, and the time of day."""
