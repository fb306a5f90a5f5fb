"""The figure of a disturbed campaign: measured once with few benches, and its judge."""

from dataclasses import replace

import pytest
from stimbench.benchmarks import registry
from stimbench.benchmarks.campaign.resuming import (
    CAMPAIGN,
    CampaignCase,
    Disturbed,
    disturbed_campaign,
    judge,
)
from stimbench.benchmarks.harness.model import Options

pytestmark = pytest.mark.tools

QUICK = Options(quick=True)
GOOD = Disturbed(
    cases=60, once=60, disturbances=3, most_workers=3, with_result=38, repeated=0, executions=62,
    counted_done=60, errors=0, seconds=20.0,
)  # fmt: skip


def passed(**changes):
    return [line.passed for line in judge([replace(GOOD, **changes)], QUICK)]


def test_the_row_is_in_the_table_and_measures_1000_benches():
    assert CAMPAIGN in registry.ROWS and CAMPAIGN.alone
    assert CAMPAIGN.cases(Options()) == [CampaignCase(1000, 1)]
    assert CAMPAIGN.cases(QUICK) == [CampaignCase(60, 1)]


def test_the_judge_knows_good_from_bad():
    assert passed() == [True, True, True, None]
    assert passed(once=59) == [False, True, True, None]
    assert passed(counted_done=61) == [False, True, True, None]
    assert passed(disturbances=2) == [True, False, True, None]
    assert passed(repeated=1) == [True, True, False, None]


@pytest.mark.emulated
@pytest.mark.slow
def test_a_campaign_that_is_disturbed_has_every_case_once():
    found = disturbed_campaign(CampaignCase(20, 1))
    assert all(line.passed is not False for line in judge([found], QUICK)), found
    assert 0 < found.with_result < 20 and found.executions >= 20
