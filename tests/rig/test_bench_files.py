"""bench.toml: what it says, and all that is wrong with one at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stimbench.errors import InputError
from stimbench.rig.file import BenchFileError, load_bench_file, parse_bench_file
from support.wired_rig import CHANNELS, bench_toml, source_toml

BROKEN = """
kind = "wird"
colour = 3
[boards.stimulator]
serial = "E6"
port = "/dev/ttyACM0"
[boards.phone]
serial = "E7"
[[source]]
kind = "sigrok"
driver = "fx2lafw"
rate_hz = 0
clock = 3
[source.channels]
D0 = "stimulator.L_CAT"
D1 = "I_LEFT:1parsec"
D2 = { name = "I_LEFT" }
D3 = "stimulator.L_CATH"
[[source]]
kind = "visa"
resource = "scope"
channels = { CH1 = "stimulator.L_CATH" }
[[source]]
kind = "camera"
[[source]]
kind = "none"
driver = "demo"
[loads."500 ohm"]
resistance_ohm = -1
[loads."1 kohm"]
resistance_ohm = 1000
electrodes = [7]
[loads."2 kohm"]
resistance_ohm = 2000
[power]
uhubctl = "socket two"
[has]
magnet = 1
laser = true
"""
WRONG = [
    (2, "kind = 'wird': allowed is emulated or wired"),
    (3, "unknown key 'colour'; there are kind, boards, source, loads, power, has"),
    (4, "the stimulator has a serial or a port, one of the two"),
    (7, "there is no board 'phone'; there are stimulator, remote"),
    (12, "rate_hz = 0: allowed is greater than 0"),
    (13, "unknown key 'clock'"),
    (15, "D0: there is no signal 'stimulator.L_CAT'; is stimulator.L_CATH meant?"),
    (16, "'1parsec' is no scale"),
    (17, "D2: a table has one of ua_per_volt and volt_per_volt"),
    (21, "resource = 'scope': it is VISA's name of an instrument: USB0::...::INSTR"),
    (22, "CH1: stimulator.L_CATH is recorded twice"),
    (24, "kind = 'camera': allowed is sigrok, visa or none"),
    (27, "a source of kind none has no driver"),
    (29, "resistance_ohm = -1: allowed is greater than 0"),
    (32, "electrodes = [7]: allowed are some of 0, 1, 2, 3, in order"),
    (33, "2 kohm and 1 kohm cannot both be wired"),
    (36, "uhubctl = 'socket two': it is a hub and a port: 1-1:2"),
    (38, "magnet = 1: allowed is true or false"),
    (39, "unknown key 'laser'; there are magnet, hang, jammer"),
]


def test_without_a_file_it_is_the_emulated_bench():
    bench = load_bench_file(None)
    assert bench.is_emulated and not bench.sources


def test_a_file_that_says_nothing_is_the_emulated_bench():
    assert parse_bench_file("", "empty.toml").is_emulated


def test_a_wired_bench():
    text = bench_toml(source_toml(CHANNELS), has="magnet", power="1-1.2:3") + (
        '[[source]]\nkind = "visa"\nresource = "TCPIP::scope::INSTR"\ncalibrated = 2026-01-31\n'
        "gain_percent = 3\n"
        '[source.channels]\nCH1 = { name = "I_LEFT", ua_per_volt = 10_000, zero_v = 1.65 }\n'
        'CH2 = "I_RIGHT:-100ohm"\n'
    )
    bench = parse_bench_file(text, "bench.toml")
    assert bench.boards["stimulator"].serial == "E660583883724A2C"
    assert bench.sources[0].digital == tuple(CHANNELS.values())
    left, right = bench.sources[1].channels.uses
    assert (left.signal, left.unit, left.scale, left.zero_v) == ("I_LEFT", "uA", 10_000.0, 1.65)
    assert right.scale == -10_000.0
    assert (bench.power, bench.has) == ("1-1.2:3", {"magnet"})
    assert {"I_LEFT", "stimulator.L_CATH"} <= bench.signals


def test_the_file_of_the_documentation_is_one():
    page = (Path(__file__).resolve().parents[2] / "docs" / "wired-bench.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    bench = parse_bench_file(text, "wired-bench.md")
    assert len(bench.sources) == 2 and bench.has == {"magnet"}


def test_everything_that_is_wrong_is_told_at_once_with_its_line():
    with pytest.raises(BenchFileError) as caught:
        parse_bench_file(BROKEN, "broken.toml")
    told = "broken.toml is not a valid bench file, nothing was touched:\n  line 2: kind"
    assert str(caught.value).startswith(told)
    found = caught.value.problems
    assert [line for line, _ in found] == [line for line, _ in WRONG]
    for (line, text), (_, says) in zip(found, WRONG, strict=True):
        assert says in text, line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('kind = "wired"', "a wired bench needs [boards.stimulator] with its serial"),
        ('kind = "emulated"\n[power]', "an emulated bench has no power: write kind = 'wired'"),
        ('kind = "wired"\n[boards.stimulator]\nserial = "1"\n[source]', "source is written [[source]]"),
        (bench_toml(source_toml({})), "channels is empty"),
        ('kind = "wired"\n[boards]\nstimulator = 3', "stimulator = 3: it is a table"),
    ],
)
def test_other_files_that_cannot_be(text, says):
    with pytest.raises(BenchFileError) as caught:
        parse_bench_file(text, "bench.toml")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "cannot be read: No such file or directory. `stimbench bench init` writes one."),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"kind = ", "is not TOML"),
        (b"#" * 200_001, "has more than 200000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, data, says):
    path = tmp_path / "bench.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        load_bench_file(path)
    assert says in str(caught.value)
