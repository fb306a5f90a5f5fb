"""Figures of the tools themselves: the standard plan on one process and on two, the start of a command."""
