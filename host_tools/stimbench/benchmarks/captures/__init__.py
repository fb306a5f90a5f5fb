"""Figures of the analysis: how fast, how exact, and what it finds."""
