"""The bench's part models against ngspice: the same lines and loads, each value within its tolerance."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

os.chdir(tempfile.mkdtemp())  # SKiDL writes beside wherever it is imported

from circuit import both  # noqa: E402
from circuit.snapshot import snapshot  # noqa: E402
from circuit.tables import Row, as_markdown, lost  # noqa: E402
from hardware.models_rows import everything  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "docs" / "circuit" / "models.md"
_HEAD = """# The bench's models against ngspice

Written by `make hardware`. The same lines, loads and faults for the nominal circuit in ngspice and for the
part models of `host_tools/stimbench/parts/` with `ideal=True`. `asked` says within what each value has to
agree; the reason is beside each tolerance in `tests/hardware/models_rows.py`. `measured` has ngspice's
values, then the models'; where the models have no such fault, ngspice's alone. V_LEFT and I_SENSE are what
the converter's pins show, in V between the rails and in mA.

\\* 5 us after the phase's edge, in its middle, 5 us before its end. \\*\\* 1, 2, 3, 5 us after the edge, 5 us
after the end. \\*\\*\\* 1, 2, 3, 4 us after the edge.

"""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Every comparison, made once; the page is written from it."""
    return [each.row for each in everything(snapshot(both.stimulator()), os.cpu_count() or 1)]


def test_every_value_is_within_its_tolerance(rows):
    assert [f"{row.what}: {row.measured}, within {row.asked}" for row in rows if row.reached is False] == []


def test_nothing_that_was_compared_is_lost(rows):
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(_HEAD + as_markdown(rows), encoding="utf-8")
    assert lost(before, rows) == []
