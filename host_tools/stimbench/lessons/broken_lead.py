"""Lesson 5, a lead that breaks: what the stimulator measures in its pulses, and what it makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from stimfw.protocol import messages

from stimbench.client.records import PairImpedance, PulseSample
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.report.style import ACCENT, INK, LEAD_COLORS, MUTED, Chart

__all__ = ("STEPS",)

_UA = 2000  # of the listing, on both leads
_CURRENT_OFF_UA = 60  # the converter sees steps of 5 uA, and noise
_HEALTHY_V = 1.038 + 0.068  # 2000 uA x 519 ohm, and 2/5 of the slope: the sample at two fifths of the phase
_PUMP_V, _PUMP_OFF_V = 15.0, 0.2
_SHORT_V = 0.038  # 2000 uA x 19 ohm of two switches
_VOLTS_OFF_V = 0.06

Seen = Sequence[tuple[str, str, list[PulseSample]]]
"""For each second: the fault, the stimulator's state in words, what it measured on the left lead."""


def what_it_sees(seen: Seen) -> Findings:
    """Mean current and voltage of each fault, and whether anything stopped."""
    samples = {fault: pulses for fault, _, pulses in seen}
    ua = {fault: float(np.mean([each.current_ua for each in pulses])) for fault, pulses in samples.items()}
    mv = {fault: float(np.mean([each.early_mv for each in pulses])) for fault, pulses in samples.items()}
    lost = sum(each.current_ua < _UA / 2 for each in samples["loose"])
    volts = {fault: value / 1000 for fault, value in mv.items()}
    holds = sum(state == "hold" for _, state, _ in seen)
    near_ua, near_v = _CURRENT_OFF_UA, _VOLTS_OFF_V
    numbers = {
        "healthy_ua": Number("current, healthy", ua["none"], "uA", 0, _UA, near_ua, "programme"),
        "healthy_v": Number("voltage, healthy", volts["none"], "V", 2, _HEALTHY_V, near_v, "Ohm's law"),
        "open_ua": Number("current, open", ua["open"], "uA", 0, 0, near_ua, "no way"),
        "open_v": Number(
            "voltage, open", volts["open"], "V", 1, _PUMP_V, _PUMP_OFF_V, "all that the pump has"
        ),
        "short_ua": Number("current, short", ua["short"], "uA", 0, _UA, near_ua, "programme"),
        "short_v": Number("voltage, short", volts["short"], "V", 2, _SHORT_V, near_v, "19 ohm of switches"),
        "lost": Number("pulses lost to the loose contact", lost, "", 0),
        "loose_pulses": Number("pulses in its second", len(samples["loose"]), "", 0, 20, 1, "20 Hz"),
        "holds": Number("seconds that ended in the hold", holds, "", 0, len(seen), 0, "it goes on"),
    }
    return Findings(numbers, _picture(seen))


def _picture(seen: Seen) -> Drawing:
    ua = [float(each.current_ua) for _, _, pulses in seen for each in pulses]
    mv = [float(each.early_mv) for _, _, pulses in seen for each in pulses]
    ends = np.cumsum([len(pulses) for _, _, pulses in seen])

    def paint(drawn: Any, _: Any) -> None:
        current, volts = drawn.subplots(2, 1, sharex=True)
        current.axhline(_UA / 1000, color=MUTED, linestyle=":", linewidth=1.5, label="programmed")
        current.plot(np.array(ua) / 1000, ".", color=LEAD_COLORS[0], label="measured")
        current.set(ylabel="current, mA", ylim=(-0.3, _UA / 1000 * 1.5))
        current.legend(loc="upper right", ncols=2)
        volts.plot(np.array(mv) / 1000, ".", color=INK)
        volts.set(ylabel="voltage, V", xlabel="pulse of the left lead", ylim=(-1.5, 19))
        for (fault, _state, pulses), end in zip(seen, ends, strict=True):
            name = "healthy" if fault == "none" else fault
            volts.text(end - len(pulses) / 2, 17, name, ha="center", va="center", color=ACCENT)
            for axes in (current, volts):
                axes.axvline(end - 0.5, color=MUTED, linewidth=0.8)

    return Drawing("5-faults.svg", Chart("Four seconds", "", "", (340, 340), paint), {"ua": ua, "mv": mv})


def which_pairs(pairs: Sequence[PairImpedance]) -> Findings:
    """How many pairs the measurement after the session names, of which kind."""
    kinds = [(pair.lead_name, pair.kind) for pair in pairs]
    return Findings(
        {
            "open_pairs": Number(
                "open pairs, left lead",
                kinds.count(("left", messages.KIND_OPEN)),
                "",
                0,
                6,
                0,
                "2 x 3 partners",
            ),
            "short_pairs": Number(
                "shorted pairs, right lead",
                kinds.count(("right", messages.KIND_SHORT)),
                "",
                0,
                2,
                0,
                "both ways",
            ),
        }
    )


STEPS: dict[str, Step] = {"what_it_sees": what_it_sees, "which_pairs": which_pairs}
