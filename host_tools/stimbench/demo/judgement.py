"""The figures of the demonstration, each with its limit."""

from __future__ import annotations

import numpy as np
from stimfw.protocol import messages
from stimfw.therapy.ranges import LEADS

from stimbench.analysis import spread_of
from stimbench.demo.measured import LeadResult, Measured
from stimbench.demo.recording import Recording
from stimbench.report.metrics import YES_OR_NO, Metric, Relation, format_number, judge

__all__ = ("LIMIT", "judge_recording")

LIMIT = {
    "ready_s": 1.0,
    "pair_percent": 2.0,
    "mean_percent": 2.0,
    "timing_ns": 8.0,  # one system clock of the RP2040
    "amplitude_percent": 1.0,
    "amplitude_ua": 10.0,  # what the 1 % means below 1 mA
    "imbalance_percent": 1.0,
    "net_dc_na": 25.0,  # the cochlear industry's limit
    "own_percent": 5.0,
    "stop_ms": 5.0,
}
"""What this bench promises."""

_AT_MOST, _AT_LEAST, _EXACTLY = Relation.AT_MOST, Relation.AT_LEAST, Relation.EQUAL
_INFINITE = float("inf")
_WHOLE_JOB = (
    messages.RAMP_UP,
    messages.HOLD,
    messages.RAMP_DOWN,
    messages.REST,
    messages.RAMP_UP,
    messages.HOLD,
)


def judge_recording(recording: Recording, measured: Measured) -> list[Metric]:
    """Every figure, in the order in which the run goes."""
    return [
        *_boot(recording, measured),
        *_impedance(recording),
        *_session(recording, measured),
        *_timing(measured),
        *_current(recording, measured),
        *_stop(recording, measured),
        *_buses(recording),
    ]


def _boot(recording: Recording, measured: Measured) -> list[Metric]:
    ready_s = recording.marks.ready / 1e9 if recording.marks.ready >= 0 else _INFINITE
    failed = ", ".join(recording.failed_parts)
    return [
        judge(
            "Ready after power-on", ready_s, _AT_MOST, LIMIT["ready_s"], "s",
            "From power-on to the first answer over USB that says ready.",
        ),
        judge(
            "Self-test, parts that failed", len(recording.failed_parts), _EXACTLY, 0, "",
            failed or "DAC, matrix, radio, sense amplifiers, supply.",
        ),
        judge(
            "Edges on bridge pins while nothing was asked for", measured.early_edges, _EXACTLY, 0, "",
            "From power-on to the self-test, and from the end of the impedance measurement to START.",
        ),
    ]  # fmt: skip


def _buses(recording: Recording) -> list[Metric]:
    first = [*recording.bus_errors, "No contention; no SPI frame too fast, too short or in a wrong mode."][0]
    name = "Errors on the boards' buses and nets"
    return [judge(name, len(recording.bus_errors), _EXACTLY, 0, "", first)]


def _impedance(recording: Recording) -> list[Metric]:
    fitted = recording.fitted_ohm
    off = [
        (pair.ohm / fitted[pair.lead, pair.cathode, pair.anode] - 1) * 100
        for pair in recording.pairs
        if pair.kind == messages.KIND_OK
    ]
    return [
        judge(
            "Electrode pairs measured and found intact", len(off), _EXACTLY, len(fitted), "",
            "Every ordered pair of both leads.",
        ),
        judge(
            "Impedance error, worst pair", float(np.abs(off).max()) if off else _INFINITE,
            _AT_MOST, LIMIT["pair_percent"], "%", "Against the series resistance that is fitted.",
        ),
        judge(
            "Impedance error, mean of all pairs", abs(float(np.mean(off))) if off else _INFINITE,
            _AT_MOST, LIMIT["mean_percent"], "%", "A systematic error would show here.",
        ),
    ]  # fmt: skip


def _session(recording: Recording, measured: Measured) -> list[Metric]:
    seen = [state.state for state in recording.states]
    order = [state for index, state in enumerate(seen) if index == 0 or state != seen[index - 1]]
    steps = iter(order)
    reached = sum(1 for state in _WHOLE_JOB if state in steps)
    delivered = measured.start_packet_ns >= 0 and measured.green_ns > measured.start_packet_ns
    return [
        judge(
            "Amplitude after the electrodes were moved", recording.moved_ua, _EXACTLY, 0, "uA",
            "The stimulator zeroes it, whatever the programme says; it takes a second, deliberate setting.",
        ),
        judge(
            "START delivered by radio and confirmed", int(delivered), _EXACTLY, 1, YES_OR_NO,
            "After the press a REQUEST was in the air, then the remote's green LED lit.",
        ),
        judge(
            "States seen in order", reached, _EXACTLY, len(_WHOLE_JOB), "",
            "Ramp up, hold, ramp down, rest, and ramp up, hold of the next cycle, over USB.",
        ),
    ]  # fmt: skip


def _timing(measured: Measured) -> list[Metric]:
    figures = [
        judge(
            f"Therapy pulses, {name} lead", len(lead.pulses), _AT_LEAST, 1, "",
            "With both phases whole."
            + (f" {lead.cut} more, which STOP cut short, not counted." if lead.cut else ""),
        )
        for name, lead in zip(LEADS, measured.leads, strict=True)
    ]  # fmt: skip
    for label, field in (("Width", "width"), ("Gap", "gap"), ("Period", "period")):
        spread = spread_of(np.concatenate([getattr(lead.timing, field) for lead in measured.leads]))
        low, high = format_number(spread.minimum), format_number(spread.maximum)
        note = f"{spread.count} measured, {low} to {high} ns."
        figures.append(
            judge(
                f"{label} error, worst of all pulses", spread.worst, _AT_MOST, LIMIT["timing_ns"], "ns", note
            )
        )
    broken = sum(int((~lead.pulses["complete"]).sum()) + lead.orphans for lead in measured.leads)
    return [
        *figures,
        judge("Pulses without both phases", broken, _EXACTLY, 0, "", "Not counting one that STOP cut short."),
        judge(
            "Overlap of phases", measured.overlap_ns, _EXACTLY, 0, "ns",
            "Between the leads, and between the three switches of each bridge.",
        ),
    ]  # fmt: skip


def _current(recording: Recording, measured: Measured) -> list[Metric]:
    figures = []
    for index, (name, lead) in enumerate(zip(LEADS, measured.leads, strict=True)):
        wanted = recording.program.amplitude_ua[index]
        limit = max(LIMIT["amplitude_ua"], wanted * LIMIT["amplitude_percent"] / 100)
        figures += [
            judge(
                f"Amplitude error in the hold, {name} lead", _amplitude_error(lead, wanted),
                _AT_MOST, limit, "uA",
                f"Both phases of {int(lead.hold.sum())} pulses as measured, against the programmed "
                f"{wanted} uA; 1 % or 10 uA, the larger.",
            ),
            judge(
                f"Charge imbalance of a pulse, {name} lead", _imbalance(lead), _AT_MOST,
                LIMIT["imbalance_percent"], "%", "Net charge over that of a phase, without recharge.",
            ),
            judge(
                f"Net direct current, {name} lead", abs(lead.net_dc_na), _AT_MOST, LIMIT["net_dc_na"], "nA",
                "Through the electrodes over a whole cycle, passive recharge included.",
            ),
        ]  # fmt: skip
    return [*figures, _own_measurement(recording)]


def _own_measurement(recording: Recording) -> Metric:
    wanted = recording.program.amplitude_ua
    off = [abs(sample.current_ua / wanted[sample.lead] - 1) * 100 for sample in recording.samples]
    note = f"What the board's converter says of {len(off)} pulses in the hold, against the programme."
    return judge(
        "Error of the stimulator's own current measurement, worst pulse",
        max(off, default=_INFINITE), _AT_MOST, LIMIT["own_percent"], "%", note,
    )  # fmt: skip


def _amplitude_error(lead: LeadResult, wanted_ua: int) -> float:
    both = np.concatenate([lead.cathodic_ua[lead.hold], lead.anodic_ua[lead.hold]])
    return float(np.abs(both - wanted_ua).max()) if len(both) else _INFINITE


def _imbalance(lead: LeadResult) -> float:
    charge_nc = lead.cathodic_ua * lead.pulses["cathodic_ns"] * 1e-6
    share = np.abs(lead.imbalance_nc[lead.hold]) / charge_nc[lead.hold]
    return float(share.max()) * 100 if len(share) else _INFINITE


def _stop(recording: Recording, measured: Measured) -> list[Metric]:
    return [
        judge(
            "STOP packet to both bridges off", measured.off_after_stop_ns / 1e6,
            _AT_MOST, LIMIT["stop_ms"], "ms",
            "From the last bit of the STOP packet to the last moment that any bridge pin was high; "
            f"{measured.late_phases} phases began meanwhile.",
        ),
        judge(
            "Stopped by the remote, as the stimulator tells it",
            int(recording.stop_cause == messages.STOPPED_REMOTE), _EXACTLY, 1, YES_OR_NO,
            "The cause of the last stop, over USB.",
        ),
    ]  # fmt: skip
