"""A bench described in one file: boards, loads, capture sources, power."""
