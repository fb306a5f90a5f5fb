"""The firmware's drivers on CPython, on the fake boards of tests/parts: for a radio peer without a bench."""

import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "parts"))
sys.modules.setdefault("micropython", types.SimpleNamespace(const=lambda value: value))
