"""The demonstration on the built images: it holds, and other people's tools read the files that it leaves."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from itertools import pairwise

import pytest
from stimbench.cli.main import app
from stimbench.demo import run
from typer.testing import CliRunner

START_SPAN_NS = 550_000_000
"""spi.sr begins with the press of START and is this long: over the self-test to the first pulses."""
VCD_OPTIONS = "downsample=20:compress=100000"
"""50 MHz, and idle spans of more than 2 ms shortened: without it sigrok reads 500 million samples."""
R_RX_PAYLOAD, W_TX_PAYLOAD = 0x61, 0xA0

pytestmark = [pytest.mark.emulated, pytest.mark.slow, pytest.mark.usefixtures("images")]


def decode(path, stack, annotations, *options):
    """What sigrok's decoders say, a line for each annotation."""
    command = ["sigrok-cli", *options, "-i", str(path), "-P", stack, "-A", annotations]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split(": ", 1)[1] for line in result.stdout.splitlines()]


def lines_of(board, clk, cs, *others, mode=0, prefix=""):
    names = {"clk": clk, "cs": cs, "mosi": clk.replace("SCK", "MOSI")} | {
        line: clk.replace("SCK", line.upper()) for line in others
    }
    pins = ":".join(f"{line}={prefix}{name}" for line, name in names.items())
    return f"spi:{pins}:cpol={mode >> 1}:cpha={mode & 1}"


def hexes(values):
    return [f"{value:02X}" for value in values]


def frames(trace, board, bus, cs, start_ns=0, end_ns=None):
    """The bytes of each chip select that the bench recorded; none lies outside of one."""
    selected = [(a, b) for (a, level), (b, _) in pairwise(trace.edges(board, cs)) if not level]
    whole = trace.spi_bytes(board, bus, start_ns, end_ns)
    found = [[x for x in whole if a <= x.start_ns and x.end_ns <= b] for a, b in selected]
    return [frame for frame in found if frame]


def check_spi_file(path, bench, start_ns):
    """Every byte of both radios, of the DAC and of the matrix, as sigrok reads it."""
    trace = bench.trace
    for board in ("stimulator", "remote"):
        bus = lines_of(board, "RADIO_SCK", "RADIO_CSN", "miso", prefix=f"{board}.")
        recorded = trace.spi_bytes(board, 1, start_ns, start_ns + START_SPAN_NS)
        assert len(recorded) > 100
        assert decode(path, bus, "spi=mosi-data") == hexes(byte.mosi for byte in recorded)
        assert decode(path, bus, "spi=miso-data") == hexes(byte.miso for byte in recorded)
        sent = frames(trace, board, 1, "RADIO_CSN", start_ns, start_ns + START_SPAN_NS)
        check_radio_commands(path, bus, sent)
    for cs, mode in (("DAC_CS", 0), ("MATRIX_CS", 1)):
        sent = frames(trace, "stimulator", 0, cs, start_ns, start_ns + START_SPAN_NS)
        assert len(sent) >= 2 and {byte.mode for frame in sent for byte in frame} == {mode}
        bus = lines_of("stimulator", "DAC_SCK", cs, mode=mode, prefix="stimulator.")
        assert decode(path, bus, "spi=mosi-transfer") == [
            " ".join(hexes(byte.mosi for byte in frame)) for frame in sent
        ]


def check_radio_commands(path, bus, sent):
    """nrf24l01 names as many commands of each kind, and gives the payloads letter by letter."""
    told = decode(path, f"{bus},nrf24l01", "nrf24l01")
    assert not [line for line in told if "unknown" in line or "excess" in line or "missing" in line]
    kinds = Counter(line.split()[1].rstrip(":") for line in told if line.startswith("Cmd "))
    first = [frame[0].mosi for frame in sent]
    assert kinds["W_TX_PAYLOAD"] == first.count(W_TX_PAYLOAD) > 0
    assert kinds["R_RX_PAYLOAD"] == first.count(R_RX_PAYLOAD) > 0
    assert kinds["W_REGISTER"] == sum(0x20 <= command < 0x40 for command in first) > 0
    assert kinds["R_REGISTER"] == sum(command < 0x20 for command in first)
    assert sum(kinds.values()) == len(sent)
    payloads = [
        [byte.mosi if frame[0].mosi == W_TX_PAYLOAD else byte.miso for byte in frame[1:]]
        for frame in sent
        if frame[0].mosi in (W_TX_PAYLOAD, R_RX_PAYLOAD)
    ]
    shown = [match[1] for line in told if (match := re.fullmatch(r'[RT]X payload = "(.*)"', line))]
    assert shown == ["".join(map(letter, payload)) for payload in payloads]


def letter(value):
    """As the decoder shows a byte of a payload."""
    return chr(value) if chr(value).isprintable() else f"\\x{value:02X}"


def check_vcd(path, bench):
    """The whole run's bytes on the remote's bus (its names come first in the file)."""
    bus = lines_of("remote", "RADIO_SCK", "RADIO_CSN", "miso")
    recorded = bench.trace.spi_bytes("remote", 1)
    assert len(recorded) > 300
    options = ("-I", f"vcd:{VCD_OPTIONS}")
    assert decode(path, bus, "spi=mosi-data", *options) == hexes(byte.mosi for byte in recorded)
    assert decode(path, bus, "spi=miso-data", *options) == hexes(byte.miso for byte in recorded)


def test_the_demo_holds_and_sigrok_reads_its_files(tmp_path, monkeypatch):
    benches = []
    build = run.build_bench
    monkeypatch.setattr(run, "build_bench", lambda seed: benches.append(build(seed)) or benches[-1])
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--json"])
    failed = [figure for figure in json.loads(result.stdout) if not figure["passed"]]
    assert (result.exit_code, failed) == (0, [])
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html", "report.json", "bench.vcd", "bench.sr", "spi.sr",
    }  # fmt: skip
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["passed"] is True
    (bench,) = benches
    assert {name: board.log.bus_errors for name, board in bench.boards.items()} == {
        "stimulator": [], "remote": [],
    }  # fmt: skip
    for board, bus, selects in (
        ("stimulator", 0, ("DAC_CS", "MATRIX_CS")),
        ("stimulator", 1, ("RADIO_CSN",)),
        ("remote", 1, ("RADIO_CSN",)),
    ):
        inside = sum(len(frame) for cs in selects for frame in frames(bench.trace, board, bus, cs))
        assert inside == len(bench.trace.spi_bytes(board, bus)), "no clock outside of a chip select"
    check_spi_file(tmp_path / "spi.sr", bench, report["marks_ns"]["start_pressed"])
    check_vcd(tmp_path / "bench.vcd", bench)
