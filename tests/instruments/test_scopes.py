"""Oscilloscopes through PyVISA, simulated: what they measure comes back, and their faults are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stimbench.capture.channel_map import ChannelMap
from stimbench.errors import InputError, RigError
from stimbench.instruments import scope_profiles
from stimbench.instruments.binary_block import parse_block
from stimbench.instruments.scope_profiles import PROFILES, RIGOL_DS1000Z, profile_of
from stimbench.instruments.visa import ScopeSource
from support.scope_sim import KEYSIGHT, NAME, RIGOL, ScopeSim

MAKES = pytest.mark.parametrize("make", [RIGOL, KEYSIGHT], ids=["rigol", "keysight"])
CODE_UA = 0.02 / 1000 * 1e6
"""One code of 0.02 V at a shunt of 1 kohm."""
PERIOD_NS, BEFORE_NS = 1000, -1_000_000
POINTS = 3000
CHANNELS = ["CH1=I_LEFT:1000ohm", "CH2=V_LEFT:10V/V"]


def pulse(points=POINTS):
    """Volts at 1 kohm: 214 us of -2 mA, 50 us of nothing, 214 us of 2 mA from the trigger on."""
    us = np.arange(points) - 1000
    return np.where((us >= 0) & (us < 214), -2.0, np.where((us >= 264) & (us < 478), 2.0, 0.0))


def scope(make, **faults):
    volts = faults.pop("volts", {1: pulse(), 2: pulse() / 10})
    return ScopeSim(make, volts, **faults)


def source(sim, channels=CHANNELS, **options):
    return ScopeSource(
        NAME, ChannelMap.of(channels), opened=sim.open,
        monotonic=sim.clock.monotonic, sleep=sim.clock.sleep, **options,
    )  # fmt: skip


def taken(sim, duration_ms=3, **options):
    with source(sim, **options).recording(duration_ms) as recording:
        return recording.result()


@MAKES
def test_a_single_capture_is_read_as_microamperes_since_the_trigger(make):
    sim = scope(make)
    capture = taken(sim, calibration="C-17", clock_ppm=25, gain_percent=3)
    assert capture.analog == ("I_LEFT", "V_LEFT") and capture.digital == ()
    current, voltage = capture.samples("I_LEFT"), capture.samples("V_LEFT")
    assert (current.unit, current.rate_hz, current.start_ns) == ("uA", 1_000_000, BEFORE_NS)
    assert current.read(0, POINTS) == pytest.approx(pulse() * 1000, abs=0.01)
    assert voltage.read(0, POINTS) == pytest.approx(pulse(), abs=0.02 / 2 * 10)
    assert (capture.start_ns, capture.end_ns) == (BEFORE_NS, BEFORE_NS + POINTS * PERIOD_NS)
    assert (capture.origin.calibration, capture.origin.clock_ppm, capture.origin.gain_percent) == (
        "C-17", 25, 3,
    )  # fmt: skip
    assert capture.origin.instrument.split()[-1] in ("DS1ZA000000001", "MY00000001")
    assert capture.origin.stopped == ""


@MAKES
def test_the_limits_of_the_converter_come_with_the_samples(make):
    capture = taken(scope(make), channels=["CH1=I_LEFT:-1000ohm"])
    low, high = capture.samples("I_LEFT").limits
    codes = (256 if make is RIGOL else 255) - 1
    assert high - low == pytest.approx(codes * CODE_UA)
    # The probe is the other way round: so are the limits, and the values.
    assert capture.samples("I_LEFT").read(1000, 1001) == pytest.approx([2000], abs=0.01)
    assert low < -2000 and high > 2000


def test_a_long_memory_is_read_in_several_parts(monkeypatch):
    assert RIGOL_DS1000Z.most_points == 250_000
    # The simulated one takes a second for so many.
    monkeypatch.setattr(scope_profiles, "PROFILES", (replace(RIGOL_DS1000Z, most_points=1250),))
    sim = scope(RIGOL)
    capture = taken(sim, channels=["CH1=I_LEFT:1000ohm"])
    assert capture.samples("I_LEFT").read(0, POINTS) == pytest.approx(pulse() * 1000, abs=0.01)
    spans = [each.split()[1] for each in sim.said if each.startswith((":WAVeform:STARt", ":WAVeform:STOP"))]
    assert spans == ["1", "1250", "1251", "2500", "2501", "3000"]


@MAKES
def test_the_block_begins_when_the_oscilloscope_waits_for_its_trigger(make):
    sim = scope(make, polls_before_trigger=5)
    with source(sim).recording(3) as recording:
        armed = list(sim.said)
        assert armed[-1] == make.armed[0] and ":WAVeform:DATA?" not in armed
        recording.result()
        assert recording.result() is recording.result()
    assert sim.said.count(":WAVeform:DATA?") == 2 and sim.said[-1] == ":STOP"


@MAKES
def test_one_that_never_triggers_is_told_after_its_time(make):
    sim = scope(make, triggers=False)
    with (
        source(sim, patience_s=10).recording(3000) as recording,
        pytest.raises(RigError, match=r"(DS1104Z|DSO-X 2014A) .* never triggered within 13 s"),
    ):
        recording.result()
    assert 13 <= sim.clock.now_s < 14


def test_one_that_triggers_at_once_cannot_be_armed():
    sim = scope(RIGOL, answers={":TRIGger:STATus?": b"AUTO"})
    with pytest.raises(RigError, match=r"does not wait for its trigger.*AUTO"):
        taken(sim)


@MAKES
def test_a_memory_that_is_too_short_counts_as_stopped(make):
    assert taken(scope(make), duration_ms=40).origin.stopped == "its memory holds 3 of 40 ms"


BLOCKS = {
    b"#800003000" + bytes(range(1, 200)): "sent 199 bytes in a block of 3000",
    b"#800000010" + bytes(50): "sent 50 bytes in a block of 10",
    b"#3010" + b"\x80" * 10: "sent 10 samples, and its preamble says 3000",
    # With the line feed that ends the answer there are as many bytes as the header says.
    b"#3010" + b"\x80" * 9: "sent 9 bytes in a block of 10",
    b"#9abc": "header makes no sense",
    b"#0" + b"\x80" * 3000: "no block of samples",
    b"-2.0,2.0": "no block of samples",
}


@MAKES
@pytest.mark.parametrize(("block", "says"), BLOCKS.items(), ids=BLOCKS.values())
def test_a_block_that_is_not_what_its_header_says(make, block, says):
    with pytest.raises(RigError, match=says):
        taken(scope(make, answers={":WAVeform:DATA?": block}))


def test_a_sample_may_be_a_line_feed():
    volts = np.full(POINTS, (10 - 137) * 0.02)
    sim = scope(RIGOL, volts={1: volts})
    assert sim.codes(1).tobytes() == b"\n" * POINTS
    capture = taken(sim, channels=["CH1=I_LEFT:1000ohm"])
    assert capture.samples("I_LEFT").read(0, POINTS) == pytest.approx(volts * 1000, abs=0.1)


def test_missing_samples_are_told():
    codes = np.full(POINTS, 128, dtype=np.uint8)
    codes[7] = 0
    block = f"#8{POINTS:08d}".encode() + codes.tobytes()
    with pytest.raises(RigError, match=r"CH1 of .* lacks 1 of 3000 samples"):
        taken(scope(KEYSIGHT, answers={":WAVeform:DATA?": block}))


@MAKES
@pytest.mark.parametrize("at", ["*IDN?", ":CHANnel2:DISPlay?", ":WAVeform:PREamble?", ":WAVeform:DATA?"])
def test_one_that_has_gone_is_told_by_its_name(make, at):
    with pytest.raises(RigError, match=f"{NAME} does not answer: Timeout"):
        taken(scope(make, gone_at=at))


@MAKES
@pytest.mark.parametrize("answer", [b"", b"1,2,3", b"a,b", b"0,2,0,1,1e-6,0,0,1,1,1", b"0,2,9,1,0,0,0,1,1,1"])
def test_a_preamble_that_makes_no_sense(make, answer):
    with pytest.raises(RigError, match="preamble makes no sense"):
        taken(scope(make, answers={":WAVeform:PREamble?": answer}))


def test_channels_of_different_times_are_no_capture():
    sim = scope(RIGOL, volts={1: pulse(), 2: pulse(2000)})
    with pytest.raises(RigError, match="differ in their times"):
        taken(sim)


def test_an_unknown_make_is_refused_with_those_that_are_known():
    sim = scope(replace(RIGOL, yaml="other_make.yaml"))
    with pytest.raises(RigError, match=r"ACME.*Known are: Rigol DS1000Z, Keysight InfiniiVision"):
        source(sim).identify()


@pytest.mark.parametrize(
    ("identity", "make"),
    [
        ("RIGOL TECHNOLOGIES,DS1054Z,DS1ZA1,00.04", "Rigol DS1000Z"),
        ("RIGOL TECHNOLOGIES,MSO1104Z,DS1ZA1,00.04", "Rigol DS1000Z"),
        ("AGILENT TECHNOLOGIES,DSO-X 3024A,MY1,02.50", "Keysight InfiniiVision"),
        ("KEYSIGHT TECHNOLOGIES,MSOX3054T,MY1,07.30", "Keysight InfiniiVision"),
        ("KEYSIGHT TECHNOLOGIES,EDUX1052G,CN1,02.10", "Keysight InfiniiVision"),
    ],
)
def test_models_that_a_profile_knows(identity, make):
    assert profile_of(identity).make == make and len(PROFILES) == 2


@pytest.mark.parametrize(
    ("channels", "error", "says"),
    [
        (["CH3=I_LEFT:1000ohm", "CH4=I_RIGHT:1000ohm"], RigError, "CH3, CH4 of .* is off"),
        (["CH7=I_LEFT:1000ohm"], InputError, "has no channel CH7. It has: CH1, CH2, CH3, CH4"),
        (["D0=stimulator.L_CATH"], InputError, "channels are CH1 to CH4, not D0"),
        ([], InputError, "channels are CH1 to CH4, not none"),
    ],
)
def test_a_channel_that_it_cannot_read(channels, error, says):
    with pytest.raises(error, match=says):
        taken(scope(RIGOL), channels=channels)


def test_a_socket_says_not_where_an_answer_ends():
    with pytest.raises(InputError, match="must end with ::INSTR"):
        ScopeSource("TCPIP::scope::5555::SOCKET", ChannelMap.of(CHANNELS)).identify()


def test_an_address_where_nobody_is():
    name = "TCPIP::127.0.0.1::INSTR"
    with pytest.raises(RigError, match=f"There is no instrument at {name}: .*refused"):
        ScopeSource(name, ChannelMap.of(CHANNELS)).identify()


def test_one_that_does_not_say_who_it_is():
    with pytest.raises(RigError, match="does not say who it is"):
        source(scope(RIGOL, answers={"*IDN?": b""})).identify()


def test_an_answer_that_is_no_text():
    with pytest.raises(RigError, match="bytes that are no text"):
        source(scope(RIGOL, answers={"*IDN?": b"\xff\xfe"})).identify()


def test_leaving_early_stops_it_and_lets_go(monkeypatch):
    sim = scope(RIGOL)
    with pytest.raises(KeyboardInterrupt), source(sim).recording(3):
        raise KeyboardInterrupt
    assert sim.said[-1] == ":STOP" and ":WAVeform:DATA?" not in sim.said


def test_a_block_ends_with_its_line_feed():
    assert parse_block(b"#13abc\n", "it") == b"abc"
    assert parse_block(b"#13ab\n\n", "it") == b"ab\n"
    for raw in (b"#13abc", b"#13abcd"):
        with pytest.raises(RigError, match="and no line feed"):
            parse_block(raw, "it")
