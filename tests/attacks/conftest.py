"""The firmware's drivers on CPython, on the fake boards of tests/support: for a radio peer alone."""

import sys
import types

sys.modules.setdefault(
    "micropython", types.SimpleNamespace(const=lambda value: value, native=lambda function: function)
)
