"""Cases on the emulated bench: each fault has its verdict, and a bench that does otherwise fails the case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stimbench.bench import BenchConfig
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments
from stimbench.checks.cases import Case, Load
from stimbench.checks.faults import FAULTS, parse_fault
from stimbench.checks.limits import Limits
from stimbench.checks.on_bench import Recorded, record
from stimbench.checks.outcome import Outcome
from stimbench.checks.session import therapy_of
from stimbench.checks.verdicts import judge_recorded
from stimbench.client.records import PairImpedance
from stimfw.protocol import messages
from stimfw.therapy.program import default
from support.captures import measured

PROGRAM = default().replaced(
    {"ramp_up_ms": 100, "ramp_down_ms": 100, "on_ms": 1000, "off_ms": 100,
     "left.amplitude_ua": 2000, "right.amplitude_ua": 3000}
)  # fmt: skip
MS = 1_000_000


def case_of(fault="none", **changes):
    program = PROGRAM.replaced(changes.pop("program", {}))
    return Case("a case", "a", {}, program, Limits(), fault=parse_fault(fault), fault_at_ms=400, **changes)


@pytest.fixture(scope="session")
def recorded():
    """`recorded(case)`: each is run once on a bench of its own."""
    kept = {}

    def run(case):
        key = str(case.as_payload())
        if key not in kept:
            kept[key] = record(case, {"stimulator": BenchConfig().firmware_path("stimulator")})
        return kept[key]

    return run


def with_channels(recorded, digital=None, analog=None, end_ns=None):
    """The same recording with other channels."""
    capture = recorded.capture
    known = {name: capture.edges(name) for name in capture.digital} | (digital or {})
    currents = {name: capture.current(name) for name in ("I_LEFT", "I_RIGHT") if name in capture.analog}
    currents |= analog or {}
    made = Capture(known, currents, start_ns=capture.start_ns, end_ns=end_ns or capture.end_ns,
                   origin=capture.origin)  # fmt: skip
    return replace(recorded, capture=made)


@pytest.mark.parametrize("gap_us", [0, 100])
def test_pulses_as_wide_as_the_self_tests_hold_and_only_they_are_the_therapy(recorded, gap_us):
    case = case_of(program={"width_us": 200, "gap_us": gap_us})
    verdict = judge_recorded(case, recorded(case))
    assert verdict.outcome is Outcome.PASS, verdict.reason
    whole = recorded(case).capture
    therapy = therapy_of(whole, case.program).capture
    alike = np.abs(np.diff(whole.edges("stimulator.L_CATH").times_ns)[::2] - 200_000) < 10
    assert alike.sum() > len(therapy.edges("stimulator.L_CATH").times_ns) / 2 + 20, "the test's are as wide"
    first_ns = judge_recorded(case, recorded(case)).leads["left"].train.pulses["start_ns"][0]
    assert first_ns == therapy.edges("stimulator.L_CATH").times_ns[0]


def test_a_session_without_a_fault_holds(recorded):
    case = case_of()
    verdict = judge_recorded(case, recorded(case))
    assert verdict.outcome is Outcome.PASS, verdict.reason
    assert (
        measured(verdict, "on_ms", "left").count >= 1 and measured(verdict, "net_dc_na", "right").count >= 1
    )
    assert not [each for each in verdict.measurements if each.name == "off_after_ms"]


def test_a_first_pulse_that_lacks_in_a_session_is_found(recorded):
    """A recording begins before START: its first contraction is whole, however soon it comes."""
    case = case_of()
    whole = recorded(case).capture
    begin_ns = int(judge_recorded(case, recorded(case)).leads["left"].train.pulses["start_ns"][0])
    names = [f"stimulator.{name}" for name in ("L_CATH", "L_ANOD", "L_SHORT")]
    digital = {name: _without(whole.edges(name), begin_ns, begin_ns + 10 * MS) for name in names}
    pieces = whole.current("I_LEFT")
    outside = (pieces.t0_ns < begin_ns) | (pieces.t0_ns > begin_ns + 10 * MS)
    analog = {
        "I_LEFT": Segments(*(getattr(pieces, each)[outside] for each in ("t0_ns", "t1_ns", "i0_ua", "i1_ua")))
    }
    verdict = judge_recorded(case, with_channels(recorded(case), digital, analog))
    (missing,) = [each for each in verdict.findings if each.kind == "missing pulse"]
    assert missing.time_ns == begin_ns and missing.lead == "left"


def _without(edges, begin_ns, end_ns):
    times = edges.times_ns
    keep = (times < begin_ns) | (times > end_ns)
    return (
        Edges(times[keep], edges.initial)
        if np.count_nonzero(~keep) % 2 == 0
        else Edges(np.delete(times, np.flatnonzero(~keep)[:-1]), edges.initial)
    )


# What must go off.


@pytest.mark.parametrize("fault", [name for name, kind in FAULTS.items() if kind.expect == "off"])
def test_the_output_goes_off_in_time(recorded, fault):
    case = case_of(fault)
    found = judge_recorded(case, recorded(case))
    assert found.outcome is Outcome.PASS, found.reason
    off = measured(found, "off_after_ms")
    assert 0 <= off.value <= off.high == case.fault.kind.off_within_ms
    assert measured(found, "missing", "left").value == 0 and measured(found, "width_ns", "left").count > 0


@pytest.mark.parametrize("fault", ["stop", "power off"])
def test_an_output_that_stays_on_after_the_fault_fails(recorded, fault):
    """Planted: the session of a bench to which the fault never came."""
    case, quiet = case_of(fault), case_of()
    session = recorded(quiet)
    fault_ns = recorded(case).fault_ns - recorded(case).capture.start_ns + session.capture.start_ns
    verdict = judge_recorded(case, replace(session, fault_ns=fault_ns))
    assert verdict.outcome is Outcome.FAIL and "output not off" in verdict.counts
    assert measured(verdict, "off_after_ms").value > 500
    (finding,) = [each for each in verdict.findings if each.kind == "output not off"]
    assert finding.time_ns == fault_ns and f"{case.fault.kind.off_within_ms:g} ms allowed" in finding.text


@pytest.mark.parametrize("lead", ["I_LEFT", "I_RIGHT"])
@pytest.mark.parametrize(
    ("late_ms", "outcome"), [(4.5, Outcome.PASS), (5.5, Outcome.FAIL), (280.0, Outcome.FAIL)]
)
def test_one_pulse_of_either_lead_too_late_fails(recorded, lead, late_ms, outcome):
    case = case_of("stop")
    session = recorded(case)
    at_ns = session.fault_ns + round(late_ms * MS) - 100_000
    level = PROGRAM.amplitude_ua[lead == "I_RIGHT"]
    known = [each for each in session.capture.current(lead) if each[1] <= at_ns]
    analog = {lead: Segments.of([*known, (at_ns, at_ns + 100_000, level, level)])}
    verdict = judge_recorded(case, with_channels(session, analog=analog))
    assert measured(verdict, "off_after_ms").outcome is outcome
    assert measured(verdict, "off_after_ms").value == pytest.approx(late_ms)


def test_without_a_current_the_switches_tell_when_it_went_off(recorded):
    case = case_of("stop")
    session = recorded(case)
    capture = session.capture.select(session.capture.digital, [])
    limits = case.limits.without(("amplitude_percent", "charge_percent"))
    timing = replace(case, limits=limits)
    assert (
        measured(judge_recorded(timing, replace(session, capture=capture)), "off_after_ms").outcome
        is Outcome.PASS
    )
    at_ns = session.fault_ns + 50 * MS
    stuck = Edges(np.append(capture.edges("stimulator.R_ANOD").times_ns, [at_ns]))
    held = replace(
        session,
        capture=with_channels(replace(session, capture=capture), {"stimulator.R_ANOD": stuck}).capture,
    )
    verdict = judge_recorded(timing, held)
    # A switch that is never opened again is on until the recording ends.
    assert measured(verdict, "off_after_ms").value == pytest.approx((capture.end_ns - session.fault_ns) / MS)


def test_how_well_the_moment_of_a_fault_is_known_counts(recorded):
    case = case_of("stop")
    session = recorded(case)
    after_ms = measured(judge_recorded(case, session), "off_after_ms").value
    unsure = judge_recorded(case, replace(session, fault_off_ms=20.0))
    assert measured(unsure, "off_after_ms").outcome is Outcome.MARGINAL
    assert measured(unsure, "off_after_ms").uncertainty == 20.0 and after_ms < 5


@pytest.mark.parametrize("at_ms", [1, 30, 155, 300, 450, 480, 520, 550, 620])
def test_a_fault_in_the_self_test_in_the_first_ramp_or_between_them_holds(recorded, at_ms):
    """Cut from one session: what came before the fault is judged as far as it goes."""
    case = replace(case_of("stop"), fault_at_ms=at_ms)
    session = recorded(case_of())
    fault_ns = session.capture.start_ns + at_ms * MS
    quiet = [each for each in session.capture.current("I_LEFT") if each[1] < fault_ns]
    other = [each for each in session.capture.current("I_RIGHT") if each[1] < fault_ns]
    cut = with_channels(session, analog={"I_LEFT": Segments.of(quiet), "I_RIGHT": Segments.of(other)})
    verdict = judge_recorded(case, replace(cut, fault_ns=fault_ns, state="ready"))
    assert verdict.outcome is Outcome.PASS, verdict.reason


@pytest.mark.parametrize(
    ("fault", "state", "outcome"),
    [
        ("stop", "ready", Outcome.PASS),
        ("stop", "fault", Outcome.PASS),
        ("stop", "hold", Outcome.FAIL),
        ("stop", "rest", Outcome.FAIL),
        ("none", "ramp up", Outcome.PASS),
        ("none", "ready", Outcome.FAIL),
    ],
)
def test_what_the_stimulator_says_of_itself_must_be_so(recorded, fault, state, outcome):
    case = case_of(fault)
    verdict = judge_recorded(case, replace(recorded(case), state=state))
    assert measured(verdict, "wrong_state").outcome is verdict.outcome is outcome
    assert (verdict.counts == {"wrong state": 1}) is (outcome is Outcome.FAIL)


def test_a_board_that_cannot_be_asked_is_judged_by_its_output_alone(recorded):
    case = case_of("hang")
    verdict = judge_recorded(case, recorded(case))
    assert "wrong_state" not in {each.name for each in verdict.measurements}
    assert verdict.outcome is Outcome.PASS


def test_a_lead_without_an_amplitude_is_not_asked_to_go_off_sooner(recorded):
    case = case_of("stop", program={"right.amplitude_ua": 0})
    session = recorded(case)
    pieces = [*session.capture.current("I_LEFT")]
    small = Segments.of([(session.fault_ns + 50 * MS, session.fault_ns + 60 * MS, 3.0, 1.0)])
    verdict = judge_recorded(case, with_channels(session, analog={"I_RIGHT": small}))
    assert pieces and measured(verdict, "off_after_ms").outcome is Outcome.PASS


# What goes on.


def test_a_jammed_channel_changes_no_pulse(recorded):
    case = case_of("jam")
    verdict = judge_recorded(case, recorded(case))
    assert verdict.outcome is Outcome.PASS, verdict.reason
    at_ns = recorded(case).fault_ns + 200 * MS
    capture = recorded(case).capture
    digital = {f"stimulator.{name}": _without(capture.edges(f"stimulator.{name}"), at_ns, at_ns + 50 * MS)
               for name in ("R_CATH", "R_ANOD", "R_SHORT")}  # fmt: skip
    planted = judge_recorded(case, with_channels(recorded(case), digital))
    assert planted.outcome is Outcome.FAIL and "right missing pulse" in planted.counts


def test_a_broken_wire_carries_no_current_and_is_named(recorded):
    case = case_of("open left.1")
    verdict = judge_recorded(case, recorded(case))
    assert verdict.outcome is Outcome.PASS, verdict.reason
    assert measured(verdict, "stray_percent", "left").outcome is Outcome.PASS
    assert measured(verdict, "impedance_kinds").outcome is Outcome.PASS
    assert measured(verdict, "amplitude_percent", "right").outcome is Outcome.PASS
    assert not [
        each for each in verdict.measurements if (each.name, each.lead) == ("amplitude_percent", "left")
    ]


def test_a_wire_that_is_not_broken_though_it_should_be_fails(recorded):
    """Planted: the session of a bench whose wire was whole."""
    case = case_of("open left.1")
    verdict = judge_recorded(case, replace(recorded(case_of()), pairs=recorded(case).pairs))
    assert verdict.outcome is Outcome.FAIL and verdict.counts == {"left stray current": 1}
    assert measured(verdict, "stray_percent", "left").value == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_current_in_one_phase_of_a_broken_wire_fails(recorded, sign):
    case = case_of("open left.1")
    session = recorded(case)
    pulses = judge_recorded(case, session).leads["left"].train.pulses
    begins = pulses["start_ns"] + (pulses["cathodic_ns"] if sign > 0 else 0)
    pieces = [(int(at), int(at) + 200_000, 60.0 * sign, 60.0 * sign) for at in begins[5:6]]
    verdict = judge_recorded(case, with_channels(session, analog={"I_LEFT": Segments.of(pieces)}))
    assert measured(verdict, "stray_percent", "left").outcome is Outcome.FAIL
    (finding,) = [each for each in verdict.findings if each.kind == "stray current"]
    assert finding.time_ns == pulses["start_ns"][5]


def test_a_broken_wire_that_the_programme_does_not_use_changes_nothing(recorded):
    case = case_of("open left.3")
    session = replace(recorded(case_of()), pairs=recorded(case_of("open left.1")).pairs)
    verdict = judge_recorded(case, session)
    assert measured(verdict, "amplitude_percent", "left").outcome is Outcome.PASS
    assert measured(verdict, "impedance_kinds").outcome is Outcome.FAIL  # other pairs are open than should be


def test_a_broken_wire_of_a_lead_without_an_amplitude_can_be_judged(recorded):
    case = case_of("open left.1", program={"left.amplitude_ua": 0})
    session = recorded(case_of("stop", program={"right.amplitude_ua": 0}))
    swapped = with_channels(
        session, analog={"I_LEFT": Segments.of([]), "I_RIGHT": session.capture.current("I_LEFT")}
    )
    verdict = judge_recorded(
        case, replace(swapped, fault_ns=None, pairs=recorded(case_of("open left.1")).pairs)
    )
    assert measured(verdict, "extra", "left").outcome is Outcome.PASS


# Impedances, which need no bench.


def pairs(changes=(), ohm=500):
    """What the board says of all pairs, with some changed: (lead, cathode, anode): (kind, ohm)."""
    changes = dict(changes)
    made = []
    for lead in (0, 1):
        for cathode in range(4):
            for anode in range(4):
                if cathode != anode:
                    kind, own = changes.get((lead, cathode, anode), ("ok", ohm))
                    made.append(
                        PairImpedance(lead, cathode, anode, messages.KIND_NAMES.index(kind), own, 0, 0)
                    )
    return made


def judged_pairs(recorded, fault, found):
    case = replace(case_of(fault), load=Load("500 ohm", 500.0))
    session = recorded(case_of("open left.1") if fault.startswith("open") else case_of())
    return judge_recorded(case, replace(session, pairs=found))


def both_ways(lead, one, others, value):
    return {pair: value for other in others for pair in ((lead, one, other), (lead, other, one))}


SHORTED = both_ways(0, 1, (2,), ("short", 0))


@pytest.mark.parametrize(
    ("fault", "changes", "percent", "kinds"),
    [
        ("none", {}, 0.0, 0),
        ("none", {(1, 2, 3): ("ok", 511)}, 2.2, 0),
        ("none", {(1, 2, 3): ("ok", 489)}, -2.2, 0),
        ("none", {(0, 1, 0): ("ok", 509), (1, 2, 3): ("ok", 491)}, 1.8, 0),
        ("none", {(0, 1, 0): ("ok", 0)}, -100.0, 0),
        ("none", {(0, 1, 0): ("open", 0)}, 0.0, 1),
        ("none", {(0, 1, 0): ("short", 0)}, 0.0, 1),
        ("none", {(0, 1, 0): ("not measured", 0)}, 0.0, 1),
        ("open left.1", both_ways(0, 1, (0, 2, 3), ("open", 0)), 0.0, 0),
        ("open left.1", both_ways(0, 1, (0, 2), ("open", 0)), 0.0, 2),
        ("open left.1", both_ways(1, 1, (0, 2, 3), ("open", 0)), 0.0, 12),
        ("short left.1 left.2", SHORTED | both_ways(0, 1, (0, 3), ("ok", 380)), 0.0, 0),
        ("short left.1 left.2", {}, 0.0, 2),
        ("short left.1 left.2", SHORTED | {(0, 0, 3): ("short", 0), (0, 0, 1): ("short", 0)}, 0.0, 1),
        ("resistance left.1 3000", both_ways(0, 1, (0, 2, 3), ("ok", 3250)), 0.0, 0),
        ("resistance left.1 3000", {}, 500 / 3250 * 100 - 100, 0),
        ("resistance left.1 3000", both_ways(0, 1, (0, 2, 3), ("short", 0)), 0.0, 6),
    ],
)  # fmt: skip
def test_impedances_against_the_load_and_the_fault(recorded, fault, changes, percent, kinds):
    verdict = judged_pairs(recorded, fault, pairs(changes))
    assert measured(verdict, "impedance_percent").value == pytest.approx(percent, abs=1e-6)
    assert measured(verdict, "impedance_percent").outcome is (
        Outcome.FAIL if abs(percent) > 2 else Outcome.PASS
    )
    assert measured(verdict, "impedance_kinds").value == kinds
    assert measured(verdict, "impedance_kinds").outcome is (Outcome.FAIL if kinds else Outcome.PASS)
    assert verdict.counts.get("impedance", 0) == kinds + (abs(percent) > 2)


def test_pairs_that_the_board_says_nothing_of_fail(recorded):
    verdict = judged_pairs(recorded, "none", pairs()[1:-1])
    assert measured(verdict, "impedance_kinds").value == 2
    assert [each.text for each in verdict.findings] == [
        "left 0-1 was not measured",
        "right 3-2 was not measured",
    ]


def test_energy_of_a_pulse_is_that_of_its_current_in_the_load(recorded):
    case = replace(case_of(), limits=Limits(energy_mj=0.002))
    verdict = judge_recorded(case, recorded(case_of()))
    # (2 mA)^2 and (3 mA)^2 in 500 ohm for 428 us.
    assert measured(verdict, "energy_mj", "left").value == pytest.approx(0.000856, rel=0.02)
    assert measured(verdict, "energy_mj", "right").value == pytest.approx(0.001926, rel=0.02)
    tight = replace(case, limits=Limits(energy_mj=0.001))
    found = judge_recorded(tight, recorded(case_of()))
    assert found.outcome is Outcome.FAIL and [each for each in found.findings if each.kind == "energy"]


def test_what_is_recorded_can_be_told_of(recorded):
    assert isinstance(recorded(case_of()), Recorded) and recorded(case_of()).firmware["stimulator"]
    assert recorded(case_of()).state and recorded(case_of("hang")).state == ""
