"""A recording, analysed once: the numbers that figures and pictures share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from stimfw.protocol import messages
from stimfw.telemetry import frames
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis import (
    Current,
    Timing,
    active_after,
    current_of,
    find_pulses,
    intervals,
    orphan_phases,
    overlaps,
    split_contractions,
    switches_of,
    timing_errors,
    union,
)
from stimbench.analysis.edges import Intervals
from stimbench.analysis.pulses import Pulses
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges
from stimbench.demo.recording import BRIDGES, Air, Recording

__all__ = ("LeadResult", "Measured", "measure")


_CLOCK_NS = 8
"""One clock of the RP2040: what lacks more is cut short, and no error of timing."""


@dataclass(frozen=True)
class LeadResult:
    """One lead's therapy pulses. Arrays have one value a pulse, in order of time."""

    pulses: Pulses
    cut: int
    """Pulses that STOP cut short: 0 or 1. A pulse that was whole all the same is among `pulses`."""
    orphans: int
    timing: Timing
    cathodic_ua: NDArray[np.float64]
    anodic_ua: NDArray[np.float64]
    imbalance_nc: NDArray[np.float64]
    hold: NDArray[np.bool_]
    """Whether the pulse is in the hold, where the programme's full amplitude belongs."""
    net_dc_na: float
    """Over one whole cycle, ramp up to rest."""
    current: Current


@dataclass(frozen=True)
class Measured:
    """All of a recording's results."""

    leads: tuple[LeadResult, ...]
    overlap_ns: int
    """Between the two leads' phases, and within each lead between any two of its three switches."""
    early_edges: int
    """Edges on bridge pins before anything was asked for, and between impedance and START."""
    start_packet_ns: int
    """End of the first REQUEST in the air after START was pressed, -1 if there was none."""
    stop_packet_ns: int
    """End of the first REQUEST in the air after STOP was pressed, -1 if there was none."""
    off_after_stop_ns: float
    """From there to the last moment that any bridge pin was high; infinite without a packet."""
    late_phases: int
    """Cathodic or anodic phases that began after that."""
    green_ns: int
    """When the remote's green LED first lit after START was pressed, -1 if never."""


def measure(recording: Recording) -> Measured:
    """Analyse a recording."""
    marks = recording.marks
    therapy = recording.capture.between(_therapy_start(recording), marks.end)
    closed = [_closed(therapy, name) for name in LEADS]
    stop_ns = _request_end(recording.air, marks.stop_pressed)
    return Measured(
        leads=tuple(_lead(recording, therapy, name, stop_ns) for name in LEADS),
        overlap_ns=_overlap_ns(closed),
        early_edges=_early_edges(recording),
        start_packet_ns=_request_end(recording.air, marks.start_pressed),
        stop_packet_ns=stop_ns,
        off_after_stop_ns=_off_after(closed, stop_ns),
        late_phases=sum(_begun_after(stop_ns, lead.cathodic, lead.anodic) for lead in closed),
        green_ns=_first_rise(recording.remote_edges("LED_GREEN"), marks.start_pressed),
    )


class _Closed(NamedTuple):
    """When each switch of a lead's bridge was closed during the therapy."""

    cathodic: Intervals
    anodic: Intervals
    recharge: Intervals


def _closed(therapy: Capture, lead: str) -> _Closed:
    return _Closed(*(intervals(edges, therapy.end_ns) for edges in switches_of(therapy, lead)))


def _therapy_start(recording: Recording) -> int:
    """When the electrode switches were last set before the first hold, or before STOP if no hold was seen.

    A session begins with a test of the output, whose currents cross the switches of one electrode. Only then
    are the programme's electrodes switched on, and the first therapy pulse comes after that. They are written
    again in each cycle, before its ramp up (docs/decisions/0060).
    """
    set_ns = recording.edges("MATRIX_CS").times_ns
    holds = [state.time_ns for state in recording.states if state.state == messages.HOLD]
    before = set_ns[set_ns < min([recording.marks.stop_pressed, *holds])]
    return max([recording.marks.start_pressed, *map(int, before[-1:])])


def _early_edges(recording: Recording) -> int:
    marks = recording.marks
    times = np.concatenate([recording.edges(signal).times_ns for lead in BRIDGES for signal in lead])
    idle = (times < marks.tested) | ((times >= marks.measured) & (times < marks.start_pressed))
    return int(idle.sum())


def _overlap_ns(closed: list[_Closed]) -> int:
    """Between the two leads' phases, and within each lead between any two of its three switches."""
    together = [overlaps(*(union(lead.cathodic, lead.anodic) for lead in closed))]
    together += [overlaps(*pair) for lead in closed for pair in combinations(lead, 2)]
    return sum(int((each[:, 1] - each[:, 0]).sum()) for each in together)


def _off_after(closed: list[_Closed], stop_ns: int) -> float:
    """From the end of the STOP packet to the last moment that any switch was closed; infinite without it."""
    if stop_ns < 0:
        return float("inf")
    return active_after(stop_ns, *(switch for lead in closed for switch in lead))


def _begun_after(time_ns: int, *phases: Intervals) -> int:
    return sum(int((each[:, 0] > time_ns).sum()) for each in phases)


def _first_rise(edges: Edges, after_ns: int) -> int:
    """When it first went high after a time, or -1."""
    later = edges.rises_ns[edges.rises_ns > after_ns]
    return int(later[0]) if len(later) else -1


def _request_end(air: list[Air], after_ns: int) -> int:
    """When the first REQUEST after a time had been sent, or -1. Nobody can read what it asks for."""
    for packet in air:
        if packet.start_ns >= after_ns and packet.kind == frames.REQUEST:
            return packet.end_ns
    return -1


def _lead(recording: Recording, therapy: Capture, name: str, stop_ns: int) -> LeadResult:
    programme = recording.program
    switches = switches_of(therapy, name)
    pulses, current = find_pulses(*switches), current_of(recording.capture, name)
    cut = _cut_short(pulses, programme, stop_ns)
    kept = pulses[~cut]
    rest_ns = max(programme.off_ms * 1_000_000 // 2, 3 * programme.period_us * 1000)
    return LeadResult(
        pulses=kept,
        cut=int(cut.sum()),
        orphans=orphan_phases(switches.cathodic, switches.anodic),
        timing=timing_errors(
            kept, programme.width_us * 1000, programme.gap_us * 1000, programme.period_us * 1000, rest_ns
        ),
        cathodic_ua=current.cathodic_ua(kept),
        anodic_ua=current.anodic_ua(kept),
        imbalance_nc=current.imbalance_nc(kept),
        hold=_in_hold(recording, kept, rest_ns),
        net_dc_na=_cycle_dc(current, kept, rest_ns),
        current=current,
    )


def _cut_short(pulses: Pulses, programme: Program, stop_ns: int) -> NDArray[np.bool_]:
    """Which pulses STOP cut short: they should have ended after its packet, and a phase lacks time.

    Many a pulse that had begun by then comes to its end before the bridges go off.
    """
    if stop_ns < 0:
        return np.zeros(len(pulses), dtype=np.bool_)
    width_ns, gap_ns = programme.width_us * 1000, programme.gap_us * 1000
    late = pulses["start_ns"] + 2 * width_ns + gap_ns > stop_ns
    shortest = np.minimum(pulses["cathodic_ns"], pulses["anodic_ns"])
    cut: NDArray[np.bool_] = late & (shortest < width_ns - _CLOCK_NS)
    return cut


def _in_hold(recording: Recording, pulses: Pulses, rest_ns: int) -> NDArray[np.bool_]:
    """Pulses from one period after the end of the ramp up to one period before the ramp down."""
    programme, hold = recording.program, np.zeros(len(pulses), dtype=np.bool_)
    first = 0
    for contraction in split_contractions(pulses, rest_ns):
        if len(contraction):
            since_us = (contraction["start_ns"] - contraction["start_ns"][0]) // 1000
            low = programme.ramp_up_ms * 1000 + programme.period_us
            high = (programme.ramp_up_ms + programme.on_ms) * 1000 - programme.period_us
            hold[first : first + len(contraction)] = (since_us >= low) & (since_us < high)
        first += len(contraction)
    return hold


def _cycle_dc(current: Current, pulses: Pulses, rest_ns: int) -> float:
    """From the first pulse of the first cycle to that of the second one, nA; infinite if either lacks."""
    starts = [int(each["start_ns"][0]) for each in split_contractions(pulses, rest_ns) if len(each)]
    return current.net_dc_na(starts[0], starts[1]) if len(starts) > 1 else float("inf")
