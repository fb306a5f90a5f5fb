"""`stimbench ledger`: what a session has delivered, lead by lead or contraction by contraction."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.scripted_implant import FakeImplant


@pytest.fixture
def implant():
    return FakeImplant()


@pytest.fixture
def ask(run, services, implant):
    """`run` on an implanted stimulator."""
    return lambda *args, code=0: run(*args, code=code, obj=replace(services, open_board=implant.open))


def test_ledger_of_each_contraction(ask, implant):
    shown = ask("ledger", "--contractions").stdout
    assert len([line for line in shown.splitlines() if " left " in line or " right " in line]) == 60
    data = json.loads(ask("ledger", "--contractions", "--json").stdout)
    assert len(data) == 60 and data[-1] == {
        "number": 29, "lead": "right", "pulses": 49, "prescribed_ua": 4001, "mean_ua": 3990, "most_ua": 4049,
        "cathodic_nc": 17_029, "anodic_nc": 16_990,
    }  # fmt: skip
    implant.contractions_ended = 0
    assert "No contraction has ended" in ask("ledger", "--contractions").stdout


@pytest.mark.parametrize("options", [(), ("--json",), ("--csv",), ("--follow",)])
def test_an_implant_says_that_it_keeps_no_pulses(ask, implant, options):
    """ "No pulse was measured" would be wrong while its session runs."""
    implant.samples = []
    done = ask("pulses", *options, code=2)
    assert "`stimbench ledger` has what was delivered" in done.stderr and not done.stdout


def test_status_of_an_implant_counts_what_its_ledger_counts(ask, implant):
    """DETAILS counts the pulses of a board on the bench alone."""
    implant.samples = []
    assert "left 600, right 598;" in " ".join(ask("status").stdout.split())
    delivered = json.loads(ask("status", "--json").stdout)["delivered"]
    assert delivered == json.loads(ask("ledger", "--json").stdout)


def test_ledger(ask):
    shown = ask("ledger").stdout
    assert "513.600" in shown and "3990" in shown
    data = json.loads(ask("ledger", "--json").stdout)
    assert data[0] == {
        "lead": "left", "pulses": 600, "charge_nc": 513_600, "contractions": 30, "prescribed_ua": 4000,
        "mean_ua": 3990, "most_ua": 4020, "missed": 1,
    }  # fmt: skip
