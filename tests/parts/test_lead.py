"""The lead's circuit: by Ohm's law, against a plain numerical integration."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lead_rig import BLEED_OHM, LIMIT_OHM, RECHARGE_OHM, SWITCHES_OHM, amps, bled, make, ready, volts
from support.parts_fakes import MS, US

REFERENCE_REL = 1e-5
"""Against an integration in steps of 0.2 us."""
TRACED_NC = 0.05
"""The trace against the blocking capacitor, over 20 pulses of 2000 nC a phase."""
PUMP_GAIN_MAX = 0.005
"""0.3 % of the pump and 0.1 % of the DAC, and a little for the DAC's INL."""


class TestCurrent:
    @pytest.mark.parametrize(("code", "microamps"), [(1, 2.5), (400, 1e3), (1600, 4e3), (4095, 10237.5)])
    def test_2_5_ua_a_step(self, code, microamps):
        board, _, lead = ready(code=code)
        board.phase("L_CATH", 100 * US)
        board.clock.run_for(20 * US)
        board.phase("L_ANOD", 100 * US)
        t0 = 50 * US
        assert lead.trace.segments == [
            (t0, t0 + 100 * US, pytest.approx(-microamps), pytest.approx(-microamps)),
            (t0 + 120 * US, t0 + 220 * US, pytest.approx(microamps), pytest.approx(microamps)),
        ]

    def test_the_trace_has_the_charge_that_flowed_to_the_end_of_the_recharge(self):
        board, _, lead = ready(code=800)
        for _ in range(20):
            board.phase("L_CATH", 1000 * US)
            board.clock.run_for(500 * US)
            board.phase("L_ANOD", 1000 * US)
            board.phase("L_SHORT", 45 * MS)
        t0, t1, i0, i1 = (np.array(column) for column in zip(*lead.trace.segments, strict=True))
        traced_nc = float(((i0 + i1) / 2 * (t1 - t0)).sum()) * 1e-6
        assert abs(lead.charge_nc()) > 100 * TRACED_NC
        assert traced_nc == pytest.approx(lead.charge_nc(), abs=TRACED_NC)

    @pytest.mark.parametrize("seed", range(6))
    def test_pump_and_dac_errors_stay_small(self, seed):
        board, _, lead = ready(ideal=False, seed=seed, code=1600)
        board.pin("L_ANOD").out(True)
        error = amps(board, lead) / 4e-3 - 1.0
        assert 0.0 < abs(error) < PUMP_GAIN_MAX

    def test_both_leads_have_their_own_channel_and_chip(self):
        board, parts = make()
        board.set_dac(0, 400)
        board.set_dac(1, 800)
        board.set_matrix(0x21, 0x84)
        board.clock.run_for(50 * US)
        board.keep_alive()
        for signal in ("L_ANOD", "R_CATH"):
            board.pin(signal).out(True)
        now = board.clock.now_ns
        assert parts.leads["left"].amps(now) == pytest.approx(1e-3)
        assert parts.leads["right"].amps(now) == pytest.approx(-2e-3)

    def test_charge_is_current_times_time(self):
        board, _, lead = ready()
        board.phase("L_CATH", 214 * US)
        assert lead.charge_nc() == pytest.approx(-4e-3 * 214e-6 * 1e9)
        board.phase("L_ANOD", 214 * US)
        assert lead.charge_nc() == pytest.approx(0.0, abs=1e-6)
        board.phase("L_ANOD", 10 * US)
        lead.clear_charge()
        assert lead.charge_nc() == 0.0

    def test_dac_moving_during_a_phase_shows_in_the_current(self):
        board, _parts, lead = ready(code=400)
        board.pin("L_ANOD").out(True)
        board.clock.run_for(20 * US)
        board.set_dac(0, 2400)
        board.clock.run_for(1 * US)
        slewing = amps(board, lead)
        assert slewing == pytest.approx((0.4 + 0.55) * 2.5e-3, rel=0.1), "0.4 V, and 0.55 V/us for 1 us"
        board.clock.run_for(20 * US)
        assert amps(board, lead) == pytest.approx(6e-3)
        segments = lead.trace.segments
        assert all(a[1] == b[0] for a, b in itertools.pairwise(segments)), "no gap"


class TestVoltage:
    def test_step_is_ohms_law_and_slope_is_the_capacitors(self):
        board, _, lead = ready()
        board.pin("L_ANOD").out(True)
        v0 = volts(board, lead)
        board.clock.run_for(100 * US)
        v1 = volts(board, lead)
        assert v0 == pytest.approx(4e-3 * bled(500 + SWITCHES_OHM), rel=1e-6)
        assert v1 - v0 == pytest.approx(2 * 4e-3 * 100e-6 / 5e-6, rel=1e-3)

    def test_test_resistor_has_no_slope(self):
        board, _, lead = ready()
        lead.load_resistor(500.0)
        board.pin("L_CATH").out(True)
        for _ in range(5):
            assert volts(board, lead) == pytest.approx(-4e-3 * bled(500 + SWITCHES_OHM), rel=1e-6)
            board.clock.run_for(100 * US)

    def test_two_electrodes_on_a_rail_halve_their_side(self):
        board, _, lead = ready(mask=0x43)
        lead.load_resistor(500.0)
        board.pin("L_ANOD").out(True)
        side = (500 + SWITCHES_OHM) / 2
        assert volts(board, lead) == pytest.approx(4e-3 * bled(side + side / 2), rel=1e-6)

    def test_both_switches_on_one_electrode_are_19_ohm(self):
        """How a self-test can tell that the matrix is there at all."""
        board, _, lead = ready(mask=0x11)
        board.pin("L_ANOD").out(True)
        assert volts(board, lead) == pytest.approx(4e-3 * SWITCHES_OHM, rel=1e-6)

    @given(
        code=st.integers(100, 1200),
        width_us=st.integers(20, 400),
        gap_us=st.integers(0, 100),
        r_s=st.floats(200, 2000),
        c_dl=st.floats(0.5, 20),
        recharge_us=st.integers(100, 4000),
    )
    @settings(max_examples=15, deadline=None)
    def test_agrees_with_step_by_step_integration(self, code, width_us, gap_us, r_s, c_dl, recharge_us):
        board, _, lead = ready(code=code, pair_r_s_ohm=r_s, c_dl_uf=c_dl)
        reference = Reference(r_s, c_dl * 1e-6)
        current = code * 2.5e-6
        steps = (("L_CATH", -1, width_us), ("", 0, gap_us), ("L_ANOD", 1, width_us // 2))
        for signal, sign, span_us in steps:
            if signal:
                board.phase(signal, span_us * US)
            else:
                board.clock.run_for(span_us * US)
            reference.drive(sign * current, span_us * 1e-6)
        assert lead.charge_nc() == pytest.approx(reference.block_v * 4.7e-6 * 1e9, rel=REFERENCE_REL)
        board.phase("L_SHORT", recharge_us * US)
        reference.recharge(recharge_us * 1e-6)
        charge_nc = reference.block_v * 4.7e-6 * 1e9
        assert lead.charge_nc() == pytest.approx(charge_nc, rel=REFERENCE_REL, abs=1e-3)
        assert volts(board, lead) == pytest.approx(reference.rest_v, rel=REFERENCE_REL, abs=1e-6)


class Reference:
    """One pair, integrated in small midpoint steps, sharing no code with the model."""

    STEP_S = 2e-7

    def __init__(self, r_s: float, c_dl: float) -> None:
        self.r, self.c = r_s + SWITCHES_OHM, c_dl
        self.interface_v = 0.0
        self.block_v = 0.0

    @property
    def rest_v(self) -> float:
        """The bleed and the pair's resistance divide it: 13 ppm at 1.3 kohm."""
        return 2.0 * self.interface_v * BLEED_OHM / (BLEED_OHM + self.r)

    def drive(self, current: float, span: float) -> None:
        self._run(lambda interface, block: current, span)

    def recharge(self, span: float) -> None:
        self._run(lambda interface, block: -(2.0 * interface + block) / (RECHARGE_OHM + self.r), span)

    def _run(self, current, span: float) -> None:
        for _ in range(round(span / self.STEP_S)):
            i = current(self.interface_v, self.block_v)
            middle = self.interface_v + self._slope(i, self.interface_v) * self.STEP_S / 2
            i = current(middle, self.block_v + i / 4.7e-6 * self.STEP_S / 2)
            self.interface_v += self._slope(i, middle) * self.STEP_S
            self.block_v += i / 4.7e-6 * self.STEP_S

    def _slope(self, i: float, interface: float) -> float:
        through = i - (i * self.r + 2.0 * interface) / BLEED_OHM
        return (through - interface / 100e3) / self.c


class TestCompliance:
    def test_open_lead_saturates_and_passes_nothing(self):
        board, _, lead = ready()
        lead.electrodes[1].open()
        board.phase("L_CATH", 100 * US)
        assert {round(i0, 2) for _, _, i0, _ in lead.trace.segments} == {-0.15}, "15 V across the bleed"
        assert lead.charge_nc() == pytest.approx(-15.0 / BLEED_OHM * 100e-6 * 1e9, rel=1e-2)
        board.pin("L_CATH").out(True)
        assert volts(board, lead) == pytest.approx(-15.0, rel=1e-2)
        assert lead.events[0][1] == "compliance"

    @pytest.mark.parametrize("mask", [0x00, 0x01, 0x20])
    def test_a_rail_without_electrode_is_open(self, mask):
        board, _, lead = ready(mask=mask)
        board.pin("L_ANOD").out(True)
        assert volts(board, lead) == pytest.approx(15.0, rel=1e-2)
        assert amps(board, lead) == pytest.approx(15.0 / BLEED_OHM, rel=1e-3), "the bleed alone"

    def test_high_impedance_limits_the_current(self):
        board, _, lead = ready()  # 4 mA would need 20.8 V
        lead.load_resistor(5000.0)
        board.pin("L_ANOD").out(True)
        assert amps(board, lead) == pytest.approx(15.0 / (LIMIT_OHM + 5000 + SWITCHES_OHM), rel=1e-3)

    def test_limit_is_met_in_mid_pulse_without_a_jump(self):
        board, _, lead = ready(code=4000, c_dl_uf=0.5, pair_r_s_ohm=1000.0)
        t0 = board.clock.now_ns
        board.phase("L_ANOD", 400 * US)
        met = [t for t, what in lead.events if what == "compliance"]
        # 10.2 V at once, then 10 mA into 0.25 uF and 4.7 uF in series: 42.1 V/ms; R_ct does little in 75 us.
        slope = 10e-3 * (2 / 0.5e-6 + 1 / 4.7e-6)
        expected = (15.0 - 10e-3 * (1000.0 + SWITCHES_OHM + LIMIT_OHM)) / slope
        assert len(met) == 1 and (met[0] - t0) * 1e-9 == pytest.approx(expected, rel=5e-3)
        pieces = lead.trace.segments
        jumps = [abs(b[2] - a[3]) for a, b in itertools.pairwise(pieces)]
        assert max(jumps) < 1.0
        assert pieces[-1][3] < 0.5 * pieces[0][2], "the current sags once the limit is met"

    @pytest.mark.parametrize(("ohm", "holds"), [(1305.0, True), (1320.0, False)])
    def test_13_3_v_at_10_ma(self, ohm, holds):
        """15 V less 170 ohm x 10 mA, for switches and load; 13.03 V between the electrodes in ngspice."""
        board, _, lead = ready(code=4000)
        lead.load_resistor(ohm)
        board.pin("L_ANOD").out(True)
        assert (amps(board, lead) > 9.999e-3) is holds
        assert [what for _, what in lead.events] == ([] if holds else ["compliance"])

    def test_12_6_v_with_parts_at_their_worst(self):
        """3 % less supply, 198 ohm: 14.55 V - 1.98 V."""
        board, parts, lead = ready(code=4000)
        parts.pumps["left"].tolerance(1.0, supply_v=14.55, limit_ohm=198.0)
        for ohm, holds in ((12.5 / 10e-3 - SWITCHES_OHM, True), (12.65 / 10e-3 - SWITCHES_OHM, False)):
            lead.load_resistor(ohm)
            board.pin("L_ANOD").out(True)
            assert (amps(board, lead) > 9.999e-3) is holds
            board.pin("L_ANOD").out(False)

    def test_sensed_volts_never_pass_the_limit_by_more_than_the_block_holds(self):
        board, _, lead = ready(code=4095)
        lead.electrodes[0].open()
        for _ in range(5):
            board.keep_alive()
            board.phase("L_CATH", 1 * MS)
            board.pin("L_ANOD").out(True)
            assert abs(volts(board, lead)) < 15.2
            board.pin("L_ANOD").out(False)


class TestBridge:
    def test_nothing_conducts_without_keepalive(self):
        board, _, lead = ready()
        board.clock.run_for(120 * MS)
        board.phase("L_CATH", 100 * US)
        assert lead.trace.segments == []

    def test_gate_ends_a_stuck_phase(self):
        board, _, lead = ready()
        t0 = board.clock.now_ns
        board.phase("L_CATH", 300 * MS)
        assert lead.trace.segments[-1][1] == t0 + 120 * MS

    def test_recharge_needs_q_too(self):
        board, _, lead = ready(r_ct_ohm=1e9)
        board.phase("L_CATH", 200 * US)
        charge = lead.charge_nc()
        board.clock.run_for(150 * MS)
        board.phase("L_SHORT", 10 * MS)
        assert lead.charge_nc() == pytest.approx(charge)
        board.keep_alive()
        board.phase("L_SHORT", 10 * MS)
        assert abs(lead.charge_nc()) < 0.05 * abs(charge)

    def test_recharge_decays_with_its_time_constant(self):
        board, _, lead = ready(r_ct_ohm=1e9)
        board.phase("L_CATH", 200 * US)
        start = lead.charge_nc()
        tau = (RECHARGE_OHM + 500 + SWITCHES_OHM) / (1 / 4.7e-6 + 2 / 5e-6)
        board.phase("L_SHORT", round(tau * 1e9))
        assert lead.charge_nc() == pytest.approx(start * np.exp(-1), rel=1e-3)
        area = sum((t1 - t0) * 1e-9 * (i0 + i1) / 2 for t0, t1, i0, i1 in lead.trace.segments) * 1e3
        assert area == pytest.approx(lead.charge_nc(), rel=5e-3), "the trace's pieces add up"

    def test_both_phases_on_is_a_recorded_fault_without_current(self):
        board, _, lead = ready()
        board.pin("L_CATH").out(True)
        board.clock.run_for(50 * US)
        board.phase("L_ANOD", 10 * US)
        board.clock.run_for(50 * US)
        board.pin("L_CATH").out(False)
        assert [what for _, what in lead.events] == ["shoot-through"]
        gaps = [b[0] - a[1] for a, b in zip(lead.trace.segments, lead.trace.segments[1:], strict=False)]
        assert gaps == [10 * US]

    @pytest.mark.parametrize("order", [("L_CATH", "L_ANOD"), ("L_ANOD", "L_CATH")])
    def test_lines_that_swap_at_one_instant_are_no_fault(self, order):
        board, _, lead = ready()
        board.pin("L_CATH").out(True)
        board.clock.run_for(50 * US)
        for signal in order:
            board.pin(signal).out(signal == "L_ANOD")
        board.phase("L_ANOD", 50 * US)
        assert list(lead.events) == []
        assert [round(i0) for _, _, i0, _ in lead.trace.segments] == [-4000, 4000]

    def test_driving_into_the_recharge_resistor_divides_the_current(self):
        board, _, lead = ready()
        lead.load_resistor(500.0)
        board.pin("L_SHORT").out(True)
        board.pin("L_ANOD").out(True)
        assert amps(board, lead) == pytest.approx(
            4e-3 * RECHARGE_OHM / (RECHARGE_OHM + bled(500 + SWITCHES_OHM)), rel=1e-6
        )
        assert lead.shunt_amps(board.clock.now_ns) == pytest.approx(4e-3)
        assert lead.events[-1][1] == "anodic into short"


RAIL_V_REL = 1e-4
"""A piece of the trace against the circuit, which it is drawn from, at its ends."""


class TestVoltageTrace:
    def pulse(self, board):
        board.phase("L_CATH", 214 * US)
        board.clock.run_for(50 * US)
        board.phase("L_ANOD", 214 * US)
        board.clock.run_for(4 * US)
        board.phase("L_SHORT", 20 * MS)

    def test_it_is_the_voltage_between_the_rails_at_every_edge(self):
        board, _, lead = ready()
        seen = []
        lead.on_step(lambda time_ns, before, _a, after, _b: seen.append((time_ns, before, after)))
        self.pulse(board)
        pieces = lead.trace.voltage.segments
        starts = {t0: v0 for t0, _, v0, _ in pieces}
        ends = {t1: v1 for _, t1, _, v1 in pieces}
        assert len(seen) == 6
        for time_ns, before, after in seen:
            assert ends.get(time_ns, 0.0) == pytest.approx(before, rel=RAIL_V_REL, abs=1e-3)
            assert starts.get(time_ns, 0.0) == pytest.approx(after, rel=RAIL_V_REL, abs=1e-3)
        assert starts[seen[0][0]] == pytest.approx(-4e-3 * (500 + SWITCHES_OHM), rel=1e-3)

    def test_a_slope_is_cut_into_small_steps_and_a_decay_is_finest_where_it_is_steepest(self):
        board, _, lead = ready(code=800)
        board.phase("L_CATH", 200 * US)
        board.phase("L_SHORT", 20 * MS)
        pieces = lead.trace.voltage.segments
        assert max(abs(v1 - v0) for _, _, v0, v1 in pieces if v0 < -0.9) < 0.02
        decay = [(t0, t1) for t0, t1, _, _ in pieces if t0 >= pieces[0][0] + 200 * US]
        spans = [t1 - t0 for t0, t1 in decay]
        assert len(spans) >= 8 and spans == sorted(spans) and spans[0] * 8 < spans[-1]

    def test_what_has_not_ended_is_there_as_far_as_it_has_come(self):
        board, _, lead = ready()
        board.pin("L_CATH").out(True)
        begun = board.clock.now_ns
        board.clock.run_for(100 * US)
        pieces = lead.trace.voltage.segments
        assert (pieces[0][0], pieces[-1][1]) == (begun, begun + 100 * US)
        assert pieces[-1][3] == pytest.approx(volts(board, lead), rel=RAIL_V_REL)
        board.clock.run_for(100 * US)
        assert lead.trace.voltage.segments[-1][1] == begun + 200 * US

    def test_a_copy_does_not_change_when_the_bench_runs_on(self):
        board, parts, lead = ready()
        board.pin("L_CATH").out(True)
        board.clock.run_for(100 * US)
        copies = lead.trace.voltage.copy(), parts.shunt.copy(), lead.trace.copy()
        before = [list(copy.segments) for copy in copies]
        assert before[0][-1][1] == board.clock.now_ns
        board.pin("L_CATH").out(False)
        self.pulse(board)
        assert [list(copy.segments) for copy in copies] == before
        assert len(lead.trace.voltage.segments) > len(before[0])

    def test_off_and_cleared_with_the_current(self):
        board, _, lead = ready()
        self.pulse(board)
        lead.trace.clear()
        lead.trace.enabled = False
        self.pulse(board)
        assert lead.trace.voltage.segments == lead.trace.shunt.segments == []

    def test_the_shunt_carries_what_the_pumps_deliver_and_no_recharge(self):
        board, parts = make()
        board.set_dac(0, 400)
        board.set_dac(1, 800)
        board.set_matrix(0x21, 0x84)
        board.clock.run_for(50 * US)
        board.keep_alive()
        begun = board.clock.now_ns
        board.pin("L_CATH").out(True)
        board.clock.run_for(100 * US)
        board.pin("R_ANOD").out(True)  # a fault: both leads at once
        board.clock.run_for(50 * US)
        board.pin("L_CATH").out(False)
        board.clock.run_for(50 * US)
        board.pin("R_ANOD").out(False)
        board.phase("L_SHORT", 10 * MS)
        assert parts.leads["left"].trace.segments[-1][1] > begun + 10 * MS
        assert parts.shunt.segments == [
            (begun + a * US, begun + b * US, pytest.approx(ua, rel=1e-6), pytest.approx(ua, rel=1e-6))
            for a, b, ua in ((0, 100, -1000.0), (100, 150, 1000.0), (150, 200, 2000.0))
        ]

    def test_a_pump_that_drives_into_the_recharge_resistor_shows_in_the_shunt(self):
        board, parts, lead = ready()
        begun = board.clock.now_ns
        board.pin("L_SHORT").out(True)
        board.phase("L_ANOD", 100 * US)
        delivered = pytest.approx(4000.0, rel=1e-6)
        assert parts.shunt.segments == [(begun, begun + 100 * US, delivered, delivered)]
        # Most of it takes the way through the resistor.
        assert 0 < lead.trace.segments[0][2] < 4000.0


class TestWhatTheySayOfThemselves:
    def test_a_lead_and_its_electrodes(self):
        _, _, lead = ready()
        assert repr(lead) == "<left lead, electrodes 0 to 3: no electrode open>"
        assert repr(lead.electrodes[2]) == (
            "<electrode 2 of the left lead: 250 ohm in series with 100000 ohm parallel to 5 uF>"
        )
        lead.electrodes[2].open()
        lead.electrodes[0].short_to(lead.electrodes[1])
        assert repr(lead) == "<left lead, electrodes 0 to 3: electrode 2 open>"
        assert repr(lead.electrodes[2]).startswith("<electrode 2 of the left lead: open, 250 ohm in series")
        assert repr(lead.electrodes[1]).endswith("5 uF, touches electrode 0>")
        lead.load_resistor(500.0)
        assert repr(lead.electrodes[3]) == "<electrode 3 of the left lead: 250 ohm>"
