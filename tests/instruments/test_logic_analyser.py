"""Logic analysers through sigrok-cli: its demo driver, and for their faults a program in its place."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import numpy as np
import pytest
from stimbench.capture.channel_map import ChannelMap
from stimbench.errors import InputError, RigError
from stimbench.instruments.sigrok import SigrokSource
from stimbench.instruments.sigrok_program import scan

RATE_HZ = 1_000_000
US = 1000
DEMO_D0_PERIOD_NS = 8 * US
"""The demo driver's logo is eight samples long, and D0 has one stroke of four samples in it."""
LOGIC = ["D0=stimulator.L_CATH", "D2=!stimulator.L_ANOD"]


def demo(channels=LOGIC, rate_hz=RATE_HZ, **options):
    return SigrokSource("demo", ChannelMap.of(channels), rate_hz, **options)


def taken(source, duration_ms=20):
    with source.recording(duration_ms) as recording:
        return recording.result()


def test_the_demo_instrument_is_found():
    (found,) = [each for each in scan() if each.driver == "demo"]
    assert found.description == "Demo device" and found.channels[:8] == tuple(f"D{bit}" for bit in range(8))
    origin = demo(calibration="C-3", clock_ppm=50).identify()
    assert (origin.instrument, origin.digital_hz) == ("Demo device (demo)", RATE_HZ)
    assert (origin.calibration, origin.clock_ppm) == ("C-3", 50)


def test_logic_comes_back_under_the_bench_s_names():
    capture = taken(demo())
    assert capture.digital == ("stimulator.L_CATH", "stimulator.L_ANOD") and capture.analog == ()
    assert (capture.start_ns, capture.end_ns, capture.origin.stopped) == (0, 20_000 * US, "")
    edges = capture.edges("stimulator.L_CATH")
    assert len(edges) == 20_000 * US / DEMO_D0_PERIOD_NS * 2 and capture.origin.digital_hz == RATE_HZ
    as_it_is = taken(demo(["D2=stimulator.L_ANOD"])).edges("stimulator.L_ANOD")
    assert capture.edges("stimulator.L_ANOD") == as_it_is.inverted()


def test_both_ways_to_write_give_the_same_edges():
    """With an analog channel sigrok-cli writes a session, else raw samples."""
    both = taken(demo([*LOGIC, "A0=I_LEFT:1000ohm"]))
    alone = taken(demo())
    assert [both.edges(name) for name in both.digital] == [alone.edges(name) for name in alone.digital]


def test_analog_channels_are_scaled():
    capture = taken(demo(["A0=I_LEFT:1000ohm", "A1=V_LEFT", "A2=I_RIGHT:-100ohm"]))
    current = capture.samples("I_LEFT")
    assert (current.unit, current.rate_hz, len(current)) == ("uA", RATE_HZ, 20_000)
    # A0 is a square wave of +-10 V.
    values = current.read(0, len(current))
    assert set(np.unique(values)) == {-10_000.0, 10_000.0}
    assert np.abs(capture.samples("V_LEFT").read(0, 1000)).max() <= 10
    assert np.abs(capture.samples("I_RIGHT").read(0, 1000)).max() == pytest.approx(100_000, rel=0.01)


def test_a_trigger_and_an_instrument_that_stops_before_its_time():
    # The demo driver has four pulses of a packet of 4096 samples after a trigger, and then stops.
    assert taken(demo(trigger="D0=r"), 4).origin.stopped == ""
    stopped = taken(demo(trigger="D0=r"), 20)
    assert stopped.origin.stopped == "the instrument gave 4096 of 20000 samples"


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"channels": ["D0=a.B", "D9=a.C", "D12=a.D"]}, InputError, "no channel D9, D12. It has: D0, D1"),
        ({"settings": {"nonsense": "1"}}, RigError, "cannot record: .*nonsense"),
        ({"rate_hz": 0}, InputError, "up to 8 GHz"),
        ({"channels": []}, InputError, "No channel of demo is a signal"),
        ({"rate_hz": 10}, InputError, "20 ms at 10 samples a second hold no sample"),
    ],
)
def test_what_cannot_be_recorded(options, error, says):
    with pytest.raises(error, match=says):
        taken(demo(**options))


@pytest.mark.parametrize("driver", ["nonsense", "fx2lafw:conn=99.99"])
def test_an_instrument_that_is_not_there(driver):
    with pytest.raises(RigError, match=f"finds no instrument '{driver}'.*sigrok-cli --scan"):
        SigrokSource(driver, ChannelMap.of(LOGIC), RATE_HZ).identify()


def test_without_sigrok_cli_the_error_says_so():
    for ask in (lambda: demo(program=("no-sigrok",)).identify(), lambda: scan(("no-sigrok",))):
        with pytest.raises(RigError, match="no-sigrok, which is not installed"):
            ask()


FAKE = """
import os, sys, time
out = sys.argv[sys.argv.index("-o") + 1] if "-o" in sys.argv else None
def say(text): print(text, file=sys.stderr, flush=True)
if "--show" in sys.argv:
    print("box - Box [S/N: 7] with 12 channels: D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11")
    sys.exit()
open(os.environ["FAKE_PID"], "w").write(str(os.getpid()))
"""
ARMED = 'say("cli: Received SR_DF_HEADER.")\n'
WORDS = 'say("cli: Received SR_DF_LOGIC (8 bytes, unitsize = 2).")\n'


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A program in the place of sigrok-cli, with an instrument that does what the test says."""
    monkeypatch.setenv("FAKE_PID", str(tmp_path / "pid"))

    def made(does, channels=("D0=stimulator.L_CATH",), **options):
        script = tmp_path / "fake.py"
        script.write_text(FAKE + does)
        options = {"patience_s": 10, **options}
        program = (sys.executable, "-I", str(script))
        return SigrokSource("box", ChannelMap.of(channels), 1000, program=program, **options)

    return made


def test_channels_past_the_eighth_are_in_the_second_byte(box):
    does = ARMED + WORDS + 'open(out, "wb").write(bytes([0, 0, 0, 8, 1, 8, 0, 0]))'
    capture = taken(box(does, ["D0=stimulator.L_CATH", "D11=stimulator.LED"]), 4)
    assert list(capture.edges("stimulator.L_CATH")) == [(2_000_000, True), (3_000_000, False)]
    assert list(capture.edges("stimulator.LED")) == [(1_000_000, True), (3_000_000, False)]
    assert capture.source == "Box [S/N: 7]"


FAULTS = {
    "is not there": ('say("Device not found."); sys.exit(1)', "cannot record: Device not found"),
    "unplugged, and sigrok-cli fails": (
        ARMED + WORDS + 'open(out, "wb").write(bytes(4)); say("USB transfer failed."); sys.exit(1)',
        "failed: USB transfer failed",
    ),
    "recorded nothing": (ARMED, "Box .* recorded nothing"),
    "left an empty file": (ARMED + 'open(out, "wb")', "Box .* recorded nothing"),
    "too few bytes a sample": (ARMED + 'open(out, "wb").write(bytes(4))', "no room for D11"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_instrument_that_fails(box, fault):
    does, says = FAULTS[fault]
    with pytest.raises(RigError, match=says):
        taken(box(does, ["D0=stimulator.L_CATH", "D11=stimulator.LED"]))


def test_fewer_samples_than_asked_for_are_a_capture_that_stopped(box):
    capture = taken(box(ARMED + WORDS + 'open(out, "wb").write(bytes(14))'), 20)
    assert capture.end_ns == 7_000_000
    assert capture.origin.stopped == "the instrument gave 7 of 20 samples"


def test_a_session_that_was_cut_off(box):
    does = ARMED + 'open(out, "wb").write(b"PK" + bytes([3, 4]) + bytes(100))'
    with pytest.raises(RigError, match=r"went away while it recorded: .* is cut off"):
        taken(box(does, ["D0=I_LEFT:100ohm"]))


NEVER = {"": "was not done after 0.12 s", "D0=r": "never triggered: D0=r did not come within 0.12 s"}


@pytest.mark.parametrize("trigger", NEVER)
def test_one_that_never_ends_is_ended(box, tmp_path, trigger):
    with pytest.raises(RigError, match=NEVER[trigger]):
        taken(box(ARMED + "time.sleep(60)", trigger=trigger, patience_s=0.1))
    assert_ended(tmp_path)


def test_one_that_never_begins_is_ended(box, tmp_path):
    with pytest.raises(RigError, match=r"did not begin within 0.5 s"):
        taken(box("time.sleep(60)", begin_s=0.5))
    assert_ended(tmp_path)


def test_ctrl_c_ends_it_and_leaves_no_file(box, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(KeyboardInterrupt), box(ARMED + "time.sleep(60)").recording(20):
        raise KeyboardInterrupt
    assert_ended(tmp_path)
    assert not list(tmp_path.glob("stimbench-*"))


def assert_ended(tmp_path):
    with suppress(FileNotFoundError):  # it was ended before it could write its number
        pid = int((tmp_path / "pid").read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
