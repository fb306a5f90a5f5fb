"""Synthetic captures of a few seconds for tests of the checks, and faults that are planted in them."""

from dataclasses import replace

import numpy as np
from stimbench.analysis.synthetic import Recipe, Truth, make_capture, make_truth
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Segments
from stimbench.checks.judge import judge_capture
from stimbench.checks.limits import Limits
from stimfw.therapy.program import default
from stimfw.therapy.ranges import LEADS

BASE = {
    "seconds": 6.0,
    "ramp_ms": 400,
    "on_ms": 1000,
    "off_ms": 400,
    "digital_hz": 10_000_000,
    "noise_db": 60.0,
    "recharge_us": 100,
}
"""Three contractions of 36 pulses, the last one cut: as an analyser of 10 MS/s takes them."""
EXACT = {"digital_hz": 0, "noise_db": 0.0}
PULSES = 36
PERIOD_NS = 50_000_000

LIMITS = Limits(
    width_ns=300, gap_ns=300, period_ns=1000, jitter_ns=300, amplitude_percent=2, charge_percent=2,
    imbalance_percent=2.5, balance_percent=0.25, ramp_percent=2, rise_ns=False, overshoot_percent=False,
    net_dc_na=False,
)  # fmt: skip
NONE = dict.fromkeys(Limits.model_fields, False)
CURRENT_OFF = {
    name: False for name in Limits.model_fields if name.endswith(("percent", "na", "rise_ns", "mj"))
}
"""For what has no current."""


def recipe(**changes):
    return Recipe(**(BASE | changes))


def program_of(made, **changes):
    """The programme whose pulses the recipe makes."""
    return default().replaced(
        {
            "ramp_up_ms": made.ramp_ms, "ramp_down_ms": made.ramp_ms, "on_ms": made.on_ms or 60_000,
            "off_ms": made.off_ms, "rate_hz": made.rate_hz, "width_us": made.width_us, "gap_us": made.gap_us,
            "left.amplitude_ua": made.amplitude_ua[0], "right.amplitude_ua": made.amplitude_ua[1],
        }
        | changes
    )  # fmt: skip


def judged_by(made, truth=None, limits=LIMITS, program=None, **options):
    return judge_capture(make_capture(made, truth), program or program_of(made), limits, **options)


def kinds(verdict):
    return {each.kind for each in verdict.findings}


def found(verdict, kind, lead=""):
    """Times of the findings of a kind, in ns."""
    return [each.time_ns for each in verdict.findings if each.kind == kind and each.lead == lead]


def measured(verdict, name, lead=""):
    (one,) = [each for each in verdict.measurements if (each.name, each.lead) == (name, lead)]
    return one


def no_pulses(made):
    """A truth without any."""
    whole = make_truth(made)
    return Truth(
        {lead: each[:0] for lead, each in whole.pulses.items()},
        {lead: each[:0] for lead, each in whole.amplitudes_ua.items()},
    )


def insert(truth, lead, after, by_ns):
    """A pulse more, `by_ns` behind pulse `after`; when it begins."""
    pulses, levels = truth.pulses[lead], truth.amplitudes_ua[lead]
    more = pulses[after : after + 1].copy()
    more["start_ns"] += by_ns
    truth.pulses[lead] = np.insert(pulses, after + 1, more)
    truth.amplitudes_ua[lead] = np.insert(levels, after + 1, levels[after], axis=0)
    return int(more["start_ns"][0])


def exact_capture(made, truth):
    """The same currents as straight pieces, which are what the emulated bench records."""
    analog = {}
    for lead in LEADS:
        pieces = []
        for pulse, (cathodic, anodic) in zip(truth.pulses[lead], truth.amplitudes_ua[lead], strict=True):
            end = pulse["start_ns"] + pulse["cathodic_ns"]
            begin = end + pulse["gap_ns"]
            pieces += [(int(pulse["start_ns"]), int(end), -cathodic, -cathodic),
                       (int(begin), int(begin + pulse["anodic_ns"]), anodic, anodic)]  # fmt: skip
        analog[f"I_{lead.upper()}"] = Segments.of(pieces)
    sampled = make_capture(replace(made, digital_hz=0, analog_hz=0), truth)
    return Capture({name: sampled.edges(name) for name in sampled.digital}, analog, end_ns=sampled.end_ns)
