"""Bring-ups on the emulated bench, alone and with a person who is made up."""

from __future__ import annotations

import pytest
from stimbench.bringup.emulated import open_workplace
from stimbench.bringup.record import Record, procedure_id
from stimbench.bringup.run import run_blocks
from stimbench.bringup.steps import BLOCKS
from support.bringup import clock


@pytest.fixture
def bring_up(tmp_path):
    """Runs the whole procedure: `bring_up(seed=2, planted=("ce-open",))`; the record and how it ended."""

    def run(seed=1, tolerance="typical", planted=(), folder="record", blocks=BLOCKS):
        with open_workplace(seed, tolerance, planted) as workplace:
            facts, now = workplace.facts(), clock()
            record = Record.load(tmp_path / folder, now) or Record.begin(
                tmp_path / folder, facts, procedure_id(BLOCKS), now
            )
            record.require_same(facts, procedure_id(BLOCKS))
            return record, run_blocks(blocks, BLOCKS, workplace, record, lambda attempt: None)

    return run
