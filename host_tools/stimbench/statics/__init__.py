"""Steady outputs of a stimulator that an operator holds: for calibration and for bringing a board up."""
