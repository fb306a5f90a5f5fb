"""Which channels of a capture belong to a lead, and what is found in them."""

from __future__ import annotations

from typing import NamedTuple

from stimbench.analysis.current import Current
from stimbench.analysis.pulses import Pulses, find_pulses
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges

__all__ = ("LEAD_SIGNALS", "Switches", "current_of", "pulses_of", "switches_of")

LEAD_SIGNALS = {"left": ("L_CATH", "L_ANOD", "L_SHORT"), "right": ("R_CATH", "R_ANOD", "R_SHORT")}
"""By lead, in the order of stimfw.therapy.ranges.LEADS: the signals of its bridge."""
_BOARD = "stimulator"


class Switches(NamedTuple):
    """The three switches of a lead's bridge.

    Attributes:
        cathodic, anodic: of the phases.
        recharge: of the passive recharge.
    """

    cathodic: Edges
    anodic: Edges
    recharge: Edges


def switches_of(capture: Capture, lead: str) -> Switches:
    """The switches of the lead `left` or `right`.

    Raises:
        NoChannelError: the capture lacks one.
    """
    return Switches(*(capture.edges(f"{_BOARD}.{signal}") for signal in LEAD_SIGNALS[lead]))


def pulses_of(capture: Capture, lead: str) -> Pulses:
    """The pulses of the lead `left` or `right`: shape (n,), dtype PULSE. One that began before is left out.

    Raises:
        NoChannelError: the capture lacks a switch of the lead.
    """
    return find_pulses(*switches_of(capture, lead))


def current_of(capture: Capture, lead: str) -> Current:
    """The current through the lead `left` or `right`.

    Raises:
        NoChannelError: the capture does not have it.
    """
    return Current(capture.current(f"I_{lead.upper()}"))
