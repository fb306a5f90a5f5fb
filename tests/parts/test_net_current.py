"""What may flow net in a contraction, against the part models: each pulse through the bench's own lead."""

import pytest
from stimfw.therapy import limits
from stimfw.therapy.net_current import most_ua, net_pa
from support.lead_rig import ready
from support.parts_fakes import MS, US

LEAD_IN_US, BREAK_US = 18, 4  # docs/firmware.md: recharge is open before, and 4 us after, a pulse
UA_A_CODE = 2.5


def flowed_na(amplitude_ua, width_us, gap_us, period_us, up_ms, on_ms, down_ms, **electrode):
    """Net direct current through a lead over one contraction, in nA; cathodic is negative."""
    board, _, lead = ready(code=0)
    lead.set_pair(**electrode)
    lead.trace.enabled = False
    lead.clear_charge()
    short, cathodic, anodic = (board.pin(name) for name in ("L_SHORT", "L_CATH", "L_ANOD"))
    length_ms, begin_ns = up_ms + on_ms + down_ms, board.clock.now_ns
    pulses = round(length_ms * 1000 / period_us)
    for number in range(pulses):
        at_ms = number * period_us / 1000
        share = min(1, at_ms / up_ms if up_ms else 1, (length_ms - at_ms) / down_ms if down_ms else 1)
        board.clock.run_to(begin_ns + number * period_us * US)
        board.keep_alive()
        short.out(False)
        board.set_dac(0, round(amplitude_ua * share / UA_A_CODE))
        board.clock.run_for(LEAD_IN_US * US)
        board.phase("L_CATH", width_us * US)
        board.clock.run_for(gap_us * US)
        board.phase("L_ANOD", width_us * US)
        board.clock.run_for(BREAK_US * US)
        short.out(True)
    assert not (cathodic.level or anodic.level)
    board.clock.run_to(begin_ns + pulses * period_us * US)
    return lead.charge_nc() / (pulses * period_us * US / (1000 * MS))


SHAPES = (
    (1000, 500, 5051, 0, 1000, 0),
    (1000, 500, 50_000, 2000, 10_000, 2000),
    (1000, 0, 5051, 500, 3000, 500),
    (500, 100, 10_000, 0, 2000, 3000),
    (214, 0, 5000, 0, 1000, 0),
    (20, 0, 5000, 0, 1000, 0),
)
LARGEST = (10_000, 1000, 500, 5051, 0, 1000, 0)


@pytest.mark.control("C-43")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_highest_amplitude_that_is_allowed_stays_below_the_limit(shape):
    most = most_ua(*shape)
    net_na = abs(flowed_na(most, *shape))
    assert net_na <= limits.NET_DC_NA
    assert net_na <= net_pa(most, *shape) / 1000
    if most < limits.AMPLITUDE_UA:
        assert abs(flowed_na(1.5 * most, *shape)) > limits.NET_DC_NA, "nothing is refused without a need"


def test_it_is_the_leak_of_the_double_layers():
    """2.8 uA at the corner: without the leak 0.4 % of it, without the gap two thirds, of a resistor none."""
    whole = flowed_na(*LARGEST)
    assert whole == pytest.approx(-2780, rel=0.01)
    assert flowed_na(*LARGEST, r_ct_ohm=1e8) == pytest.approx(0.0042 * whole, rel=0.05)
    assert flowed_na(10_000, 1000, 0, *LARGEST[3:]) == pytest.approx(whole * 1000 / 1500, rel=0.01)
    assert abs(flowed_na(*LARGEST, c_dl_uf=0.0)) < 0.01
