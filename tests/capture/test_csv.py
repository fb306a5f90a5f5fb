"""Captures as tables: what is written comes back, and a table that is wrong is refused with its row."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments, Voltages
from stimbench.capture.csv_table import read_csv, write_csv
from stimbench.errors import InputError

TIMES = st.lists(st.integers(1, 10_000), unique=True, max_size=30).map(sorted)
VALUES = st.floats(-1e4, 1e4, allow_nan=False)


@st.composite
def pieces(draw, kind):
    times = draw(TIMES)
    spans = [(a, b) for a, b in pairwise(times) if draw(st.booleans())]
    return kind.of([(a, b, draw(VALUES), draw(VALUES)) for a, b in spans])


@st.composite
def captures(draw):
    edges = {name: Edges(draw(TIMES), draw(st.booleans())) for name in ("stimulator.L_CATH", "LED, red")}
    analog = {"I_LEFT": draw(pieces(Segments)), "V_LEFT": draw(pieces(Voltages))}
    return Capture(edges, analog, start_ns=0, end_ns=10_001)


@given(captures())
@settings(max_examples=60, deadline=None)
def test_what_is_written_comes_back(tmp_path_factory, capture):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    write_csv(capture, path)
    back = read_csv(path)
    assert (back.start_ns, back.end_ns) == (0, 10_001)
    assert (back.digital, back.analog) == (capture.digital, capture.analog)
    assert all(back.edges(name) == capture.edges(name) for name in capture.digital)
    times = np.arange(10_001)
    for name in capture.analog:
        assert type(back.waveform(name)) is type(capture.waveform(name))
        np.testing.assert_allclose(back.waveform(name).at(times), capture.waveform(name).at(times), atol=1e-6)


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_slope_and_a_jump_are_written_as_they_are(tmp_path):
    current = Segments.of([(100, 200, -2000.0, -2000.0), (250, 350, 1000.0, 500.0)])
    capture = Capture({"GO": Edges([100, 350])}, {"I_LEFT": current}, start_ns=0, end_ns=400)
    write_csv(capture, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().splitlines() == [
        "time_ns,GO,I_LEFT (uA)",
        "0,0,0.0",
        "100,1,0.0",
        "100,1,-2000.0",
        "200,1,-2000.0",
        "200,1,0.0",
        "250,1,0.0",
        "250,1,1000.0",
        "350,0,500.0",
        "350,0,0.0",
        "400,0,0.0",
    ]


def test_an_oscilloscope_exports_seconds(tmp_path):
    capture = read_csv(table(tmp_path, "time_s,I_LEFT (uA),GO\n-1e-6,0,0\n0,-2000,1\n214e-6,-2000,1\n"))
    assert (capture.start_ns, capture.end_ns) == (-1000, 214_000)
    assert capture.edges("GO") == Edges([0])
    assert capture.current("I_LEFT").at([-500, 100_000]).tolist() == [-1000.0, -2000.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the first column must be time_ns, time_us, time_ms or time_s"),
        ("t,GO\n0,1\n", "the first column must be"),
        ("time_ns\n0\n", "each column is a channel"),
        ("time_ns,GO,GO\n0,1,1\n", "a name of its own"),
        ("time_ns,GO\n", "has no row"),
        ("time_ns,GO\n0,1\n5\n", "row 3: 1 values for 2 columns"),
        ("time_ns,GO\n0,1\n5,x\n", "row 3: could not convert"),
        ("time_ns,GO\n0,1\n5,nan\n", "row 3: not a finite number"),
        ("time_ns,GO\n0,1\n5,0\n4,0\n", "row 4: the time runs backwards"),
        ("time_ns,GO\n0,1\n5,0.5\n", "row 3: GO is 0.5, and a digital channel is 0 or 1"),
    ],
)
def test_a_wrong_table_is_refused_with_its_row(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        read_csv(table(tmp_path, text))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_csv(tmp_path / "nothing.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"is no table"):
        read_csv(tmp_path / "bytes.csv")
