"""Captures as tables of comma-separated values: for a spreadsheet, or from an instrument that exports them.

One row for each instant at which something changes: `time_ns`, then a column a channel. A digital channel is 0
or 1, an analog one a number in its unit. Between two rows an analog channel goes in a straight line; where it
jumps, two rows have the same time, the value before and the value after. So nothing is lost on the way.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments
from stimbench.errors import InputError

__all__ = ("read_csv", "write_csv")

_TIME = "time_ns"
