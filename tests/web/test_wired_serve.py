"""`stimbench serve --bench`: what does not go together, and a hub that repeats nothing."""

from __future__ import annotations

import pytest
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.web.described import table
from stimbench.web.needs import ON_A_WIRED_BENCH, Need
from support.wired_rig import bench_toml
from typer.testing import CliRunner


@pytest.fixture
def serve(tmp_path):
    file = tmp_path / "bench.toml"
    file.write_text(bench_toml())

    def run(*words):
        words = ("serve", "--bench", str(file), *words)
        services = Services(open_board=lambda *_: None)
        return CliRunner().invoke(app, words, obj=services, env={"COLUMNS": "300"})

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--run", "x"), "--run"),
        (("--again",), "--again"),
        (("--seed", "1"), "--seed"),
        (("--unpaired",), "--unpaired"),
        (("--seed", "3", "--again"), "--again, --seed"),
    ],
)
def test_a_wired_bench_goes_with_nothing_that_is_repeated(serve, words, named):
    result = serve(*words)
    assert result.exit_code == 2
    assert f"--bench and {named} do not go together" in result.output


def test_a_bench_file_is_checked_before_anything_is_started(tmp_path):
    file = tmp_path / "bench.toml"
    file.write_text('kind = "wired"\n')
    services = Services(open_board=lambda *_: None)
    result = CliRunner().invoke(app, ["serve", "--bench", str(file)], obj=services, env={"COLUMNS": "300"})
    assert result.exit_code == 2 and "needs [boards.stimulator]" in result.output


def test_every_need_has_its_sentence_and_an_emulated_bench_lacks_nothing():
    assert set(ON_A_WIRED_BENCH) == set(Need)
    whole, wired = table(), table(ON_A_WIRED_BENCH.__getitem__)
    assert not any(one["lacks"] for one in whole["actions"].values())
    assert not any(whole["lacks"]["views"].values()) and not any(whole["lacks"]["needs"].values())
    assert all(wired["lacks"]["needs"].values())
    possible = {name for name, one in wired["actions"].items() if not one["lacks"]}
    assert {"start", "stop", "program", "amplitude", "leads-impedance", "clinician-test"} <= possible
    assert not {"magnet", "press", "break", "lesson-open", "radio-send", "faults-break"} & possible
