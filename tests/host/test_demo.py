"""The demonstration's judgement on a made-up run: it holds, and whatever goes wrong fails its figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stimbench.demo.judgement import judge_recording
from stimbench.demo.recording import BRIDGES
from stimbench.demo.run import make_report
from stimfw.protocol import messages
from support.demo_run import (
    GAP,
    MS,
    PACKET_NS,
    START,
    STOP,
    THERAPY,
    WIDTH,
    made_up_recording,
    packet,
    pulses,
)


@pytest.fixture
def recording():
    return made_up_recording()


def failed(recording):
    return {figure.name for figure in judge_recording(recording, recording.measured()) if not figure.passed}


def test_a_good_run_holds_in_every_figure(recording):
    assert failed(recording) == set()


def test_numbers_of_a_good_run(recording):
    found = {figure.name: figure.value for figure in judge_recording(recording, recording.measured())}
    assert found["Ready after power-on"] == pytest.approx(0.2)
    assert found["Impedance error, worst pair"] == pytest.approx(0.6)
    assert found["STOP packet to both bridges off"] == pytest.approx(1 - PACKET_NS / MS)
    assert found["Error of the stimulator's own current measurement, worst pulse"] == pytest.approx(0.5)
    assert found["Therapy pulses, left lead"] == len(list(pulses(0)))


def shift(signal, index, by_ns):
    def change(recording):
        edges = recording.changes[signal]
        edges[index] = (edges[index][0] + by_ns, edges[index][1])

    return change


def scale_current(lead, factor, phase=None):
    def change(recording):
        recording.currents[lead] = [
            (t0, t1, i0 * factor, i1 * factor) if phase in (None, i0 > 0) else (t0, t1, i0, i1)
            for t0, t1, i0, i1 in recording.currents[lead]
        ]

    return change


def leak(lead, ua):
    """A current for a millisecond in each rest between two pulses: no pulse shows it."""

    def change(recording):
        gaps = [(start + 10 * MS, start + 11 * MS, ua, ua) for start, _ in pulses(25 * MS * lead)]
        recording.currents[lead] = sorted(recording.currents[lead] + gaps)

    return change


def setting(**values):
    def change(recording):
        for name, value in values.items():
            setattr(recording, name, value)

    return change


def marks(**values):
    return lambda recording: setattr(recording, "marks", replace(recording.marks, **values))


def add_edges(signal, *edges):
    def change(recording):
        recording.changes[signal] = sorted(recording.changes[signal] + list(edges))

    return change


def drop_pulse(recording):
    for signal in BRIDGES[0][:2]:
        del recording.changes[signal][60:62]


def off_pair(ohm):
    def change(recording):
        recording.pairs[3] = replace(recording.pairs[3], ohm=ohm)

    return change


def all_pairs(ohm):
    return lambda recording: setattr(recording, "pairs", [replace(pair, ohm=ohm) for pair in recording.pairs])


TIMING = "{} error, worst of all pulses"
FAULTS = {
    "slow boot": (marks(ready=1001 * MS), {"Ready after power-on"}),
    "a part is missing": (setting(failed_parts=("dac",)), {"Self-test, parts that failed"}),
    "a pulse before START": (
        add_edges("L_SHORT", (2600 * MS, True), (2601 * MS, False)),
        {"Edges on bridge pins while nothing was asked for"},
    ),
    "one pair reads too high": (off_pair(530), {"Impedance error, worst pair"}),
    "one pair reads too low": (off_pair(470), {"Impedance error, worst pair"}),
    "all pairs read too high": (
        all_pairs(515), {"Impedance error, worst pair", "Impedance error, mean of all pairs"},
    ),
    "all pairs read too low": (
        all_pairs(485), {"Impedance error, worst pair", "Impedance error, mean of all pairs"},
    ),
    "an open pair": (
        lambda r: r.pairs.__setitem__(0, replace(r.pairs[0], kind=messages.KIND_OPEN)),
        {"Electrode pairs measured and found intact"},
    ),
    "electrodes moved, amplitude kept": (setting(moved_ua=25), {"Amplitude after the electrodes were moved"}),
    "no green LED": (
        lambda r: r.remote_changes.update(LED_GREEN=[]),
        {"START delivered by radio and confirmed"},
    ),
    "a state is missing": (lambda r: r.states.pop(2), {"States seen in order"}),
    "16 ns too wide": (shift("L_CATH", 1, 16), {TIMING.format("Width"), TIMING.format("Gap")}),
    "16 ns too narrow": (shift("L_CATH", 1, -16), {TIMING.format("Width"), TIMING.format("Gap")}),
    "a late pulse": (drop_pulse, {TIMING.format("Period")}),
    "no anodic phase": (
        lambda r: r.changes["R_ANOD"].__delitem__(slice(40, 42)),
        {"Pulses without both phases", TIMING.format("Width")},
    ),
    "bridges overlap": (
        add_edges("R_SHORT", (THERAPY + 25 * MS + 1000, True), (THERAPY + 25 * MS + 2000, False)),
        {"Overlap of phases"},
    ),
    "recharge before the anodic phase ends": (shift("L_SHORT", 20, -5000), {"Overlap of phases"}),
    "both leads anodic at once": (
        add_edges("R_ANOD", (THERAPY + WIDTH + GAP + 1000, True), (THERAPY + WIDTH + GAP + 2000, False)),
        {"Overlap of phases", "Pulses without both phases"},
    ),
    "2 % too much": (
        scale_current(0, 1.02),
        {"Amplitude error in the hold, left lead"},
    ),
    "2 % too little": (
        scale_current(1, 0.98),
        {"Amplitude error in the hold, right lead"},
    ),
    "too much anodic charge": (
        scale_current(1, 1.02, phase=True),
        {
            "Amplitude error in the hold, right lead",
            "Charge imbalance of a pulse, right lead",
            "Net direct current, right lead",
        },
    ),
    "too little anodic charge": (
        scale_current(0, 0.98, phase=True),
        {
            "Amplitude error in the hold, left lead",
            "Charge imbalance of a pulse, left lead",
            "Net direct current, left lead",
        },
    ),
    "cathodic current between the pulses": (
        leak(0, -200.0),
        {"Net direct current, left lead"},
    ),
    "anodic current between the pulses": (
        leak(1, 200.0),
        {"Net direct current, right lead"},
    ),
    "the board measures too little": (
        lambda r: r.samples.__setitem__(0, replace(r.samples[0], current_ua=1800)),
        {"Error of the stimulator's own current measurement, worst pulse"},
    ),
    "the board measures too much": (
        lambda r: r.samples.__setitem__(0, replace(r.samples[0], current_ua=2200)),
        {"Error of the stimulator's own current measurement, worst pulse"},
    ),
    "a slow stop": (shift("R_SHORT", -1, 5 * MS), {"STOP packet to both bridges off"}),
    "no STOP packet": (lambda r: r.air.__delitem__(3), {"STOP packet to both bridges off"}),
    "a contention": (
        setting(bus_errors=("stimulator: MAGNET: two drivers disagree",)),
        {"Errors on the boards' buses and nets"},
    ),
    "stopped by something else": (
        setting(stop_cause=messages.STOPPED_FAULT),
        {"Stopped by the remote, as the stimulator tells it"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_its_figures_and_no_other(recording, fault):
    change, expected = FAULTS[fault]
    change(recording)
    assert failed(recording) == expected


def test_a_pulse_that_stop_cuts_short_is_not_judged(recording):
    end = STOP + 5 * MS + PACKET_NS + 100_000
    add_edges("L_CATH", (end - 150_000, True), (end, False))(recording)
    recording.changes["L_SHORT"] = [edge for edge in recording.changes["L_SHORT"] if edge[0] < end - 150_000]
    recording.changes["L_SHORT"].append((end - 160_000, False))
    assert recording.measured().leads[0].cut == 1
    assert failed(recording) == set()


def test_a_pulse_that_stop_came_too_late_for_is_whole_and_counted(recording):
    """It began before the bridges went off, and both of its phases came to their end."""
    stop_ns = STOP + 5 * MS + PACKET_NS
    for edge in ("L_CATH", "L_ANOD"):
        shift_ns = 0 if edge == "L_CATH" else WIDTH + GAP
        at = stop_ns - 100_000 + shift_ns
        add_edges(edge, (at, True), (at + WIDTH, False))(recording)
    recording.changes["L_SHORT"][-1] = (stop_ns - 112_000, False)
    left = recording.measured().leads[0]
    assert (len(left.pulses), left.cut) == (len(list(pulses(0))) + 1, 0)
    notes = {figure.name: figure.note for figure in judge_recording(recording, recording.measured())}
    assert notes["Therapy pulses, left lead"] == "With both phases whole."


@pytest.mark.parametrize("phase", ["L_CATH", "L_ANOD"])
def test_a_phase_that_lacks_time_is_what_stop_cut(recording, phase):
    stop_ns = STOP + 5 * MS + PACKET_NS
    start = stop_ns - 100_000
    cathodic_ns = WIDTH - 10_000 if phase == "L_CATH" else WIDTH
    add_edges("L_CATH", (start, True), (start + cathodic_ns, False))(recording)
    if phase == "L_ANOD":
        add_edges("L_ANOD", (start + WIDTH + GAP, True), (start + WIDTH + GAP + WIDTH - 16, False))(recording)
    recording.changes["L_SHORT"][-1] = (start - 12_000, False)
    left = recording.measured().leads[0]
    assert (len(left.pulses), left.cut) == (len(list(pulses(0))), 1)
    notes = {figure.name: figure.note for figure in judge_recording(recording, recording.measured())}
    assert notes["Therapy pulses, left lead"] == (
        "With both phases whole. 1 more, which STOP cut short, not counted."
    )


def test_a_stop_from_before_the_session_is_not_taken_for_this_one(recording):
    recording.air.insert(0, packet(START - 500 * MS))
    assert failed(recording) == set()


def test_an_empty_run_fails_and_still_makes_no_crash(recording):
    for signal in recording.changes:
        recording.changes[signal] = []
    recording.currents = [[], []]
    assert {"Therapy pulses, left lead", TIMING.format("Width"), "Net direct current, left lead"} <= failed(
        recording
    )


def test_the_report_of_a_run_tells_all_and_is_reproducible(recording):
    report = make_report(recording, recording.measured())
    assert report.passed
    assert [picture.title for picture in report.pictures] == [
        "One pulse of the left lead",
        "Contraction", "STOP by radio", "Lead impedance", "Timing errors",
    ]  # fmt: skip
    facts = dict(report.facts)
    assert facts["Firmware, stimulator"] == "0.1.0 (abc)" and facts["Command"] == "stimbench demo --seed 1"
    assert facts["Radio"].startswith("1 HELLO, 1 CHALLENGE, 2 REQUEST, 1 REPLY: sealed")
    assert any("misses of the flash cache at 56 cycles each" in caveat for caveat in report.caveats)
    assert report.extra["timing_ns"]["left"]["width"]["count"] == 2 * len(list(pulses(0)))
    again = make_report(recording, recording.measured())
    assert report.pictures == again.pictures
    assert facts["Leads"] == (
        "left: cathode 2, anode 1, programmed 2000 uA; right: cathode 3, anode 0, programmed 3000 uA"
    )
