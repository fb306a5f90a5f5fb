"""Calibration of a stimulator: from one resistor and a meter's readings to a record for its flash."""
