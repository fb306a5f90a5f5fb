"""Which cases a bench cannot run, and why: asked before the run, so that nothing is touched for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import current_name, has_current, has_switches
from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Edges
from stimbench.capture.quality import Needed, refusals
from stimbench.capture.samples import Samples
from stimbench.checks.cases import Case
from stimbench.checks.limits import CURRENT_MEASURES, TIMING_MEASURES, Limits
from stimbench.checks.single import needed_of
from stimbench.rig.capabilities import lacks_deed, lacks_load, lacks_signals
from stimbench.rig.entries import SigrokEntry
from stimbench.rig.file import BenchFile, WiredSource

__all__ = ("MARKERS", "limits_for", "needed_for", "not_run", "unmeasured")

MARKERS = {"magnet": "stimulator.MAGNET", "hang": "stimulator.KEEPALIVE", "power off": "stimulator.KEEPALIVE"}
"""By fault, the signal that tells in a capture when it came."""
_LEAST_IN_PHASE = 4
"""Samples of a current in the shortest phase: fewer have no plateau."""


def not_run(case: Case, file: BenchFile, attended: bool = False) -> str:
    """Why a bench cannot run a case.

    Args:
        case: the case.
        file: of the bench; an emulated one can run all of them.
        attended: whether a person can be asked to do something at the bench.

    Returns:
        `not run: ...`, or an empty text.
    """
    if file.is_emulated:
        return ""
    kind, load, program = case.fault.kind, case.load, case.program
    reasons = [
        lacks_load(file, load.name, load.resistance_ohm, {*program.cathode, *program.anode}, attended),
        lacks_deed(file, kind.needs, load.name, attended),
        lacks_signals(file, [MARKERS[kind.name]] if kind.name in MARKERS else []),
        _lacks_leads(case, file),
        *(reason for source in file.sources for reason in _too_coarse(case, source, file)),
    ]
    reason = next((each for each in reasons if each), "")
    return f"not run: {reason.rstrip('.')}" if reason else ""


def unmeasured(case: Case, recorded: Iterable[str]) -> list[str]:
    """The measures of a case that a bench cannot take, by the signals that it records."""
    signals = set(recorded)
    if any(current_name(lead) in signals for lead in _active(case)):
        return []
    return [name for name in CURRENT_MEASURES if case.limits.of(name) is not None]


def limits_for(case: Case, capture: Capture, has_timing_elsewhere: bool) -> Limits:
    """The limits of a case by which one capture of several is judged.

    Args:
        case: the case.
        capture: what one instrument recorded.
        has_timing_elsewhere: whether another capture has the switches, which tell times better.
    """
    limits = case.limits
    if not any(has_current(capture, lead) for lead in LEADS):
        limits = limits.without(CURRENT_MEASURES)
    if has_timing_elsewhere and not any(has_switches(capture, lead) for lead in LEADS):
        limits = limits.without(TIMING_MEASURES)
    return limits


def needed_for(case: Case, capture: Capture, limits: Limits, duration_ns: int = 0) -> Needed:
    """What a verdict over a case asks of a capture that one of several instruments made."""
    digital = [name for name in _switches(_active(case)) if name in capture.digital]
    wants = any(limits.of(name) is not None for name in CURRENT_MEASURES) or not digital
    analog = [current_name(lead) for lead in _active(case) if has_current(capture, lead)] if wants else []
    least_hz = _least_hz(case, limits, by_current=not digital) if analog else 0
    needed = needed_of(capture, case.program, limits)
    return replace(
        needed, digital=tuple(digital), analog=tuple(analog), duration_ns=duration_ns, least_hz=least_hz
    )


def _least_hz(case: Case, limits: Limits, by_current: bool) -> int:
    """How fast a current must be sampled.

    Where it alone tells when a phase begins and ends, each of the two may be a sample late. That is a share
    of the charge, and half the tolerance of the charge may be the instrument's.
    """
    in_phase = float(_LEAST_IN_PHASE)
    if by_current:
        charges = [limits.of(name) for name in ("charge_percent", "imbalance_percent")]
        narrow = min((each for each in charges if each), default=100.0)
        in_phase = max(in_phase, 2 * 2 * 100 / narrow)
    return round(in_phase * 1_000_000 / case.program.width_us)


def _active(case: Case) -> list[str]:
    return [lead for lead, level in zip(LEADS, case.program.amplitude_ua, strict=True) if level]


def _switches(leads: Iterable[str]) -> list[str]:
    return [f"stimulator.{name}" for lead in leads for name in LEAD_SIGNALS[lead][:2]]


def _lacks_leads(case: Case, file: BenchFile) -> str:
    """Each lead with an amplitude needs its switches or its current."""
    if not file.sources:
        return "the rig has no instrument"
    for lead in _active(case):
        if lacks_signals(file, _switches([lead])) and lacks_signals(file, [current_name(lead)]):
            names = " and ".join(_switches([lead]))
            return f"the rig records nothing of the {lead} lead: neither {names} nor {current_name(lead)}"
    left = case.limits.without(tuple(unmeasured(case, file.signals)))
    if not any(left.of(name) is not None for name in type(left).model_fields):
        return "all that the plan measures takes a current, and the rig records none"
    return ""


def _too_coarse(case: Case, source: WiredSource, file: BenchFile) -> list[str]:
    """Why an instrument, as it is set, cannot judge a case. An oscilloscope's rate is its own affair."""
    if not isinstance(source.entry, SigrokEntry):
        return []
    planned = _planned(source, source.entry)
    elsewhere = any(set(_switches(LEADS)) & set(each.digital) for each in file.sources if each is not source)
    limits = limits_for(case, planned, elsewhere)
    return refusals(planned, needed_for(case, planned, limits))


def _planned(source: WiredSource, entry: SigrokEntry) -> Capture:
    """A capture of this instrument without anything in it."""
    none = Edges(np.empty(0, np.int64))
    return Capture(
        dict.fromkeys(source.digital, none),
        {
            name: Samples.of([], 0, entry.rate_hz, "uA" if name.startswith("I_") else "V")
            for name in source.analog
        },
        end_ns=0, source=entry.name,
        origin=Origin(entry.name, digital_hz=entry.rate_hz, clock_ppm=entry.clock_ppm),
    )  # fmt: skip
