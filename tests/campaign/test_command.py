"""`stimbench campaign`: what it prints, its exit codes, and that it goes on where it stopped."""

import json
from xml.etree import ElementTree

import pytest
from stimbench.attacks import Attack, Result
from stimbench.checks.campaigns import attacks, power_cuts
from stimbench.cli.main import app
from stimbench.errors import EXIT_BAD_INPUT, EXIT_CHECK_FAILED, EXIT_NO_BOARD
from typer.testing import CliRunner

INTERRUPTED = 130


@pytest.fixture
def registry(monkeypatch):
    """Two attacks of our own in place of the registry's; what each try brings can be changed."""
    successes, begun = {"first": 0, "second": 0}, []

    def made(name):
        def carry_out(tries, seed):
            begun.append(name)
            if isinstance(successes[name], BaseException):
                raise successes[name]
            return Result(name, tries, successes[name], "counted")

        return Attack(name, carry_out, 100)

    monkeypatch.setattr(attacks, "ATTACKS", (made("first"), made("second")))
    return successes, begun


@pytest.fixture
def campaign(tmp_path):
    def run(*words, kind="attacks"):
        return CliRunner().invoke(app, ["campaign", kind, "--out", str(tmp_path / "out"), *words])

    run.out = tmp_path / "out"
    return run


def test_a_campaign_that_passes(registry, campaign):
    result = campaign("--seeds", "2")
    assert result.exit_code == 0
    assert "4 of 4 cases passed" in result.stdout
    assert "4 done now, 0 before" in result.stdout
    assert json.loads((campaign.out / "results.json").read_text())["passed"] is True


def test_one_report_tells_of_all_cases(registry, campaign):
    registry[0]["second"] = 3
    campaign("--seeds", "2")
    (suite,) = ElementTree.parse(campaign.out / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "0")
    page = (campaign.out / "report.html").read_text(encoding="utf-8")
    assert "2 of 4 cases failed" in page and "Every attack on the radio protocol" in page


def test_the_rigs_errors_are_no_failures_in_the_report(registry, campaign):
    registry[0]["first"] = ValueError("no bench")
    campaign()
    (suite,) = ElementTree.parse(campaign.out / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")


def test_the_same_command_again_does_nothing_and_says_the_same(registry, campaign):
    campaign("--seeds", "2")
    _, begun = registry
    begun.clear()
    result = campaign("--seeds", "2")
    assert result.exit_code == 0 and begun == []
    assert "4 of 4 cases passed" in result.stdout and "0 done now, 4 before" in result.stdout


def test_a_case_that_fails_is_named_and_the_exit_code_says_so(registry, campaign):
    registry[0]["second"] = 3
    result = campaign()
    assert result.exit_code == EXIT_CHECK_FAILED
    assert "FAIL second, seed 1: 10 tries, 3 succeeded; counted" in result.stdout


def test_an_error_is_named_and_tried_again_by_the_next_run(registry, campaign):
    registry[0]["second"] = ValueError("out of luck")
    result = campaign()
    assert result.exit_code == EXIT_CHECK_FAILED
    assert "ERROR second, seed 1: ValueError: out of luck" in result.stdout
    assert "1 are left: the same command goes on from there." in result.stdout
    registry[0]["second"] = 0
    result = campaign()
    assert result.exit_code == 0 and "1 done now, 1 before" in result.stdout


def test_ctrl_c_leaves_what_was_done_and_the_next_run_does_the_rest(registry, campaign):
    registry[0]["second"] = KeyboardInterrupt()
    result = campaign()
    assert result.exit_code == INTERRUPTED
    assert "1 of 2 cases passed" in result.stdout and "1 are left" in result.stdout
    registry[0]["second"] = 0
    registry[1].clear()
    result = campaign()
    assert result.exit_code == 0 and registry[1] == ["second"]


def test_json_is_one_document(registry, campaign):
    registry[0]["second"] = 3
    result = campaign("--json")
    document = json.loads(result.stdout)
    assert result.exit_code == EXIT_CHECK_FAILED
    assert [(case["name"], case["verdict"]) for case in document["cases"]] == [
        ("first, seed 1", "PASS"), ("second, seed 1", "FAIL")
    ]  # fmt: skip
    assert document == json.loads((campaign.out / "results.json").read_text())


def test_a_folder_with_another_campaign_is_bad_input(registry, campaign):
    campaign("--seeds", "2")
    result = campaign("--seeds", "1")
    assert result.exit_code == EXIT_BAD_INPUT
    assert "holds another campaign: it is of other cases" in result.stderr


def test_a_broken_result_is_named_and_done_again(registry, campaign):
    campaign()
    broken = sorted((campaign.out / "cases").iterdir())[0]
    broken.write_text("{")
    result = campaign()
    assert result.exit_code == 0 and "1 done now, 1 before" in result.stdout
    assert f"{broken.name} is no result of this campaign, or is broken." in result.stderr.replace("\n", "")


def test_no_firmware_is_bad_input(campaign, monkeypatch, tmp_path):
    monkeypatch.setattr("stimbench.project.image_path", lambda board: tmp_path / f"{board}.uf2")
    result = campaign(kind="power-cuts")
    assert result.exit_code == EXIT_BAD_INPUT
    assert "No firmware for the stimulator" in result.stderr
    assert not campaign.out.exists()


def test_nobody_at_the_scheduler_s_address(registry, campaign, monkeypatch):
    monkeypatch.setattr("stimbench.campaign.dask_pool._CONNECT_S", 0.2)
    result = campaign("--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == EXIT_NO_BOARD
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in result.stderr
    assert not campaign.out.exists()


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--workers", "0"], ["--share", "0"], ["--share", "2"]])
def test_options_out_of_range_are_bad_input(campaign, words):
    assert campaign(*words).exit_code == EXIT_BAD_INPUT


@pytest.mark.emulated
def test_power_cuts_from_the_command_line(campaign, monkeypatch):
    monkeypatch.setattr(power_cuts, "WRITES", {"forgetting": power_cuts.WRITES["forgetting"]})
    result = campaign("--moments", "1", kind="power-cuts")
    assert result.exit_code == 0, result.stdout
    assert "1 of 1 cases passed" in result.stdout
