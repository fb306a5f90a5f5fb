"""What the board says of its own session, against what instruments saw of it.

The board measures every pulse that it gives. Where its firmware is a little wrong, a verdict finds that. If
an instrument saw another session altogether, it looked at other wires.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import current_name
from stimbench.capture.capture import Capture
from stimbench.client.stimulator import Stimulator

__all__ = ("Account", "account_of", "contradictions")

_TIMES = 3
"""So many times as many pulses as the board gave, or as few, are another session."""
_FEW = 20
"""Pulses that may be more or less: the begin and the end of the recording."""
_TEST_PULSES = 52
"""On each lead, of the self-test before a session (docs/decisions/0060); no part of what the board counts."""
_CURRENT_SHARE = 0.1
"""Of the current that the board measured: an instrument that saw less is not in that lead."""
_LEAST_UA = 100.0
"""What the board measures below this says nothing."""
_KEEPALIVE = "stimulator.KEEPALIVE"


@dataclass(frozen=True)
class Account:
    """What the board says.

    Attributes:
        pulses: that it gave on each lead in the session.
        current_ua: the largest magnitude among its newest ones, by lead.
    """

    pulses: int
    current_ua: dict[str, float]


def account_of(stimulator: Stimulator) -> Account:
    """Ask the board; errors as of Stimulator."""
    newest = stimulator.pulses()
    found = {
        lead: max((float(abs(each.current_ua)) for each in newest if each.lead_name == lead), default=0.0)
        for lead in LEADS
    }
    return Account(stimulator.pulse_count() // len(LEADS), found)


def contradictions(capture: Capture, account: Account) -> Iterator[str]:
    """Why a capture cannot be of this session: one sentence a reason."""
    if _KEEPALIVE in capture.digital and account.pulses and not len(capture.edges(_KEEPALIVE)):
        yield f"{capture.source} saw no edge of {_KEEPALIVE} while the board pulsed: is it wired there?"
    yield from _on_one_wire(capture)
    for lead in LEADS:
        name = f"stimulator.{LEAD_SIGNALS[lead][0]}"
        if name in capture.digital:
            seen = len(capture.edges(name).rises_ns)
            most = _TIMES * account.pulses + _TEST_PULSES + _FEW
            if seen > most or _TIMES * (seen + _FEW) < account.pulses:
                yield (
                    f"{capture.source} saw {seen} pulses on {name}, and the board gave {account.pulses}: "
                    f"is it wired there?"
                )
        measured = account.current_ua[lead]
        if current_name(lead) in capture.analog and measured > _LEAST_UA:
            flowed = _largest_ua(capture, current_name(lead))
            if flowed < _CURRENT_SHARE * measured:
                yield (
                    f"{capture.source} saw at most {flowed:.0f} uA on {current_name(lead)}, and the board "
                    f"measured {measured:.0f} uA: is it wired there?"
                )


def _on_one_wire(capture: Capture) -> Iterator[str]:
    """Two signals of a stimulator never have the same edges."""
    known = [(name, capture.edges(name).times_ns) for name in capture.digital]
    for (one, times), (other, others) in combinations(known, 2):
        if len(times) > _FEW and np.array_equal(times, others):
            yield f"{capture.source} saw the same edges on {one} and {other}: are they on one wire?"


def _largest_ua(capture: Capture, name: str) -> float:
    samples = capture.samples(name)
    if samples is not None:
        return max((float(np.abs(values).max(initial=0)) for _, values in samples), default=0.0)
    pieces = capture.current(name)
    return float(np.abs(np.concatenate([pieces.i0_ua, pieces.i1_ua])).max(initial=0))
