"""Benchmarks of the emulator itself."""
