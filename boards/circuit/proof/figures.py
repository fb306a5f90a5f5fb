"""The table of figures: what was asked, what was measured, and whether it is reached."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from circuit.proof import compliance, howland, off, saline, work
from circuit.proof.pulse import Case
from circuit.proof.work import Outcome
from circuit.sim.deck import Changes
from circuit.snapshot import Snapshot
from circuit.tables import Row

AMPLITUDES_UA = (100.0, 400.0, 1000.0, 4000.0, 10_000.0)
LOADS_OHM = (200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
LOADS_UF = (1.0, 2.5, 20.0)
WIDTHS_US = (20.0, 214.0)
BLOCKING_UF = 4.7
ROOM_V = 12.0
"""What a case of the grid may need: below the compliance in worst tolerance."""
MONTE_CARLO = 500


def _fits(amplitude_ua: float, ohm: float, farad_uf: float, width_us: float) -> bool:
    charge_uc = amplitude_ua * width_us * 1e-6
    return amplitude_ua * 1e-6 * ohm + charge_uc / BLOCKING_UF + charge_uc / farad_uf <= ROOM_V


def grid(width_us: float, loads_ohm: tuple[float, ...] = LOADS_OHM) -> list[Case]:
    """Every amplitude and load that fits below the compliance."""
    return [
        Case(ua, ohm, farad_uf, width_us)
        for ua in AMPLITUDES_UA
        for ohm in loads_ohm
        for farad_uf in LOADS_UF
        if _fits(ua, ohm, farad_uf, width_us)
    ]


def _worst(found: list[Outcome], read: Callable[[Outcome], float]) -> Outcome:
    return max(found, key=read)


def _settling(run: Outcome) -> float:
    return max(run.cathodic.settling_us, run.anodic.settling_us)


def _missing(run: Outcome) -> float:
    return max(run.cathodic.missing_share, run.anodic.missing_share)


def _above(run: Outcome) -> float:
    return max(run.cathodic.above_nc, run.anodic.above_nc)


def _overshoot(run: Outcome) -> float:
    return max(run.cathodic.overshoot_share, run.anodic.overshoot_share)


def _at(case: Case) -> str:
    return f"{case.amplitude_ua / 1000:g} mA, {case.r_ohm:g} ohm, {case.c_uf:g} uF"


def settling(board: Snapshot) -> list[Row]:
    """Settling, overshoot, charge above and missing over the grid of loads."""
    found = work.each_case(board, grid(214.0))
    low = [run for run in found if run.case.r_ohm < 5000.0]
    rows = []
    for name, runs in (
        ("200 ohm-2 kohm", low),
        ("5 kohm", [r for r in found if r.case.r_ohm == 5000.0]),
        ("10 kohm", [r for r in found if r.case.r_ohm == 10_000.0]),
    ):
        slow = _worst(runs, _settling)
        rows.append(
            Row(
                f"settled to 1 % after the Pico's edge, 100 uA-10 mA, 1-20 uF, {name} ({len(runs)} runs)",
                "<= 5 us",
                f"{_settling(slow):.2f} us ({_at(slow.case)})",
                _settling(slow) <= 5.0,
            )
        )
    for name, runs in (
        ("0.4-10 mA", [r for r in found if r.case.amplitude_ua > 100.0]),
        ("0.1 mA", [r for r in found if r.case.amplitude_ua == 100.0]),
    ):
        high = _worst(runs, _overshoot)
        rows.append(
            Row(
                f"overshoot, {name}, all loads",
                "<= 5 %",
                f"{100 * _overshoot(high):.2f} %, {_above(high) * 1000:.1f} pC ({_at(high.case)})",
                _overshoot(high) <= 0.05,
            )
        )
    return rows + _charges(board, found)


def _charges(board: Snapshot, found: list[Outcome]) -> list[Row]:
    silent = work.each_case(
        board, [Case(0.0, ohm, 2.5, gap_us=gap) for ohm in (200.0, 2000.0) for gap in (50.0, 0.0)]
    )
    high = _worst([*found, *silent], _above)
    rows = [
        Row(
            "charge above the settled current, first 10 us, 0 uA-10 mA",
            "<= 0.1 nC",
            f"{_above(high):.4f} nC ({_at(high.case)})",
            _above(high) <= 0.1,
        )
    ]
    short = work.each_case(board, grid(20.0))
    for width_us, runs in ((214.0, found), (20.0, short)):
        for name, chosen in (
            ("200 ohm-2 kohm", [r for r in runs if r.case.r_ohm < 5000.0]),
            ("5-10 kohm", [r for r in runs if r.case.r_ohm >= 5000.0]),
        ):
            lack = _worst(chosen, _missing)
            rows.append(
                Row(
                    f"charge missing from a phase of {width_us:g} us, {name}",
                    "<= 0.5 %",
                    f"{100 * _missing(lack):.2f} % ({_at(lack.case)})",
                    _missing(lack) <= 0.005,
                )
            )
    return rows


def regulation(board: Snapshot) -> list[Row]:
    """How far the current depends on the load, beside a Howland pump's."""
    low, high = work.each_case(board, [Case(4000.0, 200.0), Case(4000.0, 2000.0)])
    apart = abs(high.cathodic.settled_ua / low.cathodic.settled_ua - 1.0)
    others = howland.spreads(100)
    return [
        Row("current at 4 mA, 200 ohm to 2 kohm", "<= 0.3 % apart", f"{100 * apart:.3f} %", apart <= 0.003),
        Row(
            "the same of a Howland pump with 0.1 % resistors, 100 draws",
            "",
            f"{100 * statistics.median(others):.2f} % median, {100 * max(others):.2f} % worst",
        ),
    ]


def balance(board: Snapshot, runs: int = MONTE_CARLO) -> list[Row]:
    """Charge balance, nominal and over tolerances."""
    typical = abs(work.each_case(board, [Case()])[0].imbalance_share)
    drawn = work.each_seed(board, Case(), runs)
    worst = max(abs(run.imbalance_share) for run in drawn)
    gains = [run.cathodic.settled_ua / 4000.0 - 1.0 for run in drawn]
    above = max(_above(run) for run in drawn)
    return [
        Row(
            "net charge of a 4 mA, 214 us pulse, typical",
            "<= 0.1 %",
            f"{100 * typical:.3f} %",
            typical <= 0.001,
        ),
        Row(
            f"the same, worst of {runs} Monte Carlo runs",
            "<= 0.5 %",
            f"{100 * worst:.3f} %",
            worst <= 0.005,
        ),
        Row(
            "charge above the settled current in those runs, worst",
            "<= 0.1 nC",
            f"{above:.4f} nC",
            above <= 0.1,
        ),
        Row(
            "amplitude error in those runs, uncalibrated, without the DAC's own",
            "",
            f"{100 * min(gains):.2f} to {100 * max(gains):+.2f} %",
        ),
    ]


def ending(board: Snapshot) -> list[Row]:
    """Q's fall, and compliance."""
    lines, relays = off.by_lines(board), off.by_relays(board)
    nominal = compliance.volts_at_full_current(board)
    worst = compliance.volts_at_full_current(board, compliance.WORST)
    resistor = compliance.longest(board, 1e4, 1000.0, compliance.LARGE_UF, compliance.WORST)
    pair = compliance.longest(board, 1e4, 1000.0, 2.5)
    pair_worst = compliance.longest(board, 1e4, 1000.0, 2.5, compliance.WORST)
    return [
        Row(
            f"Q falls until the lead has < 1 uA, by the lines (worst of {off.SEEDS} draws)",
            "<= 20 us",
            f"{lines[0]:.2f} us ({lines[1]:.2f})",
            lines[1] <= 20.0,
        ),
        Row(
            "the same by the relays alone, gates stuck (slowest relay)",
            "<= 10 ms",
            f"{relays[0] / 1e3:.2f} ms ({relays[1] / 1e3:.2f})",
            relays[1] <= 10e3,
        ),
        Row(
            "compliance at 10 mA between the electrodes (worst tolerance)",
            ">= 11.5 V",
            f"{nominal:.2f} V ({worst:.2f})",
            worst >= 11.5,
        ),
        Row(
            "10 mA into a 1 kohm resistor, worst tolerance: holds for",
            "1000 us",
            f"{resistor:.0f} us",
            resistor >= 1000.0,
        ),
        Row(
            "10 mA into a pair of 1 kohm and 2.5 uF: holds for (worst tolerance)",
            "1000 us",
            f"{pair:.0f} us ({pair_worst:.0f})",
            pair_worst >= 1000.0,
        ),
    ]


def bath(board: Snapshot) -> list[Row]:
    """Both leads in one saline, and what the converter sees."""
    found = saline.both_leads(board)
    return [
        Row(
            "resting lead in the same saline, 4 mA in the other: charge that moves; net",
            "",
            f"{found.right_moved_nc:.2f} nC; {found.right_net_nc:.2f} nC",
        ),
        Row("its current's peak, at an edge, for nanoseconds", "", f"{found.right_peak_ua:.0f} uA"),
        Row(
            "V_LEFT and I_SENSE against V and I of that pulse, nominal parts",
            "",
            f"{100 * found.v_error_share:+.3f} %; {100 * found.i_error_share:+.3f} %",
        ),
    ]


def tried(board: Snapshot) -> list[Row]:
    """Two other ways to settle at 10 kohm, and what they cost elsewhere."""
    cases = [Case(100.0, 10_000.0), Case(4000.0, 500.0)]
    neutral = Changes(
        extra=[
            "Xneu l_p neu_fb p15v n15v neu_out opamp",
            "Rneu1 neu_fb 0 2k",
            "Rneu2 neu_out neu_fb 2k",
            "Rneu3 neu_out neu_c 100",
            "Cneu neu_c l_p 120p",
        ]
    )
    small = {"ron": 120.0, "coff": 1.5e-12, "qinj": 1e-12}
    lean = [*(f"U_L_BRIDGE_{k}" for k in range(4)), "U_IDLE_0", "U_IDLE2_0"]
    slim = Changes(params=dict.fromkeys(lean, small))
    rows = []
    for name, changes in (
        ("neutralised: an amplifier of 2 on the pump's output through 120 pF", neutral),
        ("a bridge of low capacitance (ADG1212: 120 ohm, 1.5 pF)", slim),
    ):
        high, low = work.each_case(board, cases, changes)
        volts = compliance.volts_at_full_current(board, changes)
        rows.append(
            Row(
                f"tried: {name}",
                "",
                f"10 kohm: {_settling(high):.1f} us; 4 mA, 500 ohm: {100 * _overshoot(low):.1f} % overshoot, "
                f"{_above(low):.2f} nC; compliance {volts:.1f} V",
            )
        )
    return rows


def table(board: Snapshot, runs: int = MONTE_CARLO) -> list[Row]:
    """Every row that SPICE gives."""
    return [
        *settling(board),
        *regulation(board),
        *balance(board, runs),
        *ending(board),
        *bath(board),
        *tried(board),
    ]
