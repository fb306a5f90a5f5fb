"""Recordings and the files made of them, read back."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Segments, Voltages
from stimbench.capture.recorder import Recorder
from stimbench.capture.sigrok import write_sr
from stimbench.capture.vcd import write_vcd
from stimbench.emulator.board import EmulatedBoard

SIO, IO_BANK0 = 0xD0000000, 0x40014000
OUT_SET, OUT_CLR, OE_SET = 0x14, 0x18, 0x24
PULSES_NS = [(10_000, 224_000), (300_000, 300_400), (900_000, 950_000)]
END_NS = 1_000_000


class Current:
    segments = ((10_000, 224_000, -2000.0, -2000.0), (224_000, 438_000, 2000.0, 0.0))


@pytest.fixture
def recorder(bare: EmulatedBoard) -> Recorder:
    recording = Recorder()
    for pin in (2, 3):
        bare.write_word(IO_BANK0 + 8 * pin + 4, 5)
        recording.watch("stimulator", bare.pin(f"P{pin}"))
    recording.add_current("I_LEFT", Current())
    bare.write_word(SIO + OE_SET, 1 << 2)
    for start_ns, end_ns in PULSES_NS:
        bare.runner.run_to(start_ns)
        bare.write_word(SIO + OUT_SET, 1 << 2)
        bare.runner.run_to(end_ns)
        bare.write_word(SIO + OUT_CLR, 1 << 2)
    recording.end_ns = END_NS
    return recording


def test_edges(recorder: Recorder) -> None:
    flat = [edge for start_ns, end_ns in PULSES_NS for edge in ((start_ns, True), (end_ns, False))]
    assert recorder.edges("stimulator", "P2") == flat
    assert recorder.edges("stimulator", "P2", start_ns=224_000, end_ns=900_000) == flat[1:4]
    assert recorder.edges("stimulator", "P3") == []
    with pytest.raises(KeyError):
        recorder.edges("stimulator", "P4")
    recorder.forget_before(300_100)
    assert recorder.edges("stimulator", "P2") == flat[3:]
    assert recorder.initial_level("stimulator", "P2")


def test_vcd_holds_every_edge_and_the_currents(recorder: Recorder, tmp_path: Path) -> None:
    path = tmp_path / "run.vcd"
    write_vcd(recorder.capture(), path)
    names: dict[str, str] = {}
    changes: dict[str, list[tuple[int, float]]] = {}
    time_ns = 0
    for line in path.read_text().splitlines():
        if line.startswith("$var"):
            fields = line.split()
            names[fields[3]] = fields[4]
        elif line.startswith("#"):
            time_ns = int(line[1:])
        elif line[:1] in "01" and line[1:] in names:
            changes.setdefault(names[line[1:]], []).append((time_ns, float(line[0])))
        elif line.startswith("r"):
            value, key = line[1:].split()
            changes.setdefault(names[key], []).append((time_ns, float(value)))
    assert changes["P2"][1:] == [(t, float(level)) for t, level in recorder.edges("stimulator", "P2")]
    expected = [(10_000, -2000.0), (224_000, 2000.0), (438_000, 0.0)]
    assert changes["I_LEFT"][1:] == expected == Segments.of(Current.segments).changes()


def test_sigrok_session_reads_back_at_its_rate(recorder: Recorder, tmp_path: Path) -> None:
    path = tmp_path / "run.sr"
    write_sr(recorder.capture(), path, rate_hz=1_000_000)
    rate_hz, logic, analog = unpacked(path)
    assert rate_hz == 1_000_000
    samples = logic["stimulator.P2"]
    assert len(samples) == END_NS // 1000
    expected = np.zeros(END_NS // 1000, dtype=np.uint8)
    for start_ns, end_ns in PULSES_NS:
        expected[-(-start_ns // 1000) : -(-end_ns // 1000)] = 1
    assert np.array_equal(samples, expected)
    assert not logic["stimulator.P3"].any()
    current = analog["I_LEFT"]
    assert set(current[10:224]) == {-2000.0}
    assert current[9] == current[438] == 0.0
    assert current[331] == pytest.approx(1000.0)
    assert path.read_bytes() == _again(recorder, tmp_path).read_bytes()


def test_a_session_holds_voltages_to_a_millivolt(tmp_path: Path) -> None:
    ramp = Voltages.of([(10_000, 20_000, -1.0004, 0.9996), (20_000, 30_000, 2.0, 2.0)])
    write_sr(Capture({}, {"V_LEFT": ramp}, end_ns=40_000), tmp_path / "run.sr")
    _, _, analog = unpacked(tmp_path / "run.sr")
    assert analog["V_LEFT"][[9, 10, 15, 20, 29, 30]].tolist() == pytest.approx([0, -1, 0, 2, 2, 0], abs=1e-6)
    assert analog["V_LEFT"][11] == pytest.approx(-0.8, abs=1e-6)


def test_long_session_is_split_between_samples(bare: EmulatedBoard, tmp_path: Path) -> None:
    recording = Recorder()
    for pin in range(17):
        recording.watch("stimulator", bare.pin(f"P{pin}"))
    recording.end_ns = END_NS
    path = tmp_path / "long.sr"
    write_sr(recording.capture(), path, rate_hz=2_000_000_000)
    with zipfile.ZipFile(path) as archive:
        sizes = [info.file_size for info in archive.infolist() if info.filename.startswith("logic-1-")]
    assert len(sizes) == 2
    assert sum(sizes) == 3 * 2 * END_NS
    assert all(size % 3 == 0 for size in sizes)


def test_nothing_to_sample_is_refused(recorder: Recorder, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no sample"):
        write_sr(recorder.capture(start_ns=999_000), tmp_path / "run.sr", rate_hz=100)


def _again(recorder: Recorder, folder: Path) -> Path:
    path = folder / "again.sr"
    write_sr(recorder.capture(), path, rate_hz=1_000_000)
    return path


def unpacked(path: Path) -> tuple[int, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A session as its archive holds it: samples a second, levels by probe, values by analogue channel."""
    with zipfile.ZipFile(path) as archive:
        fields = dict(
            line.split("=", 1) for line in archive.read("metadata").decode().splitlines() if "=" in line
        )
        probes = {int(key[5:]): name for key, name in fields.items() if key.startswith("probe")}
        analogs = {int(key[6:]): name for key, name in fields.items() if key.startswith("analog")}
        unit = int(fields["unitsize"])
        raw = np.frombuffer(chunks(archive, "logic-1"), dtype=np.uint8).reshape(-1, unit)
        logic = {name: raw[:, (i - 1) // 8] >> ((i - 1) % 8) & 1 for i, name in probes.items()}
        analog = {name: np.frombuffer(chunks(archive, f"analog-1-{i}"), "<f4") for i, name in analogs.items()}
    return int(fields["samplerate"].split()[0]), logic, analog


def chunks(archive: zipfile.ZipFile, name: str) -> bytes:
    data, number = b"", 1
    while f"{name}-{number}" in archive.namelist():
        data += archive.read(f"{name}-{number}")
        number += 1
    return data
