"""The ledger: charge to the last uA us, however many pulses; what was prescribed beside it."""

from stimfw.protocol import journal_entries
from stimfw.pulses.lead_scales import LeadScales
from stimfw.therapy.ledger import FOLD, Ledger
from support.control import control

SCALES = (LeadScales(), LeadScales())
WIDTH_US = (214, 400)
SMALLEST_BIG = 1 << 30  # from here on a number takes heap on a board


def made():
    return Ledger(WIDTH_US, 50_000, SCALES)


def exact_uc(codes, width_us):
    """uC of the sum of twice the codes, rounded down once."""
    return codes * 5500 // 2048 * width_us // 1_000_000


@control("C-72")
def test_charge_is_exact_over_many_pulses():
    ledger = made()
    cathodic, anodic, set_ua = 0, 0, 0
    for n in range(10 * FOLD + 7):
        ledger.count(0, 745 + n % 13, 740 + n % 7, 2000 + n % 3)
        cathodic, anodic, set_ua = cathodic + 745 + n % 13, anodic + 740 + n % 7, set_ua + 2000 + n % 3
    assert ledger.pulses == [10 * FOLD + 7, 0]
    assert ledger.charge_uc(0) == (
        exact_uc(cathodic, 214), exact_uc(anodic, 214), set_ua * 214 // 1_000_000,
    )  # fmt: skip
    mean, prescribed = ledger.mean_ua(0)
    assert abs(mean - cathodic * 5500 / 2048 / ledger.pulses[0]) <= 1
    assert abs(prescribed - set_ua / ledger.pulses[0]) <= 1
    assert ledger.charge_uc(1) == (0, 0, 0) and ledger.mean_ua(1) == (0, 0)


def test_no_rest_of_a_microamp_is_lost():
    ledger = made()
    for _ in range(20_000):
        ledger.count(0, 1, 1, 25)
        ledger.fold(0)
    delivered_uc, prescribed_uc = exact_uc(20_000, 214), 20_000 * 25 * 214 // 1_000_000
    assert ledger.charge_uc(0) == (delivered_uc, delivered_uc, prescribed_uc)


def test_asking_changes_nothing():
    asked, alone = made(), made()
    for _ in range(100):
        for each in (asked, alone):
            each.count(1, 744, 744, 2000)
        asked.charge_uc(1)
    assert asked.charge_uc(1) == alone.charge_uc(1) and asked.mean_ua(1) == alone.mean_ua(1)


@control("C-72")
def test_figures_are_the_sums_up_to_the_last_fold():
    ledger = made()
    ledger.contractions[0], ledger.missed[0] = 3, 2
    for n in range(2 * FOLD + 5):
        ledger.count(0, 740 + n, 740, 2000)
    codes = sum(740 + n for n in range(2 * FOLD))
    pulses, charge_nc, contractions, prescribed_ua, mean_ua, most_ua, missed = ledger.figures(0)
    assert (pulses, contractions, prescribed_ua, missed) == (2 * FOLD, 3, 2000, 2)
    assert charge_nc == codes * 5500 // 2048 * 214 // 1000
    assert abs(mean_ua - codes * 5500 / 2048 / pulses) <= 1
    assert most_ua == (740 + 2 * FOLD + 4) * 5500 // 2048
    ledger.close_contraction()
    assert ledger.figures(0)[0] == 2 * FOLD + 5
    assert ledger.figures(0)[3:5] == (ledger.mean_ua(0)[1], ledger.mean_ua(0)[0])
    assert ledger.figures(1) == (0, 0, 0, 0, 0, 0, 0)


@control("C-72")
def test_figures_of_noise_below_zero_are_none():
    ledger = made()
    for _ in range(FOLD):
        ledger.count(0, -9, -9, 25)
    assert ledger.figures(0)[1] == 0 and ledger.figures(0)[4:6] == (0, 0)


def test_pulses_without_an_amplitude_are_counted_apart():
    ledger = made()
    ledger.count(0, 3, -2, 0)
    assert (ledger.pulses, ledger.silent) == ([0, 0], [1, 0])
    assert ledger.charge_uc(0) == (0, 0, 0) and ledger.most_ua(0) == 0


@control("C-72")
def test_the_highest_current_is_kept():
    ledger = made()
    for codes in (744, 800, 700):
        ledger.count(0, codes, codes, 2000)
    assert ledger.most_ua(0) == 800 * 5500 // 2048


def test_negative_currents_do_not_make_charge_vanish():
    ledger = made()
    ledger.count(0, -20, -20, 25)
    ledger.count(0, 40, 40, 25)
    assert ledger.charge_uc(0)[0] == exact_uc(20, 214)


@control("C-40", "C-72")
def test_what_a_pulse_touches_needs_no_heap_at_the_limits():
    """10.2 mA and 1 ms for an hour at 200 Hz."""
    ledger = Ledger((1000, 1000), 5000, SCALES)
    for _ in range(FOLD - 1):
        ledger.count(0, 2 * 2048, 2 * 2048, 10_000)
    assert ledger._cathodic[0] * 5500 < SMALLEST_BIG
    assert 10_000 * FOLD * 1000 + 1_000_000 < SMALLEST_BIG
    hour_uc = 3600 * 200 * 11
    assert hour_uc < SMALLEST_BIG


def test_seconds_of_stimulation_are_those_of_the_periods():
    ledger = made()
    for _ in range(100):
        ledger.count(0, 744, 744, 2000)
        ledger.count(1, 0, 0, 0)
    assert ledger.stimulated_s() == 5


def test_entries_fit_the_journal():
    ledger = made()
    ledger.contractions = [3, 2]
    ledger.missed[1] = 70_000
    for _ in range(1000):
        ledger.count(0, 744, 744, 2000)
    entries = ledger.entries()
    assert [entry[0] for entry in entries] == [
        journal_entries.DELIVERED,
        journal_entries.CURRENT,
        journal_entries.DELIVERED,
        journal_entries.CURRENT,
    ]
    for entry in entries:
        body = journal_entries.pack(entry[0], *entry[1:])
        assert len(body) <= journal_entries.BODY_BYTES
    left, right = [
        journal_entries.unpack(entry[0], journal_entries.pack(entry[0], *entry[1:]))
        for entry in (entries[0], entries[3])
    ]
    assert left["pulses"] == 1000 and left["contractions"] == 3
    assert left["charge_uc"] == exact_uc(744_000, 214)
    assert right["missed"] == 65_535 and right["prescribed_ua"] == right["mean_ua"] == 0
