"""sigrok sessions: read as sigrok-cli reads them, in blocks, exact in time; a damaged one is refused."""

from __future__ import annotations

import subprocess
import threading
import tracemalloc
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.capture import sigrok, sr_blocks
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments, Voltages
from stimbench.capture.grid import first_samples, instants
from stimbench.capture.logic import edges_of_logic
from stimbench.capture.samples import BLOCK, Samples
from stimbench.capture.sigrok import read_sr, write_sr
from stimbench.capture.vcd import read_vcd
from stimbench.errors import InputError

MS = 1_000_000
RATES_HZ = (1_000_000, 24_000_000, 300_000, 333_333)
MOST_MB = 30
"""Of memory, while 50 MB of one channel are read."""


def through_sigrok_cli(path, folder):
    subprocess.run(
        ["sigrok-cli", "-i", str(path), "-O", "vcd", "-o", str(folder / "oracle.vcd")], check=True, timeout=30
    )
    return read_vcd(folder / "oracle.vcd")


def busy(signals=11, edges=300, end_ns=20 * MS):
    """Some signals with edges anywhere, now and then two at once."""
    rng = np.random.default_rng(3)
    grid = end_ns // 50_000
    return Capture(
        {
            f"board.S{each}": Edges(np.sort(rng.integers(0, 50_000, edges)) * grid, bool(each % 2))
            for each in range(signals)
        },
        end_ns=end_ns,
    )  # fmt: skip


@pytest.mark.parametrize("signals", [1, 8, 11, 20, 40])
def test_logic_is_read_as_sigrok_cli_reads_it(tmp_path, signals):
    write_sr(busy(signals), tmp_path / "run.sr")
    ours, theirs = read_sr(tmp_path / "run.sr"), through_sigrok_cli(tmp_path / "run.sr", tmp_path)
    assert ours.digital == tuple(f"board.S{each}" for each in range(signals)) and ours.end_ns == 20 * MS
    for name in ours.digital:
        # A VCD has the level of the first sample as a change at the first time.
        assert theirs.edges(name) == ours.edges(name), name
    assert ours.origin.digital_hz == theirs.origin.digital_hz == 1_000_000


def recorded(path, channels):
    command = ["sigrok-cli", "-d", "demo", "-c", "samplerate=1m", "--samples", "30000", "-C", channels]
    subprocess.run([*command, "-o", str(path)], check=True, timeout=30)
    return path


def test_a_session_of_sigrok_cli_s_own_is_read_as_it_reads_it(tmp_path):
    path = recorded(tmp_path / "demo.sr", "D0,D1,D2")
    ours, theirs = read_sr(path), through_sigrok_cli(path, tmp_path)
    assert ours.digital == theirs.digital == ("D0", "D1", "D2")
    for name in ours.digital:
        assert len(ours.edges(name)) > 7000 and ours.edges(name) == theirs.edges(name)


def test_analog_values_of_sigrok_cli_s_own_session(tmp_path):
    ours = read_sr(recorded(tmp_path / "demo.sr", "D0,A0"))
    # Its chunks have 4 KB. A0 is a square wave of 10 V, ten samples a period.
    values = ours.samples("A0").read(0, 30_000)
    assert values.reshape(-1, 10)[:, ::5].tolist() == [[-10.0, 10.0]] * 3000
    assert np.array_equal(ours.samples("A0").read(1000, 2100), values[1000:2100])


@pytest.mark.parametrize("rate_hz", [*RATES_HZ, 1000])
def test_times_do_not_drift(tmp_path, rate_hz):
    """The last edges of half an hour are where they are, whether or not the rate divides a second."""
    late_ns = [1799 * 1000 * MS + 123_456_789, 1799 * 1000 * MS + 987_654_321]
    start_ns = 1798 * 1000 * MS + 7
    write_sr(
        Capture({"S": Edges(late_ns)}, start_ns=start_ns, end_ns=1800 * 1000 * MS),
        tmp_path / "run.sr",
        rate_hz,
    )
    found_ns = read_sr(tmp_path / "run.sr", start_ns).edges("S").times_ns
    period_ns = 1e9 / rate_hz
    assert ((found_ns - late_ns >= 0) & (found_ns - late_ns < period_ns)).all()


@given(st.integers(0, 3 * 10**10), st.sampled_from([*RATES_HZ, 7, 2_000_000_000, 8_000_000_000]))
def test_the_first_sample_at_or_after_a_sample_is_that_sample(index, rate_hz):
    time_ns = int(instants(index, rate_hz, 5))
    assert time_ns == 5 + index * 10**9 // rate_hz
    # At more than 1 GHz several samples share a nanosecond.
    assert index - rate_hz // 10**9 <= int(first_samples(time_ns, rate_hz, 5)) <= index
    assert int(first_samples(time_ns + 1, rate_hz, 5)) > index - rate_hz // 10**9


@pytest.mark.parametrize("chunk_bytes", [40, 64, 1000, 4 << 20])
def test_a_file_in_small_chunks_holds_the_same(tmp_path, monkeypatch, chunk_bytes):
    current = Segments.of([(t0, t1, -5.0, 7.0) for t0, t1 in pairwise(range(1000, 19 * MS, 700_000))])
    capture = Capture(
        {name: busy().edges(name) for name in busy().digital},
        {"I_LEFT": current, "V_LEFT": Voltages.of([(500, 9 * MS, 1.0, 2.0)])},
        end_ns=20 * MS,
    )
    write_sr(capture, tmp_path / "whole.sr", 100_000)
    monkeypatch.setattr(sigrok, "_CHUNK_BYTES", chunk_bytes)
    write_sr(capture, tmp_path / "parts.sr", 100_000)
    parts, whole = read_sr(tmp_path / "parts.sr"), read_sr(tmp_path / "whole.sr")
    assert parts == whole and len(whole.samples("I_LEFT")) == 2000
    with zipfile.ZipFile(tmp_path / "parts.sr") as archive:
        names = [name for name in archive.namelist() if name.startswith("analog-1-12-")]
    assert len(names) == -(-8000 // (chunk_bytes // 4 * 4))


class Counting:
    """So many values, of each its index in kilosamples: a channel that is nowhere as a whole."""

    def __init__(self, count):
        self._count = count

    def __len__(self):
        return self._count

    def read(self, first, last):
        return (np.arange(first, last) >> 10).astype(np.float32)


@pytest.fixture(scope="module")
def long_session(tmp_path_factory):
    """12 million samples of one current, 50 MB, in 12 chunks."""
    path = tmp_path_factory.mktemp("session") / "long.sr"
    count = 12 * BLOCK
    samples = Samples(0, 100_000, "uA", Counting(count))
    write_sr(
        Capture({}, {"I_LEFT": samples}, end_ns=samples.end_ns), path, 100_000, compression=1
    )  # fmt: skip
    return path


def test_a_long_channel_is_read_block_by_block(long_session):
    samples = read_sr(long_session).samples("I_LEFT")
    tracemalloc.start()
    try:
        for first, values in samples:
            assert np.array_equal(values, Counting(0).read(first, first + len(values)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_MB << 20
    # Anywhere, across chunks, backwards.
    for first in (7 * BLOCK - 1500, 3 * BLOCK, 11 * BLOCK + 9):
        assert np.array_equal(samples.read(first, first + 3000), Counting(0).read(first, first + 3000))
    assert len(samples.read(5, 5)) == 0


def test_several_threads_may_read_at_once(long_session):
    samples = read_sr(long_session).samples("I_LEFT")
    wrong = []

    def read(step):
        for first in range(0, len(samples) - 8, step):
            if samples.read(first, first + 8)[0] != first >> 10:
                wrong.append(first)

    threads = [threading.Thread(target=read, args=(BLOCK + shift,)) for shift in (0, 4096, -4096)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_not_wanted_is_not_unpacked(long_session, monkeypatch):
    unpacked = []
    load = sr_blocks._unpack
    monkeypatch.setattr(
        sr_blocks, "_unpack", lambda chunks, chunk: unpacked.append(chunk) or load(chunks, chunk)
    )
    capture = read_sr(long_session)
    assert len(capture.samples("I_LEFT")) == 12 * BLOCK and not unpacked
    capture.samples("I_LEFT").read(9 * BLOCK, 9 * BLOCK + 100)
    assert unpacked == [9]


def test_samples_are_written_as_they_are(tmp_path):
    values = np.random.default_rng(1).normal(0, 100, 5000).astype(np.float32)
    samples = Samples.of(values, 0, 48_000)
    write_sr(Capture({}, {"I_LEFT": samples}, end_ns=samples.end_ns), tmp_path / "run.sr", 48_000)
    assert read_sr(tmp_path / "run.sr").samples("I_LEFT") == samples
    # At another rate they are joined by straight lines.
    write_sr(Capture({}, {"I_LEFT": samples}, end_ns=samples.end_ns), tmp_path / "twice.sr", 96_000)
    twice = read_sr(tmp_path / "twice.sr").samples("I_LEFT").read(0, 9998)
    assert np.array_equal(twice[::2], values[:4999])
    assert twice[1::2] == pytest.approx((values[:-1] + values[1:]) / 2, abs=0.05)


def small(tmp_path):
    write_sr(
        Capture(
            {"S": Edges([5 * MS])}, {"I_LEFT": Segments.of([(0, 9 * MS, 1.0, 2.0)])}, end_ns=10 * MS
        ),
        tmp_path / "run.sr", 100_000,
    )  # fmt: skip
    with zipfile.ZipFile(tmp_path / "run.sr") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def again(tmp_path, members):
    path = tmp_path / "again.sr"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_stored_chunks_are_read_too(tmp_path):
    members = small(tmp_path)
    path = tmp_path / "stored.sr"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert read_sr(path) == read_sr(tmp_path / "run.sr")


def without(members, text):
    metadata = "\n".join(line for line in members["metadata"].decode().splitlines() if text not in line)
    return {**members, "metadata": metadata.encode()}


DAMAGE = {
    "no metadata": (lambda m: {k: v for k, v in m.items() if k != "metadata"}, "it has no metadata"),
    "nonsense": (lambda m: {**m, "metadata": b"nonsense"}, "its metadata cannot be read"),
    "no device": (lambda m: {**m, "metadata": b"[global]\n"}, "names no device"),
    "no rate": (lambda m: without(m, "samplerate"), "no sample rate that can be used: none"),
    "half a sample": (lambda m: {**m, "analog-1-2-1": bytes(4002)}, "ends in the middle of a sample of 4"),
    "a chunk missing": (lambda m: {**m, "logic-1-3": bytes(9)}, "chunk 2 before logic-1-3 is missing"),
    "no room": (
        lambda m: {**m, "metadata": m["metadata"].replace(b"probe1=", b"probe9=")},
        "do not fit into 1 bytes",
    ),
    "odd size": (
        lambda m: {**m, "metadata": m["metadata"].replace(b"unitsize=1", b"unitsize=x")},
        "a sample of x bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_session_is_refused(tmp_path, damage):
    does, says = DAMAGE[damage]
    with pytest.raises(InputError, match=f"again.sr .*{says}"):
        read_sr(again(tmp_path, does(small(tmp_path))))


def test_a_session_that_is_cut_off_is_refused(tmp_path):
    small(tmp_path)
    whole = (tmp_path / "run.sr").read_bytes()
    for length in (len(whole) - 30, len(whole) // 2, 100):
        (tmp_path / "cut.sr").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut.sr is cut off"):
            read_sr(tmp_path / "cut.sr")


@pytest.mark.parametrize("member", ["logic-1-1", "analog-1-2-1"])
def test_a_byte_that_changed_on_the_disk_is_noticed(tmp_path, member):
    small(tmp_path)
    path = tmp_path / "run.sr"
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(member) + info.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"run.sr is damaged in {member}"):
        read_sr(path).samples("I_LEFT").read(0, 10)


@pytest.mark.parametrize(
    ("cut", "says"),
    [
        ({"logic-1-1": bytes(400)}, "of 1000 samples, there are of the logic 400 only"),
        ({"analog-1-2-1": bytes(4 * 999)}, "of 1000 samples, there are of I_LEFT 999 only"),
        ({"analog-1-2-1": b""}, "of 1000 samples, there are of I_LEFT 0 only"),
        ({}, ""),
    ],
)
def test_channels_of_unequal_length_are_a_truncated_capture(tmp_path, cut, says):
    capture = read_sr(again(tmp_path, {**small(tmp_path), **cut}))
    assert capture.origin.truncated == says
    # What only one of them has is not there.
    left = min([1000, *(len(data) // (4 if "analog" in name else 1) for name, data in cut.items())])
    assert (len(capture.samples("I_LEFT")), capture.end_ns) == (left, left * 10_000)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 200), max_size=30), st.booleans(), st.integers(1, 40))
def test_edges_are_the_same_wherever_the_chunks_are_cut(times, initial, cut):
    edges = Edges(np.sort(np.array(times, dtype=np.int64)), initial)
    levels = sigrok.sample_signal(edges, 0, 201, 1_000_000_000)
    samples = np.stack([levels ^ 1, levels], axis=1) | 6
    chunks = [samples[at : at + cut].tobytes() for at in range(0, len(samples), cut)]
    (first, second) = edges_of_logic(chunks, 2, [0, 8], 1_000_000_000)
    assert second == first.inverted()
    assert np.array_equal(sigrok.sample_signal(second, 0, 201, 1_000_000_000), levels)
