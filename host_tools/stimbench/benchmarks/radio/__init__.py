"""Benchmarks of the radio protocol."""
