"""The mark of a test that shows a control of docs/hazards.toml, on CPython and on MicroPython.

There pytest does not exist, and the mark does nothing.
"""

try:
    import pytest
except ImportError:
    pytest = None


def control(*ids):
    """`@control("C-07")`: as `@pytest.mark.control("C-07")`."""
    if pytest:
        return pytest.mark.control(*ids)
    return _as_it_is


def _as_it_is(function):
    return function
