"""Benchmarks of pulses and of the output."""
