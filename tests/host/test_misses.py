"""`stimbench bench misses` on the built images."""

import json

import pytest
from stimbench.cli.main import app
from stimbench.emulator import profile
from stimbench.project import find_project_root
from typer.testing import CliRunner

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("images")]

LINE_CYCLES, CYCLE_US = 56, 0.008


def run(*args, code=0, **environment):
    result = CliRunner().invoke(app, ["bench", "misses", *args], env=environment)
    assert result.exit_code == code, result.output
    return result


def test_misses_by_function_while_pulsing_and_idle():
    pulsing = json.loads(run("--for", "0.2", "--json").stdout)
    assert (pulsing["board"], pulsing["scenario"], pulsing["seconds"]) == ("stimulator", "pulsing", 0.2)
    assert pulsing["miss_cycles"] == LINE_CYCLES
    rows = pulsing["functions"]
    assert sum(row["misses"] for row in rows) == pulsing["misses"]
    assert sum(row["part"] for row in rows) == pytest.approx(1)
    assert all(row["us"] == pytest.approx(row["misses"] * LINE_CYCLES * CYCLE_US, abs=1e-3) for row in rows)
    assert [row["misses"] for row in rows] == sorted((row["misses"] for row in rows), reverse=True)
    # Which functions miss hangs on where the image has them; the loop's own are always among them.
    assert any(row["name"].startswith("stimfw.stimulator.app.App.") for row in rows)
    assert not {"mp_execute_bytecode", "gc_alloc", "(outside the image)"} & {row["name"] for row in rows}
    idle = json.loads(run("--for", "0.2", "--scenario", "idle", "--json").stdout)
    assert 0 < idle["misses"] < pulsing["misses"]


def test_the_table_sums_up_what_it_leaves_out():
    text = run("--for", "0.2", "--top", "2").stdout
    assert "misses of the stimulator's flash cache in 0.2 s, pulsing" in " ".join(text.split())
    assert "more)" in text and text.count("%") == 3


def test_a_remote_that_sleeps_misses_nothing():
    text = run("--board", "remote", "--for", "0.2", "--scenario", "idle").stdout
    assert "0 misses of the remote's flash cache in 0.2 s, idle" in " ".join(text.split())


def test_names_of_another_build_are_refused(monkeypatch):
    image = find_project_root() / "build" / "firmware" / "remote" / "firmware.elf"
    real = profile.Image
    monkeypatch.setattr(profile, "Image", lambda _path: real(image))
    refused = run("--for", "0.1", code=1).stderr
    assert "is not the firmware in build/stimulator.uf2" in " ".join(refused.split())


def test_the_core_without_a_cache_is_refused():
    refused = run("--for", "0.1", code=2, STIMBENCH_CORE="native-as-reference").stderr
    assert "has no flash cache" in " ".join(refused.split())
