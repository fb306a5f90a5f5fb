"""From what was recorded to a case's result: the programme's limits, and what its fault asks for."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
from stimfw.protocol import messages
from stimfw.therapy.ranges import ELECTRODES_A_LEAD, LEADS

from stimbench.analysis.edges import intervals
from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import current_name, has_current, has_switches
from stimbench.capture.capture import Capture
from stimbench.checks.cases import Case
from stimbench.checks.energy import add_energy
from stimbench.checks.judge import Verdict, judge_capture
from stimbench.checks.limits import CASE_LIMITS, FLOOR_UA
from stimbench.checks.on_bench import Recorded
from stimbench.checks.outcome import Finding, Measurement, Outcome, judged
from stimbench.checks.session import therapy_of

__all__ = ("judge_recorded",)

_STRAY_PERCENT = CASE_LIMITS["stray_percent"]
_DRIVEN = 0.2
_ALIKE = 0.02
_DRIVEN_UA = FLOOR_UA / 10
"""In a lead without an amplitude."""
_FIRST_PULSE_MS = 620
"""After START the first pulse comes by then, and a period later at most (docs/firmware.md)."""
_IN_SESSION = tuple(
    messages.STATE_NAMES[state]
    for state in (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST)
)
_ALL_PAIRS = tuple(permutations(range(ELECTRODES_A_LEAD), 2))
_IMPEDANCE_PERCENT = CASE_LIMITS["impedance_percent"]


def judge_recorded(case: Case, recorded: Recorded) -> Verdict:
    """The verdict over one case."""
    capture, expect = recorded.capture, case.fault.kind.expect
    if expect == "off" and recorded.fault_ns is not None:
        known_ns = max(capture.start_ns, recorded.fault_ns - round(recorded.fault_off_ms * 1e6))
        therapy = therapy_of(capture.between(capture.start_ns, known_ns), case.program).capture
        verdict = _before_the_fault(_whole_pulses(therapy, case), case)
        _add_off(verdict, recorded, recorded.fault_ns, case)
    else:
        therapy = therapy_of(capture, case.program).capture
        verdict = judge_capture(therapy, case.program, case.limits, from_start=True, partly=True)
        if expect == "open" and case.fault.electrodes[0] in _selected(case):
            _expect_open(verdict, case)
    add_energy(verdict, case.load.resistance_ohm, case.limits)
    if recorded.pairs:
        _add_impedance(verdict, case, recorded)
    if recorded.state:
        _add_state(verdict, case, recorded)
    return verdict


def _selected(case: Case) -> tuple[int, int]:
    """Cathode and anode of the lead that the fault breaks."""
    lead = LEADS.index(case.fault.lead)
    return case.program.cathode[lead], case.program.anode[lead]


def _whole_pulses(therapy: Capture, case: Case) -> Capture:
    """Without the pulse during which the fault came."""
    longest_ns = (2 * case.program.width_us + case.program.gap_us) * 1000
    return therapy.between(therapy.start_ns, therapy.end_ns - longest_ns)


def _before_the_fault(therapy: Capture, case: Case) -> Verdict:
    """The verdict over what came before a fault; of a lead whose first pulse was not due yet, none.

    What is there then is the test of the output, of another width.
    """
    verdict = judge_capture(therapy, case.program, case.limits, from_start=True, partly=True)
    lasted_ns = therapy.end_ns - therapy.start_ns
    if lasted_ns < (_FIRST_PULSE_MS + 2 * case.program.period_us / 1000) * 1e6:
        for lead, checked in verdict.leads.items():
            width_ns = checked.expected.width_ns
            if not np.any(np.abs(checked.train.pulses["cathodic_ns"] - width_ns) <= _ALIKE * width_ns):
                _forget(verdict, lead)
    return verdict


def _forget(verdict: Verdict, lead: str) -> None:
    verdict.measurements[:] = [each for each in verdict.measurements if each.lead != lead]
    verdict.findings[:] = [each for each in verdict.findings if each.lead != lead]
    for kind in [kind for kind in verdict.counts if kind.startswith(f"{lead} ")]:
        del verdict.counts[kind]


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
        _find(verdict, "output not off", "", fault_ns, told)


def _add_state(verdict: Verdict, case: Case, recorded: Recorded) -> None:
    """What the stimulator said of itself at the end: in its session, or out of it after a stop."""
    pulses, should = recorded.state in _IN_SESSION, case.fault.kind.expect != "off"
    is_wrong = pulses != should
    outcome = Outcome.FAIL if is_wrong else Outcome.PASS
    _measured(verdict, "wrong_state", float(is_wrong), "", CASE_LIMITS["wrong_state"], outcome, 1,
              f"it says {recorded.state}")  # fmt: skip
    if is_wrong:
        told = f"it says {recorded.state!r} {'in its session' if should else 'after it was stopped'}"
        _find(verdict, "wrong state", "", recorded.capture.end_ns, told)


def _last_on(capture: Capture, lead: str, case: Case) -> int:
    """When a lead was last driven, in ns; the begin of the capture if never."""
    if not has_current(capture, lead):
        names = [f"stimulator.{name}" for name in LEAD_SIGNALS[lead][:2]]
        phases = [intervals(capture.edges(name), capture.end_ns) for name in names]
        return int(np.concatenate(phases)[:, 1].max(initial=capture.start_ns))
    # A passive recharge begins with less than a tenth of the amplitude: 1 kohm against what 1 uF stored.
    least_ua = _DRIVEN * case.program.amplitude_ua[LEADS.index(lead)] or _DRIVEN_UA
    current = capture.current(current_name(lead))
    driven = np.maximum(np.abs(current.i0_ua), np.abs(current.i1_ua)) > least_ua
    return int(current.t1_ns[driven].max(initial=capture.start_ns))


def _expect_open(verdict: Verdict, case: Case) -> None:
    """A broken wire: the switches go on as ever, and no current may flow in that lead."""
    lead = case.fault.lead
    shapes = verdict.leads[lead].train.shapes if lead in verdict.leads else None
    level = case.program.amplitude_ua[LEADS.index(lead)]
    if not level:
        return  # nothing may flow there anyway, and the verdict says whether something does
    _forget_current(verdict, lead)
    if shapes is None:
        return
    flows = np.concatenate([np.abs(shapes.pulses[name]) for name in ("cathodic_ua", "anodic_ua")])
    value = float(np.nanmax(flows, initial=0.0)) / level * 100
    outcome = judged(value, None, _STRAY_PERCENT, 0.0)
    verdict.measurements.append(
        Measurement("stray_percent", lead, value, "%", None, _STRAY_PERCENT, 0.0, outcome, len(flows), None,
                    f"current through a broken wire, of the programme's ({current_name(lead)})")
    )  # fmt: skip
    if outcome is Outcome.FAIL:
        starts_ns = np.tile(verdict.leads[lead].train.pulses["start_ns"], 2)
        told = f"{value:.3g} % of the programme's current in a broken wire, {_STRAY_PERCENT:g} % allowed"
        _find(verdict, "stray current", lead, int(starts_ns[np.nanargmax(flows)]), told)


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
    at_ns, off, wrong = recorded.capture.start_ns, [], []
    found = {(pair.lead_name, pair.cathode, pair.anode): pair for pair in recorded.pairs}
    for lead, cathode, anode in ((lead, *pair) for lead in LEADS for pair in _ALL_PAIRS):
        label, ends = f"{lead} {cathode}-{anode}", {(lead, cathode), (lead, anode)} & broken
        wanted = _wanted_kind(case.fault.kind.expect, len(ends))
        pair = found.get((lead, cathode, anode))
        if pair is None:
            wrong.append(f"{label} was not measured")
        elif pair.kind_name not in wanted:
            wrong.append(f"{label} is {pair.kind_name}, not {' or '.join(wanted)}")
        elif pair.kind_name == "ok" and not (ends and case.fault.kind.expect == "short"):
            off.append(((pair.ohm / _expected_ohm(case, ends) - 1) * 100, label))
    value, label = max(off, key=lambda each: abs(each[0]), default=(math.nan, ""))
    outcome = judged(abs(value), None, _IMPEDANCE_PERCENT, 0.0) if off else None
    _measured(verdict, "impedance_percent", value, "%", _IMPEDANCE_PERCENT, outcome, len(off),
              "ohm of every intact pair, error against the load")  # fmt: skip
    if outcome is Outcome.FAIL:
        told = f"{label} is {value:+.3g} % off, {_IMPEDANCE_PERCENT:g} % allowed"
        _find(verdict, "impedance", "", at_ns, told)
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    _measured(verdict, "impedance_kinds", float(len(wrong)), "", 0.0, outcome, len(recorded.pairs),
              "pairs that are called otherwise than they are")  # fmt: skip
    for text in wrong:
        _find(verdict, "impedance", "", at_ns, text)


def _wanted_kind(expect: str, broken: int) -> tuple[str, ...]:
    """What a pair of which so many electrodes are broken may be called."""
    if not broken:
        return ("ok",)
    if expect == "short":
        # With one electrode of two that touch: by how much less it has depends on the double layer.
        return ("short",) if broken == 2 else ("ok", "short")
    return ("open",) if expect == "open" else ("ok", "open")


def _measured(
    verdict: Verdict,
    name: str,
    value: float,
    unit: str,
    limit: float,
    outcome: Outcome | None,
    count: int,
    note: str,
) -> None:
    verdict.measurements.append(
        Measurement(name, "", value, unit, None, limit, 0.0, outcome, count, None, note)
    )


def _find(verdict: Verdict, kind: str, lead: str, time_ns: int, text: str) -> None:
    verdict.findings.append(Finding(kind, lead, time_ns, text))
    label = f"{lead} {kind}".strip()
    verdict.counts[label] = verdict.counts.get(label, 0) + 1


def _expected_ohm(case: Case, broken: set[tuple[str, int]]) -> float:
    """Of a pair, of which one electrode may have a resistance of its own."""
    half = case.load.resistance_ohm / 2
    own = float(case.fault.words[1]) if case.fault.kind.expect == "high" else half
    return half * (2 - len(broken)) + own * len(broken)
