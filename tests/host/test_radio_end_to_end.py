"""A clinician by radio on the built images: what talks through a wired remote, on the emulated bench."""

from __future__ import annotations

import json
import random
from contextlib import contextmanager

import pytest
from stimbench.cli.boards import begin_with, open_board
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client import Keyring, RadioConsole, Stimulator, connect, connect_remote
from stimbench.client.on_bench import build_bench, pair_bench
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import ForbiddenError, NoAnswerError
from stimfw.protocol import roles
from typer.testing import CliRunner

REPLY_S = 0.1
"""A short request in an open connection, from the host through the remote and back."""

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("images")]


class Boards:
    """A bench, and a host with both boards on USB and a key file."""

    def __init__(self, bench, folder):
        self.bench = bench
        self.random = random.Random(7)
        self.keyring = Keyring(folder / "keys.json", self.random.randbytes)
        self.stimulator = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        self.remote = connect_remote(EmulatedLink(bench, "remote"), first_number=0)
        self.services = Services(open_board=self.open, open_remote=self.open_remote, keyring=self.own_keyring)

    def own_keyring(self):
        return self.keyring

    @contextmanager
    def open(self, _board, radio=None):
        if radio is None:
            yield self.stimulator
            return
        console = RadioConsole(self.remote, begin_with(self.remote, self.keyring), self.random.randbytes)
        stimulator = Stimulator(console)
        stimulator.require_role()
        yield stimulator
        console.close()

    @contextmanager
    def open_remote(self, _port):
        yield self.remote

    def run(self, *args, code=0):
        result = CliRunner().invoke(app, list(args), obj=self.services, env={"COLUMNS": "120"})
        assert result.exit_code == code, result.output
        return result

    def told(self, *args, code=0):
        return json.loads(self.run(*args, "--json", code=code).stdout)


@pytest.fixture
def boards(tmp_path):
    with build_bench(seed=1) as bench:
        yield Boards(bench, tmp_path)


@pytest.mark.slow
def test_a_clinician_by_radio_from_pairing_to_a_session(boards):
    base = boards.told("pair", "--clinician")["base"]
    assert boards.told("pair", "--list")["pairings"][0]["state"] == "pending"
    radio = ("--radio", "modem")
    assert boards.told("status", *radio)["status"]["state"] == "ready"
    listed = boards.told("pair", "--list")
    assert (listed["base"], listed["pairings"][0]["state"]) == (base, "active"), "used by radio"

    with boards.open(None, "modem") as stimulator:
        stimulator.status()
        begun_s = stimulator.link.now_s()
        stimulator.status()
        assert stimulator.link.now_s() - begun_s <= REPLY_S
        with pytest.raises(ForbiddenError, match="USB only"):
            stimulator.pairings()
    assert boards.told("window", "0", "1500", "0", "1500", *radio)["open"]
    assert boards.told("amplitude", "1000", "1000", *radio)["left.amplitude_ua"] == 1000
    program = boards.told("program", "set", "--set", "rate_hz=40", "--set", "ramp_up_ms=0", *radio)
    assert program["rate_hz"] == 40
    boards.run("start", *radio)
    boards.bench.run_for(1_000_000_000)
    newest = boards.told("pulses", "--count", "6", *radio)
    assert len(newest) == 6 and all(abs(pulse["current_ua"] - 1000) < 60 for pulse in newest)
    # Over USB the same pulses are the same.
    with boards.open(None) as by_usb:
        first = newest[0]["number"]
        same = by_usb.pulses(first, 6)
    assert [(pulse.number, pulse.current_ua) for pulse in same] == [
        (pulse["number"], pulse["current_ua"]) for pulse in newest
    ]
    boards.bench.run_for(200_000_000)
    assert boards.told("status", *radio)["status"]["programmed_ua"] == [1000, 1000]
    assert boards.told("stop", *radio)["state"] == "ready"
    edges = boards.bench.trace.edges("stimulator", "L_CATH")
    assert edges
    boards.bench.run_for(200_000_000)
    assert boards.bench.trace.edges("stimulator", "L_CATH") == edges, "not a pulse after stop"
    events = [event["event"] for event in boards.told("log", *radio)]
    assert {"started", "paired", "connected", "window set", "programme set", "forbidden"} <= set(events)


@pytest.mark.slow
def test_a_remote_is_paired_and_a_patient_may_what_a_patient_may(boards):
    told = boards.told("pair")
    assert told["role"] == "patient"
    assert boards.remote.status().paired and boards.remote.pairings().base.hex() == told["base"]
    boards.bench.press("STATUS")
    boards.bench.run_for(1_000_000_000)
    assert boards.told("pair", "--list")["pairings"][0]["state"] == "active", "the button used the key"
    # A patient's key in a host's hands may no more than the remote.
    key = bytes(32)
    slot, base = boards.stimulator.pair(b"host", roles.PATIENT, key)
    boards.keyring.store(base, slot, roles.PATIENT, key)
    console = RadioConsole(boards.remote, boards.keyring.begin(base), boards.random.randbytes)
    patient = Stimulator(console)
    assert patient.status().state_name == "ready"
    with pytest.raises(ForbiddenError, match="patient's key"):
        patient.details()
    boards.run("pair", "--forget", "--slot", "all", "--yes")
    with pytest.raises(NoAnswerError):
        patient.status()
    assert boards.told("pair", "--forget", "--remote", "x", "--yes")["base"] is None
    assert not boards.remote.status().paired


@pytest.mark.slow
def test_both_sides_restarted_are_met_by_the_next_run(boards):
    boards.run("pair", "--clinician")
    assert boards.told("status", "--radio", "modem")["status"]["state"] == "ready"
    for board in ("stimulator", "remote"):
        boards.bench.board(board).power_off()
        boards.bench.board(board).power_on()
    boards.bench.run_for(500_000_000)
    assert boards.told("status", "--radio", "modem")["details"]["uptime_ms"] < 2000
    assert [pairing.epoch for pairing in boards.keyring.pairings()] == [2]


@pytest.mark.slow
def test_a_stimulator_without_power_is_no_answer_by_radio(boards):
    boards.run("pair", "--clinician")
    boards.bench.board("stimulator").power_off()
    result = boards.run("stop", "--radio", "modem", code=4)
    assert "out of reach, off, or jammed" in result.stderr


@pytest.mark.control("C-29")
@pytest.mark.slow
def test_a_factory_reset_takes_the_magnet_and_ends_every_pairing(boards):
    base = boards.told("pair", "--clinician")["base"]
    assert "hold it at the stimulator" in boards.run("pair", "--factory-reset", "--yes", code=3).stderr
    boards.bench.magnet(True)
    boards.bench.run_for(100_000_000)
    assert boards.told("pair", "--factory-reset", "--yes")["was"] == base
    listed = boards.told("pair", "--list")
    assert listed["pairings"] == [] and listed["base"] != base
    assert boards.keyring.pairings() == []


@pytest.mark.slow
def test_an_emulated_bench_for_one_command_is_reached_by_radio_too():
    with open_board("bench", "bench") as stimulator:
        assert stimulator.status().state_name == "ready"


# Time: the limits are the modem's.

SLOW = 20
"""Seconds of the wall's clock in one of the bench's."""
LATE_NS = 60_000_000
"""How long the bench runs on each time before a busy host comes to ask."""


class SlowLink(EmulatedLink):
    """A bench that is slower than the clock on which this host counts: `bench up` on a loaded machine."""

    def now_s(self):
        return super().now_s() * SLOW

    def wait(self, seconds):
        super().wait(seconds / SLOW)

    def read(self, deadline_s):
        return super().read(deadline_s / SLOW)


class LateLink(EmulatedLink):
    """A host that waits for the processor while the bench runs on."""

    def write(self, data):
        self._bench.run_for(LATE_NS)
        super().write(data)


@pytest.mark.slow
@pytest.mark.parametrize("link", [SlowLink, LateLink])
def test_a_slow_bench_and_a_late_host_lose_no_request(link):
    with build_bench(seed=1) as bench:
        usb = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        remote = connect_remote(link(bench, "remote"), first_number=0)
        take_random = random.Random(3).randbytes
        stimulator = Stimulator(RadioConsole(remote, pair_bench(usb, take_random), take_random))
        stimulator.require_role()
        for number in range(18):
            stimulator.amplitude(25 * number, 0)
            assert stimulator.status().state_name == "ready"
        assert stimulator.program().amplitude_ua == (25 * 17, 0)
        assert len(stimulator.log()) > 1


@pytest.mark.slow
def test_silence_is_told_with_the_advice_to_pair_again(boards):
    """A stimulator that forgot this host says nothing, as one that is out of reach."""
    boards.run("pair", "--clinician")
    assert boards.told("status", "--radio", "modem")["status"]["state"] == "ready"
    boards.run("pair", "--list")
    boards.stimulator.forget(None)
    told = boards.run("status", "--radio", "modem", code=4).stderr
    assert "it has forgotten this host" in told and "pair --clinician" in told
