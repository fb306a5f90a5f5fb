"""What can go wrong with a lead, and what the trace shows of it."""

import pytest
from support.lead_rig import SWITCHES_OHM, ready, volts
from support.parts_fakes import MS, US

PAIR_OHM = 500.0 + SWITCHES_OHM


class TestFaults:
    def resistance(self, board, lead):
        board.keep_alive()
        board.pin("L_ANOD").out(True)
        v = volts(board, lead)
        board.pin("L_ANOD").out(False)
        return v / 4e-3

    def test_open_and_restore(self):
        board, _, lead = ready()
        lead.electrodes[0].open()
        assert self.resistance(board, lead) > 3000
        lead.electrodes[0].restore()
        assert self.resistance(board, lead) == pytest.approx(PAIR_OHM, rel=1e-3)

    def test_an_electrode_says_what_was_done_to_it(self):
        electrode = ready()[2].electrodes[0]
        assert not (electrode.is_open or electrode.is_loose or electrode.is_altered)
        electrode.open()
        assert electrode.is_open and not electrode.is_loose and not electrode.is_altered
        electrode.intermittent(10)
        assert electrode.is_loose
        electrode.set(r_s_ohm=2000)
        assert electrode.is_altered and electrode.is_loose
        electrode.close()
        assert electrode.is_altered and not electrode.is_loose
        electrode.restore()
        assert not (electrode.is_open or electrode.is_loose or electrode.is_altered)

    def test_open_on_an_electrode_not_in_use_changes_nothing(self):
        board, _, lead = ready()
        lead.electrodes[3].open()
        assert self.resistance(board, lead) == pytest.approx(PAIR_OHM, rel=1e-3)

    def test_short_between_electrodes_is_below_50_ohm(self):
        board, _, lead = ready()
        lead.electrodes[0].short_to(lead.electrodes[1])
        assert self.resistance(board, lead) == pytest.approx(SWITCHES_OHM + 0.5, rel=0.01)
        lead.electrodes[0].restore()
        assert self.resistance(board, lead) == pytest.approx(PAIR_OHM, rel=1e-2)

    def test_restore_of_the_other_partner_undoes_a_short(self):
        board, _, lead = ready()
        lead.electrodes[0].short_to(lead.electrodes[1])
        lead.electrodes[1].restore()
        assert self.resistance(board, lead) == pytest.approx(PAIR_OHM, rel=1e-2)

    def test_set_and_set_pair(self):
        board, _, lead = ready()
        lead.electrodes[0].set(r_s_ohm=1000.0)
        assert self.resistance(board, lead) == pytest.approx(1250.0 + SWITCHES_OHM, rel=1e-3)
        lead.set_pair(r_s_ohm=1000.0, c_dl_uf=5.0)
        assert self.resistance(board, lead) == pytest.approx(1000.0 + SWITCHES_OHM, rel=1e-3)
        lead.electrodes[0].set(r_s_ohm=3000.0)
        lead.restore()
        assert self.resistance(board, lead) == pytest.approx(1000.0 + SWITCHES_OHM, rel=1e-3), "as set"

    @pytest.mark.parametrize("bad", [{"r_s_ohm": 0.0}, {"r_ct_ohm": -1.0}, {"c_dl_uf": -1.0}])
    def test_impossible_impedances_are_refused(self, bad):
        _, _, lead = ready()
        with pytest.raises(ValueError, match="positive"):
            lead.electrodes[0].set(**bad)

    def test_intermittent_contact_opens_for_its_share_and_repeats_by_seed(self):
        def pattern(seed):
            board, _, lead = ready(seed=seed)
            lead.electrodes[0].intermittent(period_ms=20, duty=0.25)
            seen = []
            for _ in range(4000):
                board.clock.run_for(1 * MS)
                seen.append(lead.electrodes[0].is_open)
            lead.electrodes[0].restore()
            for _ in range(100):
                board.clock.run_for(1 * MS)
                assert not lead.electrodes[0].is_open
            return seen

        first = pattern(1)
        assert sum(first) / len(first) == pytest.approx(0.25, abs=0.03)
        assert pattern(1) == first != pattern(2)

    def test_explicit_schedule(self):
        board, _, lead = ready()
        now = board.clock.now_ns
        lead.electrodes[0].schedule([(now + 30 * US, True), (now + 60 * US, False)])
        board.phase("L_CATH", 100 * US)
        # What is left while it is open is the bleed's 0.15 uA.
        spans = [(a - now, b - now) for a, b, i0, _ in lead.trace.segments if abs(i0) > 1.0]
        assert spans == [(0, 30 * US), (60 * US, 100 * US)]

    @pytest.mark.parametrize(("period", "duty"), [(0, 0.5), (10, 0.0), (10, 1.0)])
    def test_nonsense_intermittents_are_refused(self, period, duty):
        _, _, lead = ready()
        with pytest.raises(ValueError, match="duty"):
            lead.electrodes[0].intermittent(period, duty)

    def test_fault_in_mid_pulse_keeps_the_charge_so_far(self):
        board, _, lead = ready()
        board.pin("L_CATH").out(True)
        board.clock.run_for(100 * US)
        lead.electrodes[0].open()
        board.clock.run_for(100 * US)
        board.pin("L_CATH").out(False)
        assert lead.charge_nc() == pytest.approx(-400.0, rel=1e-3)


class TestTrace:
    def test_off_and_cleared(self):
        board, _, lead = ready()
        lead.trace.enabled = False
        board.phase("L_CATH", 100 * US)
        assert lead.trace.segments == [] and lead.charge_nc() < -399
        lead.trace.enabled = True
        board.phase("L_CATH", 100 * US)
        assert len(lead.trace.segments) == 1
        lead.trace.clear()
        assert lead.trace.segments == []

    def test_looking_does_not_disturb(self):
        def run(look):
            board, _, lead = ready(code=3000, c_dl_uf=1.0)
            for signal in ("L_CATH", "L_ANOD"):
                board.pin(signal).out(True)
                for _ in range(20):
                    board.clock.run_for(11 * US)
                    if look:
                        volts(board, lead)
                board.pin(signal).out(False)
            return lead.charge_nc(), volts(board, lead), lead.trace.segments

        seen, unseen = run(True), run(False)
        assert seen[:2] == pytest.approx(unseen[:2], rel=1e-6)
        assert len(seen[2]) == len(unseen[2])
