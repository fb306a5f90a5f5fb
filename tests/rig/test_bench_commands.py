"""`stimbench bench init`, `bench show`, and `check --bench` with sigrok's demo driver as the analyser."""

from __future__ import annotations

import json

import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.bench.pty_server import served
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.errors import RigError
from stimbench.flashing.usb import UsbPort
from stimbench.instruments.sigrok_program import Analyser
from stimbench.rig.file import BenchFileError, load_bench_file, parse_bench_file
from stimbench.rig.look import Found, Looks, look
from stimbench.rig.power import HubPort
from stimbench.rig.rig import open_rig
from support.wired_rig import CHANNELS, PLAN, bench_toml, source_toml
from typer.testing import CliRunner

STIMULATOR = UsbPort("/dev/ttyACM0", "1-1.2", "E660583883724A2C", "stimulator")
REMOTE = UsbPort("/dev/ttyACM1", "1-1.3", "E66138935F6F2B29", "remote")
SALEAE = Analyser("fx2lafw:conn=1.5", "Saleae Logic", tuple(f"D{index}" for index in range(8)))
SCOPE = "USB0::0x1AB1::0x04CE::DS1ZA0001::INSTR"
SOCKET = HubPort("1-1", 2, True, "power enable connect [2e8a:0005 E660583883724A2C]")


@pytest.fixture
def run():
    def invoke(*words, code: int = 0, **services):
        result = CliRunner().invoke(
            app, [str(word) for word in words], obj=Services(open_board=lambda *_: None, **services),
            env={"COLUMNS": "200"},
        )  # fmt: skip
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_init_writes_what_it_found_and_says_what_a_person_must_look_at(run, tmp_path):
    path = tmp_path / "bench.toml"
    found = Found((STIMULATOR, REMOTE), (SALEAE,), (SCOPE,), (SOCKET,))
    assert "Look at its lines with LOOK" in run("bench", "init", "--out", path, look=lambda: found).output
    bench = load_bench_file(path)
    assert [bench.boards[name].serial for name in ("stimulator", "remote")] == [
        STIMULATOR.serial_number, REMOTE.serial_number,
    ]  # fmt: skip
    logic, scope = bench.sources
    assert (logic.entry.name, scope.entry.name) == (SALEAE.driver, SCOPE)
    assert [(use.channel, use.signal) for use in logic.channels.uses][6:] == [
        ("D6", "stimulator.KEEPALIVE"), ("D7", "stimulator.MAGNET"),
    ]  # fmt: skip
    assert (bench.power, bench.has) == ("1-1:2", frozenset())
    assert path.read_text().count("LOOK:") == 7


def test_init_without_a_stimulator_describes_the_emulated_bench(run, tmp_path):
    path = tmp_path / "bench.toml"
    found = Found((UsbPort("/dev/ttyACM3", None, "E6", None),), (SALEAE,), unknown=("uhubctl is not here.",))
    told = run("bench", "init", "--out", path, look=lambda: found).output
    assert "No stimulator is plugged in" in told and "Not looked for: uhubctl is not here." in told
    assert load_bench_file(path).is_emulated
    assert "# Found: fx2lafw:conn=1.5: Saleae Logic" in path.read_text()
    assert "# Found: /dev/ttyACM3: an RP2040" in path.read_text()


def test_init_replaces_no_file_unless_told_to(run, tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text("# mine\n")
    assert "was not changed: --force" in run("bench", "init", "--out", path, code=2, look=Found).output
    assert path.read_text() == "# mine\n"
    run("bench", "init", "--out", path, "--force", look=Found)
    assert "emulated" in path.read_text()


def test_a_second_stimulator_and_an_analyser_without_wires_are_left_to_the_person(run, tmp_path):
    other = UsbPort("/dev/ttyACM2", None, "E6AAAA", "stimulator")
    path = tmp_path / "bench.toml"
    second = Analyser("ols", "Openbench", ("0", "1"))
    run("bench", "init", "--out", path, look=lambda: Found((STIMULATOR, other), (SALEAE, second)))
    assert "There is another stimulator: E6AAAA on /dev/ttyACM2" in path.read_text()
    with pytest.raises(BenchFileError, match="channels is empty"):
        load_bench_file(path)


def test_what_cannot_be_looked_for_is_told_and_the_demo_driver_is_no_instrument():
    def missing():
        raise RigError("sigrok-cli is not installed.")

    demo = Analyser("demo", "Demo device", ("D0",))
    found = look(Looks(lambda: [STIMULATOR], lambda: [demo, SALEAE], missing, missing))
    assert found.analysers == (SALEAE,)
    assert found.unknown == ("sigrok-cli is not installed.",) * 2
    assert look(Looks(lambda: [], missing, lambda: [SCOPE], lambda: [SOCKET])).resources == (SCOPE,)


@pytest.mark.emulated
def test_show_says_what_can_be_reached(run, wired):
    rig = wired(bench_toml(power="1-1:2"))
    data = json.loads(run("bench", "show", "--json", rig=lambda path: rig.rig).stdout)
    assert [(each["name"], each["ok"]) for each in data["reached"]] == [
        ("stimulator", True), ("fx2lafw", True), ("power", True),
    ]  # fmt: skip
    rig.analyser.fails = "arm"
    rig.plug.pull()
    # A narrow terminal breaks the lines of a table.
    told = " ".join(run("bench", "show", code=4, rig=lambda path: rig.rig).stdout.split())
    assert "is not plugged in" in told and "The analyser is not there." in told
    assert "fx2lafw records stimulator.L_CATH" in told and "Load 500 ohm: 500 ohm." in told


def test_show_of_the_emulated_bench_and_of_a_broken_file(run, tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text('kind = "emulated"\n')
    assert "The emulated bench" in run("bench", "show", path).stdout
    path.write_text('kind = "wired"\n')
    assert "needs [boards.stimulator]" in run("bench", "show", path, code=2).output


def test_a_wired_bench_has_one_stimulator(run, tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text(bench_toml())
    told = run("check", "standard", "--bench", path, "--workers", 2, code=2).output
    assert "A wired bench has one stimulator" in told


@pytest.fixture
def port():
    """A board's pty, at the wall clock's own speed."""
    with Bench(BenchConfig(boards=("stimulator",))) as bench:
        bench.run_for(1_000_000_000)
        with served(bench, 1.0) as ports:
            yield ports["stimulator"]


@pytest.mark.emulated
def test_an_analyser_that_sees_other_things_never_fails_the_board(run, tmp_path, port):
    """sigrok's demo driver gives patterns of its own on every channel."""
    file, plan, out = (tmp_path / name for name in ("bench.toml", "plan.toml", "out"))
    file.write_text(bench_toml(source_toml(CHANNELS, driver="demo"), where=f'port = "{port}"'))
    plan.write_text(PLAN + '[[matrix]]\nname = "magnet"\nfault = "magnet"\n')
    told = run("check", plan, "--bench", file, "--out", out, code=4).stdout
    assert "1 case was not run: the rig has no magnet." in told
    results = json.loads((out / "results.json").read_text())
    assert (results["outcome"], results["counts"]) == ("ERROR", {"ERROR": 1, "ABORTED": 1})
    assert "is it wired there?" in results["cases"][0]["reason"]
    assert results["bench"] == f"bench.toml, stimulator {port}"
    # A bench file that was changed meanwhile makes it another run.
    file.write_text(file.read_text() + "# changed\n")
    assert "holds another campaign" in run("check", plan, "--bench", file, "--out", out, code=2).output


def test_a_run_of_cases_that_the_bench_cannot_run_touches_nothing(run, tmp_path):
    file, plan, out = (tmp_path / name for name in ("bench.toml", "plan.toml", "out"))
    file.write_text(bench_toml(where='port = "/dev/nothing"'))
    plan.write_text(PLAN.replace('name = "m"', 'name = "m"\nload = "1 kohm"'))
    told = run("check", plan, "--bench", file, "--out", out, code=4).stdout
    assert "1 case was not run: the rig has no load '1 kohm'; it has 500 ohm." in told


def test_the_emulated_bench_is_the_default():
    assert open_rig(None).file.is_emulated
    assert open_rig(None).about == "emulated"
    assert not parse_bench_file(bench_toml(), "b.toml").is_emulated
