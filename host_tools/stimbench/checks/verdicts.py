"""From what was recorded to a case's result: the programme's limits, and what its fault asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.edges import intervals
from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import current_name, has_current, has_switches
from stimbench.capture.capture import Capture
from stimbench.checks.cases import Case
from stimbench.checks.energy import add_energy
from stimbench.checks.judge import Verdict, judge_capture
from stimbench.checks.limits import CASE_LIMITS, HOLD_MEASURES
from stimbench.checks.on_bench import Recorded
from stimbench.checks.outcome import Finding, Measurement, Outcome, judged
from stimbench.checks.session import therapy_of

__all__ = ("judge_recorded",)

_STRAY_PERCENT = CASE_LIMITS["stray_percent"]
_DRIVEN = 0.2
_IMPEDANCE_PERCENT = CASE_LIMITS["impedance_percent"]


def judge_recorded(case: Case, recorded: Recorded) -> Verdict:
    """The verdict over one case."""
    capture, expect = recorded.capture, case.fault.kind.expect
    if expect == "off" and recorded.fault_ns is not None:
        known_ns = max(capture.start_ns, recorded.fault_ns - round(recorded.fault_off_ms * 1e6))
        therapy = therapy_of(capture.between(capture.start_ns, known_ns), case.program).capture
        verdict = judge_capture(_whole_pulses(therapy, case), case.program, case.limits)
        _expect_no_hold_yet(verdict, known_ns)
        _add_off(verdict, recorded, recorded.fault_ns, case)
    else:
        therapy = therapy_of(capture, case.program).capture
        verdict = judge_capture(therapy, case.program, case.limits)
        if expect == "open" and case.fault.electrodes[0] in _selected(case):
            _expect_open(verdict, case)
    add_energy(verdict, case.load.resistance_ohm, case.limits)
    if recorded.pairs:
        _add_impedance(verdict, case, recorded)
    return verdict


def _selected(case: Case) -> tuple[int, int]:
    """Cathode and anode of the lead that the fault breaks."""
    lead = LEADS.index(case.fault.lead)
    return case.program.cathode[lead], case.program.anode[lead]


def _whole_pulses(therapy: Capture, case: Case) -> Capture:
    """Without the pulse during which the fault came."""
    longest_ns = (2 * case.program.width_us + case.program.gap_us) * 1000
    return therapy.between(therapy.start_ns, therapy.end_ns - longest_ns)


def _expect_no_hold_yet(verdict: Verdict, fault_ns: int) -> None:
    """A fault in the first ramp: no pulse had the full amplitude yet, so nothing can be said of one."""
    for lead, checked in verdict.leads.items():
        begins, expected = checked.placed.begins_ns, checked.expected
        held_ns = (begins[0] if len(begins) else 0) + (expected.up + 1) * expected.period_ns
        if fault_ns >= held_ns:
            continue
        verdict.measurements[:] = [
            replace(each, outcome=None) if each.lead == lead and each.name in HOLD_MEASURES and not each.count
            else each
            for each in verdict.measurements
        ]  # fmt: skip


def _add_off(verdict: Verdict, recorded: Recorded, fault_ns: int, case: Case) -> None:
    """How long the output was on after the fault: by the currents, or for want of them by the switches."""
    within_ms, capture, off_ms = case.fault.kind.off_within_ms, recorded.capture, recorded.fault_off_ms
    seen = [lead for lead in LEADS if has_current(capture, lead) or has_switches(capture, lead)]
    last_ns = max([fault_ns, *(_last_on(capture, lead, case) for lead in seen)])
    late_ms = (last_ns - fault_ns) / 1e6
    outcome = judged(late_ms, None, within_ms, off_ms)
    verdict.measurements.append(
        Measurement("off_after_ms", "", late_ms, "ms", None, within_ms, off_ms, outcome, 1, fault_ns,
                    "from the fault to the last driven current of either lead")
    )  # fmt: skip
    if outcome is Outcome.FAIL:
        told = f"a lead was driven {late_ms:.4g} ms after the fault, {within_ms:g} ms allowed"
        verdict.findings.append(Finding("output not off", "", fault_ns, told))
        verdict.counts["output not off"] = 1


def _last_on(capture: Capture, lead: str, case: Case) -> int:
    """When a lead was last driven, in ns; the begin of the capture if never."""
    if not has_current(capture, lead):
        names = [f"stimulator.{name}" for name in LEAD_SIGNALS[lead][:2]]
        phases = [intervals(capture.edges(name), capture.end_ns) for name in names]
        return int(np.concatenate(phases)[:, 1].max(initial=capture.start_ns))
    # A passive recharge begins with less than a tenth of the amplitude: 1 kohm against what 1 uF stored.
    least_ua = _DRIVEN * case.program.amplitude_ua[LEADS.index(lead)]
    current = capture.current(current_name(lead))
    driven = np.maximum(np.abs(current.i0_ua), np.abs(current.i1_ua)) > least_ua
    return int(current.t1_ns[driven].max(initial=capture.start_ns))


def _expect_open(verdict: Verdict, case: Case) -> None:
    """A broken wire: the switches go on as ever, and no current may flow in that lead."""
    lead = case.fault.lead
    shapes = verdict.leads[lead].train.shapes if lead in verdict.leads else None
    _forget_current(verdict, lead)
    if shapes is None:
        return
    level = case.program.amplitude_ua[LEADS.index(lead)]
    flows = np.abs(shapes.pulses["cathodic_ua"])
    value = float(np.nanmax(flows, initial=0.0)) / level * 100
    outcome = judged(value, None, _STRAY_PERCENT, 0.0)
    verdict.measurements.append(
        Measurement("stray_percent", lead, value, "%", None, _STRAY_PERCENT, 0.0, outcome, len(flows), None,
                    f"current through a broken wire, of the programme's ({current_name(lead)})")
    )  # fmt: skip


def _forget_current(verdict: Verdict, lead: str) -> None:
    """What cannot hold in a lead whose wire is broken: its current, and the counts that rest on it."""
    about = ("amplitude", "charge", "imbalance", "balance", "ramp", "rise", "overshoot", "net_dc")
    verdict.measurements[:] = [
        each for each in verdict.measurements if each.lead != lead or not each.name.startswith(about)
    ]
    kinds = (*about[:-2], "ramp step", "overshoot", "net direct current")
    verdict.findings[:] = [each for each in verdict.findings if each.lead != lead or each.kind not in kinds]
    for kind in kinds:
        verdict.counts.pop(f"{lead} {kind}", None)


def _add_impedance(verdict: Verdict, case: Case, recorded: Recorded) -> None:
    """Each pair's impedance: of intact ones the ohm, of broken ones what they are called."""
    broken = {(case.fault.lead, each) for each in case.fault.electrodes}
    expect = case.fault.kind.expect
    off = []
    wrong = []
    for pair in recorded.pairs:
        ends = {(pair.lead_name, pair.cathode), (pair.lead_name, pair.anode)}
        wanted = "ok"
        if expect == "open" and ends & broken:
            wanted = "open"
        elif expect == "short" and ends == broken:
            wanted = "short"
        elif expect == "short" and ends & broken:
            continue  # two electrodes side by side: by how much less depends on the double layer
        ohm = _expected_ohm(case, ends & broken)
        if pair.kind_name != wanted and not (wanted == "ok" and expect == "high" and ends & broken):
            wrong.append(f"{pair.lead_name} {pair.cathode}-{pair.anode} is {pair.kind_name}, not {wanted}")
        elif wanted == "ok" and pair.ohm:
            off.append((pair.ohm / ohm - 1) * 100)
    value = float(max(off, key=abs, default=0.0))
    outcome = judged(abs(value), None, _IMPEDANCE_PERCENT, 0.0)
    verdict.measurements.append(
        Measurement("impedance_percent", "", value, "%", None, _IMPEDANCE_PERCENT, 0.0, outcome, len(off),
                    None, "ohm of every intact pair, error against the load")
    )  # fmt: skip
    verdict.measurements.append(
        Measurement("impedance_kinds", "", float(len(wrong)), "", None, 0.0, 0.0,
                    judged(float(len(wrong)), None, 0.0, 0.0), len(recorded.pairs), None,
                    "pairs that are called otherwise than they are")
    )  # fmt: skip
    for text in wrong:
        verdict.findings.append(Finding("impedance", "", recorded.capture.start_ns, text))


def _expected_ohm(case: Case, broken: set[tuple[str, int]]) -> float:
    """Of a pair, of which one electrode may have a resistance of its own."""
    half = case.load.resistance_ohm / 2
    own = float(case.fault.words[1]) if case.fault.kind.expect == "high" else half
    return half * (2 - len(broken)) + own * len(broken)
