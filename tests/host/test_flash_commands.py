"""`stimbench flash`, `deploy` and `doctor`, as a user meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from stimbench.bench import BenchConfig
from stimbench.client.records import Identity
from stimbench.errors import InputError, PortError
from stimbench.flashing import doctor_boards
from stimbench.flashing.doctor import Finding, Machine, State
from stimbench.flashing.errors import FlashError
from stimbench.flashing.flasher import Flashed, Flasher
from stimbench.flashing.served_target import ServedTarget
from stimbench.flashing.state import BoardState, Doing
from support.flashing import OTHER_BUILD, as_file, built, relabelled

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("images")]

PROGRAM = "from stimbench.cli.main import main; main()"


class Place:
    """A socket with a board."""

    def __init__(self, name, role):
        self.name, self.role = name, role

    def volume(self):
        return None

    def device(self):
        return None


class Sockets:
    def __init__(self, *places):
        self.places, self.closed = places, 0

    def find(self):
        return list(self.places)

    def of_port(self, path):
        found = [one for one in self.places if one.name == path]
        if not found:
            raise PortError(f"No RP2040 is on {path}.")
        return found[0]

    of_volume = of_port

    def close(self):
        self.closed += 1


@pytest.fixture
def flashed(monkeypatch):
    """What the flasher was asked for. The board `bad` fails, and the board `other` is of another kind."""
    asked = []

    def flash(self, target):
        asked.append((target.name, self.identity.role, self.identity.build))
        if target.name == "bad":
            raise FlashError("bad has no whole image: flash it again.")
        if target.name == "other":
            if self._confirm_other is None:
                raise InputError("other is a remote: name its port.")
            self._confirm_other("other is a remote.")
        self._say("Writing.")
        self._progress(1, 2)
        return Flashed(target.name, self.identity.role, "before", f"after {self.identity.build}")

    monkeypatch.setattr(Flasher, "flash", flash)
    return asked


@pytest.fixture
def plug(run, services):
    """`plug(places...)("--all")` runs `stimbench flash --all` with these boards plugged in."""

    def plugged(*places):
        sockets = Sockets(*places)
        wired = replace(services, usb=lambda: sockets)

        def invoke(*words, code=0, answer=None):
            result = run("flash", *words, code=code, obj=wired, answer=answer)
            assert sockets.closed == 1, "disks are given back"
            return result

        return invoke

    return plugged


def test_the_one_board_gets_the_image_of_what_it_is(plug, flashed):
    shown = plug(Place("/dev/a", "remote"))()
    assert "/dev/a runs after" in shown.stdout and "read back" in shown.stdout
    assert flashed == [("/dev/a", "remote", built("remote").identity.build)]
    assert "Writing." in shown.stderr and "1 of 2 blocks" in shown.stderr and "Writing" not in shown.stdout


def test_json(plug, flashed):
    data = json.loads(plug(Place("/dev/a", "stimulator"))("stimulator", "--json").stdout)
    assert data["done"] and data["role"] == "stimulator" and data["error"] is None and data["removed"] == []


def test_all_boards_and_one_that_fails(plug, flashed):
    places = (Place("a", "stimulator"), Place("bad", "remote"), Place("c", "remote"))
    shown = plug(*places)("--all", code=1)
    assert [name for name, _, _ in flashed] == ["a", "bad", "c"], "one that fails stops nobody"
    assert "2 of 3 boards flashed" in shown.stdout and "bad failed: bad has no whole image" in shown.stderr
    data = json.loads(plug(*places)("--all", "--json", code=1).stdout)
    assert [one["done"] for one in data["boards"]] == [True, False, True]
    flashed.clear()
    plug(*places)("remote", "--all", code=1)
    assert [name for name, _, _ in flashed] == ["bad", "c"]


def test_a_board_that_does_not_tell_what_it_is(plug, flashed):
    shown = plug(Place("x", None))(code=2)
    assert "say `stimbench flash stimulator`" in shown.stderr and not flashed
    plug(Place("x", None))("remote")
    assert flashed[0][:2] == ("x", "remote")
    shown = plug(Place("a", "stimulator"), Place("x", None))("--all", code=1)
    assert "1 of 2 boards flashed" in shown.stdout


def test_the_other_kind_is_asked_about_when_it_is_named(plug, flashed):
    place = Place("other", "remote")
    assert "name its port" in plug(place)("stimulator", code=2, answer="y\n").stderr
    refused = plug(place)("stimulator", "--port", "other", code=2, answer="n\n")
    assert (
        "other is a remote. Go on all the same?" in refused.stderr and "Nothing was written" in refused.stderr
    )
    assert "runs after" in plug(place)("stimulator", "--port", "other", "--yes").stdout


def test_images_are_checked_before_any_board_is_touched(run, plug, flashed, tmp_path):
    nonsense = tmp_path / "x.uf2"
    nonsense.write_bytes(b"no" * 512)
    missing = tmp_path / "none.uf2"
    other = as_file(relabelled(built()), tmp_path / "other.uf2")
    for words, text in (
        (["--image", str(nonsense)], "no UF2 file"),
        (["--image", str(missing)], "cannot be read"),
        (["remote", "--image", str(other)], "is the firmware of a stimulator, not of a remote"),
        (["toaster"], "there are stimulator and remote"),
        (["--all", "--port", "x"], "exclude each other"),
    ):
        assert text in run("flash", *words, code=2).stderr
    plug(Place("/dev/a", None))("--image", str(other))
    assert flashed == [("/dev/a", "stimulator", OTHER_BUILD)], "the file says which board it is for"


def test_no_board(run, plug, flashed):
    assert "No RP2040 is plugged in" in plug()(code=4).stderr
    assert "No RP2040 is on /dev/none" in plug()("--port", "/dev/none", code=4).stderr


def test_a_bench_of_its_own_whole_path(run):
    data = json.loads(run("flash", "remote", "--board", "bench", "--json").stdout)
    assert data["after"].endswith(built("remote").identity.build) and data["target"] == "the emulated remote"


def test_deploy_on_a_bench_of_its_own(run):
    shown = run("deploy", "--board", "bench", "therapy/ranges").stdout
    assert "stimfw.therapy.ranges" in shown and "with 1 deployed modules" in shown and "+1." in shown
    data = json.loads(run("deploy", "--board", "bench", "--list", "--json").stdout)
    assert data == {"modules": [], "removed": False}
    assert "exactly" not in run("deploy", "--list", "--remove", code=2).stderr
    assert "has no module 'nonsense'" in run("deploy", "--board", "bench", "nonsense", code=2).stderr


def test_status_warns_of_deployed_modules(run, board, monkeypatch):
    identity = Identity("stimulator", "0.1.0", "e3c33af1b191+2.9f8e7d6c")
    assert identity.deployed == 2 and "in place of its image's" in identity.warning
    assert Identity("stimulator", "0.1.0", "e3c33af1b191").warning == ""
    for strange in ("x+", "x+y.z", "+"):
        assert Identity("stimulator", "0.1.0", strange).deployed == 0


@pytest.fixture
def sick(services):
    """A machine for `doctor` that has nothing plugged in."""
    nothing = SimpleNamespace(ports=list, disks=list)
    return replace(services, machine=lambda: Machine(usb=nothing))


def test_doctor(run, sick, monkeypatch):
    well = json.loads(run("doctor", "--json", obj=sick).stdout)
    assert well["ok"] and {"name", "state", "told", "mend", "needed"} == set(well["findings"][0])
    missing = Finding("serial [ports]", State.MISSING, "no [permission]", "sudo [x]", needed=True)
    monkeypatch.setattr(doctor_boards, "permissions", lambda machine: missing)
    shown = run("doctor", code=1, obj=sick).stdout
    assert "needed" in shown and "no [permission]" in shown and "sudo [x]" in shown
    assert "Something needed is missing." in shown
    assert not json.loads(run("doctor", "--json", code=1, obj=sick).stdout)["ok"]


def test_states_in_words():
    assert str(BoardState(Doing.SILENT)) == "has a serial port, and answers nothing"


@pytest.fixture
def up(monkeypatch):
    """`stimbench bench up` as a process that runs as fast as it can; its ports."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        words = [sys.executable, "-c", PROGRAM, "bench", "up", "--pace", "0", "--json"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ)
        told = ""
        while not told.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line
            told += line
        yield json.loads(told)["ports"], Path(folder)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.slow
def test_a_bench_that_runs_in_another_process(run, up, tmp_path):
    ports, folder = up
    other = as_file(relabelled(built()), tmp_path / "other.uf2")
    shown = run("flash", "--port", ports["stimulator"], "--image", str(other)).stdout
    assert f"{ports['stimulator']} (the emulated stimulator) runs" in shown and OTHER_BUILD in shown
    assert not list(folder.rglob("*RPI-RP2*")), "its disk has gone"
    status = json.loads(run("status", "--json", "--board", ports["stimulator"], obj=None).stdout)
    assert status["identity"]["build"] == OTHER_BUILD


def test_a_served_disk_that_goes_or_takes_nothing(tmp_path):
    clock = [0.0]

    def wait(seconds):
        clock[0] += seconds

    folder = tmp_path / "disk"
    target = ServedTarget("stimulator", "/dev/pts/77", folder, lambda: clock[0], wait)
    assert target.volume() is None
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2")
    with target.volume().create("A.UF2") as file:
        file.write(bytes(512))
        with pytest.raises(TimeoutError):
            file.sync()
        (folder / ".taken").write_text("512")
        file.sync()
        file.write(bytes(512))
        for one in folder.iterdir():
            one.unlink()
        folder.rmdir()
        with pytest.raises(OSError, match="Input/output error"):
            file.sync()


def test_the_images_are_those_of_this_tree():
    assert BenchConfig().firmware_path("stimulator").name == "stimulator.uf2"
