"""The watch: each fault from the codes it makes, named in time; healthy pulses, however unlucky, not."""

from stimfw.pulses.lead_scales import LeadScales
from stimfw.therapy import watch, watch_table
from stimfw.therapy.watch import Watch
from stimfw.therapy.watch_table import (
    ADC,
    COMPLIANCE,
    DIRECT,
    DRIFT,
    IMBALANCE,
    INTERFERENCE,
    INTERMITTENT,
    LOSS,
    NONE,
    OPEN,
    OVER,
    REFERENCE,
    SHORT,
)
from support.control import control

SCALES = (LeadScales(), LeadScales())
LEFT, RIGHT = 0, 1
BASE = (2051, 2020, 2049)
OHM = 505
SET_UA = 2000
LIMIT_MV = 14_500

BROKEN_BASE16, BROKEN_OHM = (32728, 32743, 32751), (517, 515)
BROKEN_IN_A_REST = (
    (78, 78, (2046, 2046, 184, 2043, 2048, 186, 2047, 3907)),
    (156, 78, (2047, 2047, 186, 2048, 2046, 183, 2049, 3908)),
)
"""Amplitude, the least that may have been in force, and samples as they came: a left lead's first pulses at
100 Hz, its conductor broken in the rest before (seed 28)."""


def made(ohm=(OHM, OHM), kept_mv=(0, 0)):
    one = Watch(SCALES)
    one.begin([16 * code for code in BASE], ohm, kept_mv)
    return one


def ua_codes(ua):
    return round(ua * 1024 / 5500)


def mv_codes(mv):
    return round(mv * 1024 / 8250)


class Pulse:
    """What the eight samples show, in uA and mV as they should be positive."""

    def __init__(self, ua=SET_UA, ohm=OHM):
        self.rest_mv = self.rest_ua = 0
        self.early_ua = self.late_ua = self.anodic_ua = ua
        self.early_mv = ua * ohm // 1000
        self.late_mv = self.early_mv + 150
        self.anodic_mv = self.early_mv

    def but(self, **changes):
        for name, value in changes.items():
            assert hasattr(self, name)
            setattr(self, name, value)
        return self

    def codes(self, lead):
        v, i = BASE[lead], BASE[2]
        return (
            v - mv_codes(self.rest_mv), i - ua_codes(self.rest_ua), v - mv_codes(self.early_mv),
            i - ua_codes(self.early_ua), i - ua_codes(self.late_ua), v - mv_codes(self.late_mv),
            i + ua_codes(self.anodic_ua), v + mv_codes(self.anodic_mv),
        )  # fmt: skip


def look(one, pulse, lead=LEFT, set_ua=SET_UA, least_ua=None):
    for k, code in enumerate(pulse.codes(lead)):
        one.samples[lead][k] = max(0, min(4095, code))
    return one.look(lead, set_ua, set_ua if least_ua is None else least_ua)


def open_pulse():
    return Pulse(0).but(early_mv=LIMIT_MV, late_mv=LIMIT_MV, anodic_mv=LIMIT_MV)


def seen(one, pulses, lead=LEFT):
    return [look(one, pulse, lead) for pulse in pulses]


@control("C-67")
def test_healthy_pulses_of_every_amplitude_are_nothing():
    one = made()
    for ua in range(0, 10_001, 25):
        assert look(one, Pulse(ua), set_ua=ua) == look(one, Pulse(ua), RIGHT, ua) == NONE, ua


@control("C-67")
def test_every_tolerance_at_its_end_is_nothing():
    for share in (-3.0, 3.0):
        for codes in (-9, 9):
            for ua in (0, 25, 200, 1000, 4000, 10_000):
                one = made((0, 0))
                off = ua + ua * share / 100 + codes * 5.37
                assert look(one, Pulse(ua).but(early_ua=off, late_ua=off, anodic_ua=off), set_ua=ua) == NONE


@control("C-49")
def test_an_open_lead_is_named_with_its_second_pulse():
    assert seen(made(), [open_pulse(), open_pulse()]) == [NONE, OPEN]


@control("C-49")
def test_an_open_lead_is_the_lead_that_is_open():
    one = made()
    assert look(one, open_pulse(), LEFT) == look(one, open_pulse(), RIGHT) == NONE
    assert look(one, Pulse(), LEFT) == NONE and look(one, open_pulse(), RIGHT) == OPEN


@control("C-49")
def test_a_contact_that_opens_again_or_within_a_pulse_is_intermittent():
    assert seen(made(), [open_pulse(), Pulse(), Pulse(), open_pulse()]) == [NONE, NONE, NONE, INTERMITTENT]
    for part in ("late_ua", "anodic_ua", "early_ua"):
        pulse = Pulse().but(late_mv=LIMIT_MV, anodic_mv=LIMIT_MV, early_mv=LIMIT_MV)
        if part == "anodic_ua":  # with a whole cathodic phase at its limit it is not to be seen
            pulse = pulse.but(early_mv=12)
        assert look(made(), pulse.but(**{part: 0})) == INTERMITTENT, part


@control("C-49")
def test_a_lead_that_broke_in_a_rest_is_open_from_the_first_steps_of_the_ramp_on():
    one = Watch(SCALES)
    one.begin(BROKEN_BASE16, BROKEN_OHM, (0, 0))
    found = []
    for set_ua, least_ua, codes in BROKEN_IN_A_REST:
        for k, code in enumerate(codes):
            one.samples[LEFT][k] = code
        found.append(one.look(LEFT, set_ua, least_ua))
    assert found == [NONE, OPEN] and not one.closed_again[LEFT]


def test_an_open_lead_is_open_at_every_amplitude_however_the_noise_falls():
    ends = (-13, 0, 13)
    for codes in [(a, b, c) for a in ends for b in ends for c in ends]:
        early, late, anodic = (each * 5.37 for each in codes)
        pulse = open_pulse().but(early_ua=early, late_ua=late, anodic_ua=anodic)
        for ua in range(0, 401, 10):
            one = made()
            assert [look(one, pulse, set_ua=ua) for _ in range(2)] == [NONE, OPEN], (codes, ua)


def test_current_that_comes_and_goes_within_a_pulse_is_seen_from_180_ua_on():
    for ua, found in ((180, INTERMITTENT), (170, NONE)):
        assert look(made(), open_pulse().but(early_ua=ua), set_ua=ua) == found


def test_a_contact_has_closed_again_only_if_current_flowed_after_a_break():
    broke = {"late_ua": 0, "anodic_ua": 0}, {"anodic_ua": 0}
    closed = {"early_ua": 0}, {"late_ua": 0}, {"early_ua": 0, "late_ua": 0}, {"early_ua": 0, "anodic_ua": 0}
    for parts in broke + closed:
        one = made()
        assert look(one, Pulse().but(late_mv=LIMIT_MV, **parts)) == INTERMITTENT
        assert one.closed_again == [parts in closed, False], parts
    one.begin([16 * code for code in BASE], (OHM, OHM), (0, 0))
    assert one.closed_again == [False, False], "a new session"


def test_whole_pulses_between_two_breaks_show_that_the_contact_closed_and_small_ones_do_not():
    for ua, closed in ((SET_UA, True), (180, True), (170, False), (0, False)):
        one = made((0, 0))
        assert look(one, open_pulse(), RIGHT) == look(one, Pulse(ua), RIGHT, ua) == NONE
        assert look(one, open_pulse(), RIGHT) == INTERMITTENT
        assert one.closed_again == [False, closed], ua
    one = made()
    pulses = [open_pulse(), Pulse(ohm=OHM * 2), open_pulse()]
    assert seen(one, pulses) == [NONE, NONE, INTERMITTENT] and one.closed_again[LEFT], "of another resistance"


def test_one_break_is_forgotten():
    one = made()
    pulses = [open_pulse()] + [Pulse()] * (watch.FORGET_PULSES + 1) + [open_pulse()]
    assert set(seen(one, pulses)) == {NONE}


@control("C-49")
def test_a_short_is_named_with_its_second_pulse_and_not_as_drift():
    shorted = Pulse(ohm=6).but(late_mv=10, anodic_mv=10)
    assert seen(made(), [shorted, shorted]) == [NONE, SHORT]


@control("C-50")
def test_the_compliance_limit_is_named_while_most_of_the_current_flows():
    limited = Pulse(1500).but(early_mv=12_000, late_mv=12_000, anodic_mv=12_000)
    assert seen(made(), [limited, limited]) == [NONE, COMPLIANCE]
    unseen = limited.but(anodic_ua=0)
    assert seen(made(), [unseen, unseen]) == [NONE, COMPLIANCE], "above 13 V an anodic current is not shown"


def test_the_limit_in_one_phase_alone_is_the_compliance_limit_too():
    for part in ("late", "anodic"):
        pulse = Pulse().but(**{part + "_mv": 12_000, part + "_ua": 1500})
        assert seen(made((0, 0)), [pulse, pulse]) == [NONE, COMPLIANCE], part


def test_as_much_voltage_as_a_prescription_may_need_is_no_fault_while_the_current_is_right():
    """limits.COMPLIANCE_MV: 12 V with the blocking capacitor; the pump has 12.3 V at 10 mA at the worst."""
    for part in ("late_mv", "anodic_mv"):
        pulse = Pulse().but(**{part: 12_000})
        assert seen(made((0, 0)), [pulse] * 40) == [NONE] * 40, part
    slowly = Pulse().but(late_mv=12_000, anodic_ua=SET_UA - 50)
    assert set(seen(made((0, 0)), [slowly] * 31)) == {NONE}
    unlike = Pulse().but(late_mv=12_000, anodic_ua=SET_UA - 110)
    assert seen(made((0, 0)), [unlike] * 32)[-1] == IMBALANCE, "its mean is watched as any pulse's"


def test_what_changes_from_pulse_to_pulse_is_not_counted_together():
    limited = Pulse(1500).but(early_mv=12_000, late_mv=12_000, anodic_mv=12_000)
    assert set(seen(made(), [limited, Pulse(0), limited, Pulse(0)])) == {NONE}


@control("C-42")
def test_current_above_what_is_set_is_named_at_once_in_either_phase():
    much_ua = SET_UA * 107 // 100 + 120
    for part in ("early_ua", "late_ua"):
        assert look(made(), Pulse().but(**{part: much_ua})) == OVER, part
    assert look(made(), Pulse(much_ua)) == OVER
    for one_phase in ({"anodic_ua": much_ua}, {"early_ua": much_ua, "late_ua": much_ua}):
        assert look(made(), Pulse().but(**one_phase)) == IMBALANCE, "a switch that leaks: the action is that"
    assert look(made(), Pulse(150), set_ua=0) == OVER


@control("C-50")
def test_missing_current_is_named_with_its_second_pulse():
    assert seen(made(), [Pulse(0), Pulse(0)]) == [NONE, LOSS]
    assert seen(made(), [Pulse(1780), Pulse(1780)]) == [NONE, LOSS]
    assert seen(made(), [Pulse(0), Pulse(), Pulse(0), Pulse()]) == [NONE] * 4


@control("C-42")
def test_phases_that_differ_are_named_at_once():
    assert look(made(), Pulse().but(anodic_ua=SET_UA - 250)) == IMBALANCE
    assert look(made(), Pulse().but(early_ua=SET_UA - 250, late_ua=SET_UA - 250)) == IMBALANCE
    assert look(made(), Pulse().but(anodic_ua=0)) == IMBALANCE


def test_phases_that_differ_little_are_named_by_their_mean():
    # Of 32 pulses: the limit is 1.5 % and 64 uA.
    assert set(seen(made(), [Pulse().but(anodic_ua=SET_UA - 60)] * 64)) == {NONE}
    found = seen(made(), [Pulse().but(anodic_ua=SET_UA - 120)] * 32)
    assert found == [NONE] * 31 + [IMBALANCE]


def test_a_dead_phase_of_a_small_current_is_imbalance_and_no_loss():
    weak = Pulse(300).but(anodic_ua=150)
    one = made((0, 0))
    assert look(one, weak, set_ua=300) in (NONE, IMBALANCE)
    assert look(one, weak, set_ua=300) == IMBALANCE


@control("C-42")
def test_current_with_the_bridge_off_is_direct_current():
    for sign in (-1, 1):
        assert look(made(), Pulse().but(rest_ua=sign * 95)) == DIRECT
        assert look(made(), Pulse(0).but(rest_ua=sign * 95), set_ua=0) == DIRECT
        assert look(made(), Pulse().but(rest_ua=sign * 60)) == NONE


@control("C-60")
def test_voltage_with_the_bridge_off_is_interference():
    for sign in (-1, 1):
        assert look(made(), Pulse().but(rest_mv=sign * 250)) == INTERFERENCE
        assert look(made((0, 0)), Pulse().but(rest_mv=sign * 250), RIGHT) == INTERFERENCE, "no history needed"
        assert look(made(), Pulse().but(rest_mv=sign * 1000, rest_ua=sign * -600)) == INTERFERENCE


def test_what_double_layers_keep_is_none():
    kept = watch.kept_mv(2000, 1000, 0, 5000, 2500)
    assert kept == 320, "2 uC on 2.5 uF are 800 mV, a fifth of the time, and twice that"
    one = made(kept_mv=(kept, 0))
    assert look(one, Pulse().but(rest_mv=400)) == NONE
    assert look(one, Pulse().but(rest_mv=400), RIGHT) == INTERFERENCE
    assert watch.kept_mv(2000, 1000, 0, 5000, 0) > kept, "not known: the least"


@control("C-48")
def test_all_channels_off_alike_is_the_reference():
    one = made()
    for k, code in enumerate(Pulse().codes(LEFT)):
        one.samples[LEFT][k] = code * 100 // 105
    assert one.look(LEFT, SET_UA, SET_UA) == REFERENCE


@control("C-48")
def test_one_code_for_everything_is_the_converter():
    for code in (0, 2048, 4095):
        one = made()
        for k in range(watch.SAMPLES):
            one.samples[LEFT][k] = code
        assert one.look(LEFT, SET_UA, SET_UA) == NONE and one.look(LEFT, SET_UA, SET_UA) == ADC


@control("C-53")
def test_drift_is_named_once_with_its_second_pulse():
    grown = Pulse(ohm=OHM * 13 // 10)
    assert seen(made(), [grown] * 6) == [NONE, DRIFT, NONE, NONE, NONE, NONE]
    assert set(seen(made(), [Pulse(ohm=OHM * 110 // 100)] * 6)) == {NONE}
    assert set(seen(made((0, OHM)), [grown] * 6)) == {NONE}, "no history"


def test_a_pulse_whose_amplitude_was_changing_may_have_either():
    one = made((0, 0))
    assert look(one, Pulse(1000), set_ua=2000, least_ua=1000) == NONE
    assert look(one, Pulse(2000), set_ua=2000, least_ua=1000) == NONE
    assert look(one, Pulse(2300), set_ua=2000, least_ua=1000) == OVER
    assert look(one, Pulse(700), set_ua=2000, least_ua=1000) == NONE
    assert look(one, Pulse(700), set_ua=2000, least_ua=1000) == LOSS


def test_a_lead_that_is_ramped_down_is_watched_for_current_out_of_control_alone():
    one = made()
    one.muted[LEFT] = True
    assert set(seen(one, [open_pulse()] * 4 + [Pulse(0)] * 4)) == {NONE}
    assert look(one, Pulse(3000)) == OVER
    assert look(one, Pulse().but(anodic_ua=0)) == IMBALANCE
    assert look(one, Pulse().but(rest_ua=200)) == DIRECT


def test_a_break_that_left_its_charge_behind_is_the_contact_and_not_a_field():
    one = made()
    assert look(one, open_pulse()) == NONE
    assert look(one, Pulse().but(rest_mv=340)) == INTERMITTENT


def test_a_new_session_has_forgotten():
    one = made()
    look(one, open_pulse())
    one.begin([16 * code for code in BASE], (OHM, OHM), (0, 0))
    assert look(one, open_pulse()) == NONE


def test_figures_are_those_of_the_last_pulse():
    one = made()
    look(one, Pulse().but(anodic_ua=1900, rest_ua=50, rest_mv=-80))
    cathodic, anodic, early, late = one.figures(LEFT)
    assert abs(cathodic - 2000) < 8 and abs(anodic - 1900) < 8
    assert abs(early - 1010) < 10 and abs(late - 1160) < 10
    current, voltage = one.rest_figures(LEFT)
    assert abs(current - 50) < 6 and abs(voltage + 80) < 9


def test_the_table_is_in_order_and_says_what_latches():
    assert [row[0] for row in watch_table.TABLE] == list(range(len(watch_table.TABLE)))
    for row in watch_table.TABLE[1:]:
        assert row[1] and row[3] and row[6] and row[2] in (watch_table.LEAD, watch_table.DEVICE), row
        assert 0 <= row[5] < len(watch_table.ACTION_NAMES)
    latching = [row[1] for row in watch_table.TABLE if watch_table.latches(row[0])]
    assert "open lead" in latching and "over-stimulation" in latching
    for free in (watch_table.DRIFT, watch_table.INTERFERENCE, watch_table.SUPPLY, watch_table.NONE):
        assert not watch_table.latches(free)
    assert watch_table.row_of(200) == watch_table.row_of(-1) == watch_table.TABLE[0]


@control("C-42")
def test_what_is_out_of_control_stops_all_with_one_pulse():
    for fault in (OVER, IMBALANCE, DIRECT, REFERENCE):
        row = watch_table.row_of(fault)
        assert (row[watch_table.PULSES], row[watch_table.ACTION]) == (1, watch_table.STOP_ALL)
