"""The measuring chain: sense amplifiers, and the RP2040's converter against its data sheet, section 4.9."""

import itertools
import math

import numpy as np
import pytest
from stimbench.parts.adc import VREF_V, WIDE_CODES, Rp2040Adc, temperature_volts
from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorWiring, wire_stimulator
from support.lead_rig import RAILS_NS, RELAY_NS, SWITCHES_OHM, bled
from support.parts_fakes import MS, US, FakeBoard

ENOB, ENOB_TOLERANCE = 8.7, 0.2
"""RP2040 data sheet, 4.9 and 4.9.3."""
WIDE_STEPS_MIN, ORDINARY_STEPS_MAX = 6.0, 1.7
"""Widths of codes in steps, as a histogram of 100 samples a step shows them."""
OFFSET_MAX_V, GAIN_MAX = 0.003, 0.005
V_RISE = {0.75: 0.755, 1.0: 0.920, 1.5: 0.989, 2.0: 0.998}
I_RISE = {0.75: 0.417, 1.0: 0.738, 1.5: 0.968, 2.0: 0.997}
"""ngspice, us after the Pico's edge: how much of a cathodic step of 4 mA into 500 ohm a pin shows."""
RISE_SHARE = 0.04
"""The model's one pole against the circuit's five, from 0.75 us on."""
LSB_V = VREF_V / 4096
PAIR_OHM = bled(500.0 + SWITCHES_OHM)


def stimulator(**config):
    board = FakeBoard()
    parts = wire_stimulator(board, StimulatorWiring(**config), AirChannel())
    for channel in (0, 1):
        board.set_dac(channel, 1600)
        parts.leads[("left", "right")[channel]].load_resistor(500.0)
    board.set_matrix(0x21, 0x21)
    board.clock.run_for(100 * US if config.get("ideal") else RAILS_NS)
    board.keep_alive()
    board.clock.run_for(0 if config.get("ideal") else RELAY_NS)
    return board, parts


def read(board, channel):
    return board.sources[channel](board.clock.now_ns)


class TestSense:
    def test_volts_and_amps_as_specified(self):
        """1.65 V + V/10 and 1.65 V + 0.15 V/mA; cathodic is below the middle."""
        board, _ = stimulator(ideal=True)
        board.pin("L_CATH").out(True)
        board.clock.run_for(20 * US)
        assert read(board, 0) == pytest.approx(1.65 - 4e-3 * PAIR_OHM / 10)
        assert read(board, 1) == pytest.approx(1.65, abs=1e-6)
        assert read(board, 2) == pytest.approx(1.65 - 0.15 * 4)

    def test_the_shunt_is_shared(self):
        board, _ = stimulator(ideal=True)
        board.pin("L_CATH").out(True)
        board.pin("R_CATH").out(True)
        board.clock.run_for(20 * US)
        assert read(board, 2) == pytest.approx(1.65 - 0.15 * 8)
        board.pin("R_CATH").out(False)
        board.pin("R_ANOD").out(True)
        board.clock.run_for(20 * US)
        assert read(board, 2) == pytest.approx(1.65, abs=1e-6)

    def test_recharge_is_not_in_the_shunt(self):
        board, parts = stimulator(ideal=True)
        board.phase("L_CATH", 300 * US)
        board.pin("L_SHORT").out(True)
        board.clock.run_for(20 * US)
        assert abs(parts.leads["left"].amps(board.clock.now_ns)) > 1e-5
        assert read(board, 2) == pytest.approx(1.65, abs=1e-6)

    def test_outputs_clip_at_their_rails(self):
        board, parts = stimulator(ideal=True)
        for channel in (0, 1):
            board.set_dac(channel, 4095)
        for signal in ("L_ANOD", "R_ANOD"):
            board.pin(signal).out(True)
        board.clock.run_for(20 * US)
        assert read(board, 2) == 3.3, "2 x 10.24 mA is beyond the range"
        parts.leads["left"].electrodes[0].open()
        board.clock.run_for(20 * US)
        assert read(board, 0) == pytest.approx(3.15, rel=1e-2)

    @pytest.mark.parametrize(("channel", "spice"), [(0, V_RISE), (2, I_RISE)])
    def test_a_pin_follows_an_edge_as_in_spice(self, channel, spice):
        """4 mA into 500 ohm. What has not followed after 2 us is less than 1 %."""
        board, _ = stimulator(ideal=True)
        t0 = board.clock.now_ns
        board.pin("L_CATH").out(True)
        source = board.sources[channel]
        final = source(t0 + 20 * US) - 1.65
        assert source(t0) == pytest.approx(1.65, abs=1e-9)
        for time_us, share in spice.items():
            seen = (source(t0 + round(time_us * US)) - 1.65) / final
            assert seen == pytest.approx(share, abs=RISE_SHARE)

    def test_a_pin_follows_more_slowly_into_a_larger_load(self):
        """2 kohm with 190 pF of switches and wires: 65 % after 1 us, where 500 ohm have 92 %."""
        board, parts = stimulator(ideal=True)
        parts.leads["left"].load_resistor(2000.0)
        t0 = board.clock.now_ns
        board.pin("L_CATH").out(True)
        final = 4e-3 * bled(2000.0 + SWITCHES_OHM) / 10
        assert (1.65 - board.sources[0](t0 + 1 * US)) / final == pytest.approx(0.647, abs=RISE_SHARE)

    def test_the_step_of_an_open_lead_is_the_pumps_limit(self):
        """The pump fills 190 pF to 15 V with 4 mA; the buffers follow with 20 V/us."""
        board, parts = stimulator(ideal=True)
        parts.leads["left"].electrodes[0].open()
        t0 = board.clock.now_ns
        board.pin("L_ANOD").out(True)
        assert board.sources[0](t0) == pytest.approx(1.65, abs=1e-3)
        assert 1.65 + 0.6 < board.sources[0](t0 + 1 * US) < 1.65 + 1.0, "0.91 V in ngspice"
        assert board.sources[0](t0 + 10 * US) == pytest.approx(1.65 + 1.5, rel=0.01)

    def test_the_current_amplifier_slews_2_v_a_us(self):
        board, parts = stimulator(ideal=True)
        board.set_dac(0, 4095)
        board.clock.run_for(20 * US)
        parts.leads["left"].load_resistor(1.0)
        t0 = board.clock.now_ns
        board.pin("L_CATH").out(True)
        early, late = (board.sources[2](t0 + t) for t in (700, 800))
        assert early - late == pytest.approx(0.2, rel=1e-3)

    def test_in_an_anodic_phase_the_current_amplifier_stops_at_13_v(self):
        """INA821: inputs to 2 V below +15 V. There it shows nothing of a current that flows."""
        board, parts = stimulator(ideal=True)
        lead = parts.leads["left"]
        lead.load_resistor(3400.0)  # 13.7 V at 4 mA, and 170 ohm behind it: still within the limit
        for signal, shown in (("L_CATH", -4e-3), ("L_ANOD", 0.0)):
            board.pin(signal).out(True)
            board.clock.run_for(20 * US)
            assert abs(lead.shunt_amps(board.clock.now_ns)) == pytest.approx(4e-3)
            assert (read(board, 2) - 1.65) / 150.0 == pytest.approx(shown, abs=1e-6)
            board.pin(signal).out(False)
            board.clock.run_for(20 * US)

    def test_without_the_rails_v_shows_no_volts_and_i_its_bottom(self):
        board, parts = stimulator(ideal=True)
        board.pin("L_ANOD").out(True)
        board.clock.run_for(20 * US)
        parts.rails.lose()
        assert read(board, 0) == pytest.approx(1.65) and read(board, 2) == 0.0

    def test_a_step_back_before_it_settled_starts_from_there(self):
        board, _ = stimulator(ideal=True)
        board.pin("L_ANOD").out(True)
        board.clock.run_for(700)
        board.pin("L_ANOD").out(False)
        before = read(board, 0)
        assert board.sources[0](board.clock.now_ns + 1) == pytest.approx(before, abs=2e-3)
        assert 1.65 + 0.1 < before < 1.65 + 0.2
        assert board.sources[0](board.clock.now_ns + 10 * US) == pytest.approx(1.65, abs=1e-3)

    @pytest.mark.parametrize("seed", range(6))
    def test_errors_are_small_seeded_and_never_zero(self, seed):
        board, parts = stimulator(seed=seed)
        zero = read(board, 0)
        assert 0.0 < abs(zero - 1.65) <= OFFSET_MAX_V
        board.pin("L_ANOD").out(True)
        board.clock.run_for(20 * US)
        ideal = parts.leads["left"].volts(board.clock.now_ns) / 10
        gain = (read(board, 0) - zero) / ideal
        assert 0.001 <= abs(gain - 1.0) <= GAIN_MAX + 1e-4

    def test_without_dac_there_is_no_current_and_without_matrix_an_open_lead(self):
        """SPI0 has no MISO: absence shows only in what is measured."""
        board, _ = stimulator(absent=("dac",))
        board.pin("L_ANOD").out(True)
        board.clock.run_for(20 * US)
        assert read(board, 2) == pytest.approx(1.65, abs=2 * OFFSET_MAX_V)
        assert read(board, 0) == pytest.approx(1.65, abs=2 * OFFSET_MAX_V)
        board, _ = stimulator(absent=("matrix",))
        board.pin("L_ANOD").out(True)
        board.clock.run_for(20 * US)
        assert read(board, 2) == pytest.approx(1.65, abs=2 * OFFSET_MAX_V)
        assert read(board, 0) > 3.1


def histogram(adc: Rp2040Adc, low: int, high: int, per_step: int = 100) -> np.ndarray:
    codes = [adc.convert((low + k / per_step) * LSB_V, 0) for k in range((high - low) * per_step)]
    return np.bincount(codes, minlength=4096) / per_step


class TestAdc:
    @pytest.mark.parametrize("seed", range(4))
    def test_effective_bits_of_a_full_scale_sine(self, seed):
        """The frequency is known, so the sine fit of IEEE 1057 is linear."""
        adc, n, cycles = Rp2040Adc(seed), 8192, 127
        phase = 2 * np.pi * cycles * np.arange(n) / n
        amplitude = 2040 * LSB_V
        codes = np.array([adc.convert(VREF_V / 2 + amplitude * math.sin(p), 0) for p in phase], dtype=float)
        basis = np.column_stack([np.sin(phase), np.cos(phase), np.ones(n)])
        fit, *_ = np.linalg.lstsq(basis, codes, rcond=None)
        noise = np.sqrt(np.mean((codes - basis @ fit) ** 2))
        signal = np.hypot(fit[0], fit[1]) / np.sqrt(2)
        enob = (20 * np.log10(signal / noise) - 1.76) / 6.02
        assert enob == pytest.approx(ENOB, abs=ENOB_TOLERANCE)

    def test_four_wide_codes_and_no_others(self):
        """Section 4.9.3, figure of DNL, and erratum RP2040-E11."""
        adc = Rp2040Adc(3)
        for code in WIDE_CODES:
            widths = histogram(adc, code - 40, code + 40)
            assert widths[code] > WIDE_STEPS_MIN
            near = widths[code - 20 : code + 20].copy()
            near[20] = 0
            assert near.max() < ORDINARY_STEPS_MAX
        assert histogram(adc, 1000, 1080)[1005:1075].max() < ORDINARY_STEPS_MAX

    def test_integral_error_is_a_sawtooth_of_about_four_steps(self):
        adc = Rp2040Adc(5)
        steps = np.arange(8, 4088, 4)
        error = np.array([np.mean([adc.convert(s * LSB_V, 0) for _ in range(8)]) for s in steps]) - steps
        error -= np.polyval(np.polyfit(steps, error, 1), steps)
        assert 3.0 < np.abs(error).max() < 6.5
        for code in WIDE_CODES:
            left = error[np.searchsorted(steps, code) - 6]
            right = error[np.searchsorted(steps, code) + 6]
            assert left - right > 5.0, "a wide code swallows steps: the reading falls behind"

    def test_range_and_channels(self):
        adc = Rp2040Adc(0)
        assert adc.convert(-1.0, 0) == 0
        assert adc.convert(5.0, 3) == 4095
        assert adc.convert(1.65, 4) == pytest.approx(2048, abs=12)
        for channel in (-1, 5):
            with pytest.raises(ValueError, match="channels 0-4"):
                adc.convert(1.0, channel)

    def test_same_seed_same_codes(self):
        def run(seed, name="adc"):
            adc = Rp2040Adc(seed, name)
            return [adc.convert(1.0, 0) for _ in range(50)]

        assert run(1) == run(1)
        assert run(1) != run(2)
        assert run(1) != run(1, "other board")

    def test_more_volts_never_mean_less_code_on_average(self):
        adc = Rp2040Adc(2)
        means = [np.mean([adc.convert(v, 0) for _ in range(60)]) for v in np.linspace(0.05, 3.25, 120)]
        assert all(b > a for a, b in itertools.pairwise(means))


class TestSupply:
    def test_temperature_sensor(self):
        """Section 4.9.5: T = 27 - (V - 0.706) / 0.001721."""
        assert temperature_volts(27.0) == pytest.approx(0.706)
        assert temperature_volts(47.0) == pytest.approx(0.706 - 20 * 0.001721)

    def test_vsys_its_droop_and_the_die(self):
        board, parts = stimulator(vsys_v=5.1, celsius=40.0)
        assert read(board, 3) == pytest.approx(1.7)
        assert read(board, 4) == pytest.approx(temperature_volts(40.0))
        parts.supply.droop(3.3, duration_ms=10)
        assert read(board, 3) == pytest.approx(1.1)
        board.clock.run_for(10 * MS)
        assert read(board, 3) == pytest.approx(1.7)
        parts.supply.vsys_v = 4.5
        assert read(board, 3) == pytest.approx(1.5)
