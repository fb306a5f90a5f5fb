"""Where in its tolerance each part lies: an end, anywhere, or typical. The circuit has the limits."""

import pytest
from stimbench.parts import tolerances
from support.lead_rig import make, ready
from support.parts_fakes import MS, US

SEEDS = range(8)


def moved(choice, seed=0):
    board, parts = make(ideal=False, seed=seed)
    tolerances.apply(parts, choice, seed)
    return board, parts


def places(parts):
    """Each part's place within its limits, -1 to 1."""
    pumps = list(parts.pumps.values())
    found = {
        "gate": (parts.gate.pulse_ns / 120e6 - 1.0) / 0.11,
        "matrix left": (parts.matrix.r_on_ohm[0] - 9.5) / 2.0,
        "matrix right": (parts.matrix.r_on_ohm[1] - 9.5) / 2.0,
        "supply": (pumps[0].supply_v / 15.0 - 1.0) / 0.03,
    }
    for side, pump in parts.pumps.items():
        found[f"{side} limit"] = (pump.limit_ohm - 170.0) / 28.0
    for k, share in enumerate(parts.current_sense.shares):
        found[f"shunt {k}"] = (share - 1.0) / 0.003
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_worst_puts_every_part_at_an_end(seed):
    for name, place in places(moved("worst", seed)[1]).items():
        assert abs(place) == pytest.approx(1.0, abs=1e-6), name


def test_the_end_is_the_seeds_and_both_ends_come():
    ends = [tuple(round(each) for each in places(moved("worst", seed)[1]).values()) for seed in SEEDS]
    again = [tuple(round(each) for each in places(moved("worst", seed)[1]).values()) for seed in SEEDS]
    assert ends == again and len(set(ends)) > 1
    assert all({end[k] for end in ends} == {-1, 1} for k in range(len(ends[0])))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_number_puts_every_part_within_its_limits(seed):
    found = places(moved(seed)[1])
    assert all(-1.0 - 1e-9 <= place <= 1.0 + 1e-9 for place in found.values())
    assert len({round(place, 3) for place in found.values()}) > 5, "not all at one place"
    assert found == places(moved(seed)[1]) != places(moved(seed + 100)[1])


def test_the_same_number_is_the_same_board_whatever_the_benchs_seed():
    first, second = (places(moved(7, seed)[1]) for seed in (1, 2))
    assert first == second


def test_typical_changes_nothing():
    before, after = make(ideal=False)[1], moved("typical")[1]
    assert places(before) == places(after)


@pytest.mark.parametrize("wrong", ["best", "Worst", "", 1.5, True, None])
def test_another_word_is_refused_and_changes_nothing(wrong):
    _, parts = make(ideal=False)
    before = places(parts)
    with pytest.raises(ValueError, match="typical, worst or a seed"):
        tolerances.apply(parts, wrong, 0)
    assert places(parts) == before


@pytest.mark.parametrize("seed", SEEDS)
def test_the_converter_is_one_and_feeds_both_pumps(seed):
    _, parts = moved("worst", seed)
    assert len({pump.supply_v for pump in parts.pumps.values()}) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_board_at_its_worst_still_pulses(seed):
    """Relays of 3 ms and rails that are 3 % low: 4 mA within DAC, pump and offset."""
    board, parts, lead = ready(ideal=False, seed=seed)
    tolerances.apply(parts, "worst", seed)
    board.set_dac(0, 0)
    board.set_dac(0, 1600)
    board.keep_alive()
    board.clock.run_for(5 * MS)
    board.pin("L_CATH").out(True)
    board.clock.run_for(20 * US)
    # 1 % gain and 1 % of 10.24 mA offset of the DAC, 12 steps of INL, 0.3 % of the pump: 0.19 mA in all.
    assert -lead.amps(board.clock.now_ns) == pytest.approx(4e-3, abs=0.19e-3)
