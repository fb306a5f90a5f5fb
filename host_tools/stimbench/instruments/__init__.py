"""Captures from instruments: a logic analyser through sigrok-cli, an oscilloscope through VISA."""
