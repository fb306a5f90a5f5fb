"""Each contraction by itself: what the stimulator counted, beside its sums and the bench's own count."""

import pytest
from stimbench.errors import WrongStateError
from stimfw.protocol import messages

pytestmark = pytest.mark.emulated
PULSES = 100  # 1 s up, 3 s, 1 s down, 20 Hz


@pytest.mark.control("C-72")
def test_each_contraction_is_counted_and_they_add_up(implant):
    implant.client.start()
    implant.run_to("hold")
    assert implant.client.contractions() == ()  # none has ended
    implant.run_to("rest")
    implant.run_to("hold")
    assert [(one.number, one.lead, one.pulses) for one in implant.client.contractions()] == [
        (0, 0, PULSES), (0, 1, PULSES),
    ]  # fmt: skip
    implant.client.stop()
    implant.bench.run_for(100_000_000)
    each, sums = implant.client.contractions(), implant.client.ledger()
    assert [(one.number, one.lead) for one in each] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for lead in (0, 1):
        mine = [one for one in each if one.lead == lead]
        assert mine[0].pulses == PULSES and 0 < mine[1].pulses < PULSES  # the one that STOP has cut is there
        assert sum(one.pulses for one in mine) == sums[lead].pulses
        assert 0 <= sum(one.cathodic_nc for one in mine) - sums[lead].charge_nc < 1000
        for one in mine:
            assert abs(one.mean_ua - one.prescribed_ua) <= 0.03 * one.prescribed_ua
            assert abs(one.anodic_nc - one.cathodic_nc) <= 0.02 * one.cathodic_nc
            assert one.most_ua >= one.mean_ua


def test_a_board_that_did_nothing_has_none(implant):
    assert implant.client.contractions() == ()


@pytest.mark.control("C-01")
@pytest.mark.parametrize("when", ["ramp up", "hold", "rest"])
def test_the_journal_is_not_read_while_a_session_runs(implant, when):
    """A page takes up to 14 ms, in which no STOP is heard."""
    implant.client.start()
    implant.run_to(when)
    with pytest.raises(WrongStateError) as caught:
        implant.client.journal(0)
    assert caught.value.reason == messages.REASON_LOCKED
    assert implant.state() == when
    implant.client.stop()
    implant.bench.run_for(100_000_000)
    assert implant.client.journal(0).slots
