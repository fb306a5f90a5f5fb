"""Blocks lead and sense: shunt, bleeds, connectors, and the two amplifiers that the Pico measures with."""

from __future__ import annotations

import math
from dataclasses import replace

from stimbench.bringup.model import Block, Cause, Range, Reading, Setup, Step, Tool, Unit
from stimbench.bringup.ranges import OPEN_OHM, ohms, ohms_at_least, ohms_between, volts_between
from stimbench.bringup.steps.common import (
    LEADS,
    R_TEST_OHM,
    R_TEST_SHARE,
    bridge_of,
    of_lead,
)
from stimbench.bringup.steps.output import CODE_4_MA, amps_at

__all__ = ("LEAD", "SENSE")

_SHUNT_OHM = 15.0
_MATRIX_OHM = (4.0, 15.0)
_WHY_LOAD = "500 ohm within 1 % and two switches of 15 ohm or less (ADG1414, MAX335 not)"
FIRST_TO_SECOND = 0x21
"""Electrode 0 on the source rail, electrode 1 on the sink rail."""
_REST_V = 0.3
_WHY_REST = "leakage of the open switches, 4 x 0.35 nA a rail, into 210 Mohm of bleeds"
_AWAY: Range = (0.8, 16.0)
_LOAD: Range = (450.0, 600.0)
_OPEN: Range = (100e3, math.inf)


def _below(span: Range) -> Range:
    return (-span[1], -span[0])


def _shunt_step(side: str, word: str, _index: int) -> Step:
    return Step(
        f"lead.{side}.shunt",
        f"The {word} shunt is 15 ohm",
        f"The board is unplugged. Meter in ohm from {side}_A to {side}_X, both ends of R_{side}_SHUNT.",
        (
            Reading("shunt", f"{side}_A", f"R_{side}_SHUNT 1", ohms(_SHUNT_OHM, 0.001), "15 ohm, 0.1 %",
                    Unit.OHMS, against=f"{side}_X", against_pin=f"R_{side}_SHUNT 2",
                    setup=Setup(powered=False)),
            Reading("blocked", f"{side}_X", f"C_{side}_BLOCK 1", ohms_at_least(OPEN_OHM),
                    "a film capacitor: nothing passes", Unit.OHMS, against=f"{side}_BLOCK",
                    against_pin=f"C_{side}_BLOCK 2", setup=Setup(powered=False),
                    note="Wait until it rises no more."),
        ),
        (
            Cause("shunt-10x", "The shunt is ten times too big: I_SENSE would read ten times the current.",
                  f"R_{side}_SHUNT: 15 ohm (brown, green, black, gold), not 150.", {"shunt": (135.0, 165.0)}),
            Cause("shunt-tenth", "The shunt is 1.5 ohm: I_SENSE would read a tenth of the current.",
                  f"R_{side}_SHUNT: 15 ohm.", {"shunt": (0.0, 3.0)}),
            Cause("shunt-open", "The shunt is open.", f"Look at R_{side}_SHUNT's ends.",
                  {"shunt": (1e3, math.inf)}),
            Cause("capacitor-passes", "The blocking capacitor lets direct current pass.",
                  f"C_{side}_BLOCK: 4.7 uF of film, nothing beside it.", {"blocked": (0.0, OPEN_OHM / 2)}),
        ),
        (f"R_{side}_SHUNT and its neighbours on the breadboard.",),
    )  # fmt: skip


def _rest_step(side: str, word: str, _index: int) -> Step:
    def buffer(key: str, net: str, pin: str) -> Reading:
        return Reading(key, f"{side}_{net}", f"U_{side}_BUFFER {pin}", volts_between(-_REST_V, _REST_V),
                       _WHY_REST, setup=Setup(), note="At the buffer's output: on the rail itself the meter "
                       "would be a bleed.")  # fmt: skip

    away = {"source": _AWAY}, {"source": _below(_AWAY)}
    both = {"source": _AWAY, "sink": _AWAY}, {"source": _below(_AWAY), "sink": _below(_AWAY)}
    return Step(
        f"lead.{side}.rest",
        f"With everything open the {word} rails rest at 0 V",
        "Plug the board in and wait for 10 s. The matrix is open, the relays too.",
        (buffer("source", "SRC_BUF", "1"), buffer("sink", "SNK_BUF", "7")),
        (
            *(Cause("bleed-missing", f"R_{side}_BLEED_SNK is missing: both rails drift away together.",
                    f"100 Mohm from {side}_SNK to ground.", when) for when in both),
            *(Cause("bleed-missing", f"R_{side}_BLEED_RAILS is missing: the source rail drifts away.",
                    f"100 Mohm from {side}_SRC to {side}_SNK.", when) for when in away),
        ),
        (f"U_{side}_BUFFER 8 and 4: +15 V, -15 V.", f"R_{side}_SRC_IN and R_{side}_SNK_IN: 1 kohm.",
         "Is the breadboard clean? 100 Mohm do not bear flux or fingers."),
    )  # fmt: skip


def _load_step(side: str, word: str, index: int) -> Step:
    other, other_word = ("R", "right") if side == "L" else ("L", "left")
    span = ohms_between(
        R_TEST_OHM * (1.0 - R_TEST_SHARE) + 2 * _MATRIX_OHM[0],
        R_TEST_OHM * (1.0 + R_TEST_SHARE) + 2 * _MATRIX_OHM[1],
    )

    def rails(key: str, lead: str, channel: int, right: Range, why: str, note: str) -> Reading:
        return Reading(
            key, f"{lead}_SRC", f"U_{lead}_MATRIX 6", right, why, Unit.OHMS, against=f"{lead}_SNK",
            against_pin=f"U_{lead}_MATRIX 13", note=note,
            setup=Setup(switches=of_lead(channel, FIRST_TO_SECOND), resistor=(f"{side}_E0", f"{side}_E1")),
        )  # fmt: skip

    return Step(
        f"lead.{side}.load",
        f"A resistor at the {word} connector is between the {word} rails",
        f"Plug the board in. Put the test resistor between the terminals 0 and 1 of J_{side}, marked {word}; "
        f"nothing on J_{other}. Meter in ohm. The relays are open: nothing but the meter drives it.",
        (
            rails("own", side, index, span, _WHY_LOAD, f"The {word} switches join 0 and 1."),
            rails("other", other, 1 - index, ohms_at_least(OPEN_OHM), "nothing is on the other connector",
                  f"The {other_word} switches join 0 and 1."),
        ),
        (
            Cause("lead-swapped", "The connectors are exchanged: each lead is on the other's outputs.",
                  "Exchange J_L and J_R, or the labels on them.", {"own": _OPEN, "other": _LOAD}),
            Cause("matrix-does-not-switch", "No switch of the matrix closes.",
                  f"Look at U_{side}_MATRIX 24 (SYNC), 1 (SCLK), 3 (DIN), 2 and 21 (+15 V, -15 V), 23 (3.3 "
                  f"V). "
                  "Is the resistor between 0 and 1?", {"own": _OPEN, "other": _OPEN}),
        ),
        ("The test resistor's value.", f"U_{side}_MATRIX 5, 14 and 7, 16: electrodes 0 and 1.",
         "The clock: 1 MHz or less on a breadboard."),
    )  # fmt: skip


LEAD = Block(
    "lead",
    "Leads",
    "Unplug the board. Wire the blocks lead and sense of both leads. Nothing on J_L and J_R.",
    ("stimulator-lead", "stimulator-sense"),
    tuple(make(*lead) for lead in LEADS for make in (_shunt_step, _rest_step, _load_step)),
)

_MIDDLE = 1.65
_V_REST_V = 0.05
_SENSE_SHARE, _SENSE_OFFSET_V = 0.005, 0.006
_V_PER_A = 150.0
_CONVERTER_V = 0.02
_WHY_CONVERTER = "as at the pin; the converter's wide codes, offset and gain: 20 mV (RP2040-E11)"


def _zero_causes(rest: Range) -> tuple[Cause, ...]:
    at_rail = (
        Cause("sense-at-rail", f"The amplifier of {net} sits at its rail.", f"Look at {chip}.", {key: span})
        for key, net, chip in (
            ("v-left", "V_LEFT", "U_VSENSE 1, 2, 3 and the four resistors of the left lead"),
            ("v-right", "V_RIGHT", "U_VSENSE 7, 6, 5 and the four resistors of the right lead"),
            ("i", "I_SENSE", "U_L_ISENSE 6 (V_MID), U_R_ISENSE 6 (U_L_ISENSE 7), both supplies"),
        )
        for span in ((-0.1, 0.4), (2.9, 3.5))
    )
    converter = (
        Cause(
            "converter-wrong",
            f"{net} is right at the pin, and the Pico's converter reads otherwise.",
            "Look at A_PICO 35: V_REF3V3; at A_PICO 33: AGND is ground.",
            {key: rest, f"converter-{name}": span},
        )
        for key, net, name in (
            ("v-left", "V_LEFT", "left"),
            ("v-right", "V_RIGHT", "right"),
            ("i", "I_SENSE", "i"),
        )
        for span in ((-0.1, 1.57), (1.73, 3.4))
    )
    return (*at_rail, *converter)


def _zero_step() -> Step:
    def pin(key: str, net: str, number: str) -> Reading:
        span = volts_between(_MIDDLE - _V_REST_V, _MIDDLE + _V_REST_V)
        return Reading(key, net, f"A_PICO {number}", span,
                       "1.65 V, and a tenth of what the rails may be apart at rest")  # fmt: skip

    def converter(key: str, net: str, number: str, channel: str) -> Reading:
        off_v = _V_REST_V + _CONVERTER_V
        return Reading(key, net, f"A_PICO {number}", (_MIDDLE - off_v, _MIDDLE + off_v), _WHY_CONVERTER,
                       tool=Tool.BOARD, ask=f"converter-{channel}", note="The board reads it.")  # fmt: skip

    rest = volts_between(_MIDDLE - _V_REST_V, _MIDDLE + _V_REST_V)
    return Step(
        "sense.zero",
        "The three measuring inputs rest at 1.65 V",
        "Take everything off J_L and J_R. Plug the board in. Meter in V DC, black probe to A_PICO 33 (AGND).",
        (
            pin("v-left", "V_LEFT", "31"),
            pin("v-right", "V_RIGHT", "32"),
            pin("i", "I_SENSE", "34"),
            converter("converter-left", "V_LEFT", "31", "left"),
            converter("converter-right", "V_RIGHT", "32", "right"),
            converter("converter-i", "I_SENSE", "34", "current"),
        ),
        _zero_causes(rest),
        ("V_MID is 1.650 V.", "The converter pin's 1 kohm, clamp and 220 pF."),
    )


def _current_step(side: str, word: str, index: int) -> Step:
    low, high = amps_at(CODE_4_MA)

    def pin(state: str, sign: int) -> Reading:
        ends = sorted(sign * amps * _V_PER_A * factor for amps in (low, high)
                      for factor in (1.0 - _SENSE_SHARE, 1.0 + _SENSE_SHARE))  # fmt: skip
        span = volts_between(_MIDDLE + ends[0] - _SENSE_OFFSET_V, _MIDDLE + ends[-1] + _SENSE_OFFSET_V)
        return Reading(
            state, "I_SENSE", "A_PICO 34", span,
            "1.65 V + 0.15 V/mA within 0.5 %, 4 mA as the DAC makes them",
            setup=Setup(keepalive=True, codes=of_lead(index, CODE_4_MA), bridges=bridge_of(index, state),
                        resistor=(f"{side}_X", f"{side}_B")),
        )  # fmt: skip

    up, down = pin("anodic", 1), pin("cathodic", -1)
    converter = replace(
        up, key="converter", span=(up.span[0] - _CONVERTER_V, up.span[1] + _CONVERTER_V), why=_WHY_CONVERTER,
        tool=Tool.BOARD, ask="converter-current", note="The board reads the anodic current itself.",
    )  # fmt: skip
    rest: Range = (_MIDDLE - 0.05, _MIDDLE + 0.05)
    return Step(
        f"sense.{side}.current",
        f"I_SENSE shows the {word} lead's current with its sign",
        f"Put the test resistor from {side}_X (R_{side}_SHUNT 2) to {side}_B (U_{side}_BRIDGE 14), before "
        f"the "
        "blocking capacitor. Meter in V DC, black probe to A_PICO 33 (AGND). Keep all electrodes off. A "
        "current "
        "flows only while you confirm: press Enter when you are asked, and it stops by itself if you do not.",
        (up, down, converter),
        (
            Cause("current-sense-reversed", "I_SENSE has the wrong sign.",
                  f"Exchange U_{side}_ISENSE 1 and 4.", {"anodic": down.span, "cathodic": up.span}),
            Cause("current-sense-dead", "I_SENSE does not see the current.",
                  f"Look at U_{side}_ISENSE 1, 4 and 7, and at R_{side}_GAIN.",
                  {"anodic": rest, "cathodic": rest}),
        ),
        (f"R_{side}_GAIN: 5.49 kohm.", f"R_{side}_SHUNT: 15 ohm.", "The test resistor's place."),
    )  # fmt: skip


_PULSE_SHARE = 0.03


def _pulses_step(side: str, word: str, index: int) -> Step:
    span = (
        (R_TEST_OHM * (1.0 - R_TEST_SHARE) + 2 * _MATRIX_OHM[0]) * (1.0 - _PULSE_SHARE),
        (R_TEST_OHM * (1.0 + R_TEST_SHARE) + 2 * _MATRIX_OHM[1]) * (1.0 + _PULSE_SHARE),
    )
    return Step(
        f"sense.{side}.pulses",
        f"The {word} lead's V and I of a pulse give the test resistor",
        f"Put the test resistor between the terminals 0 and 1 of J_{side}, nothing else on J_L and J_R. The "
        "board gives 40 pulses of 2 mA.",
        (
            Reading("ohm", f"V_{word.upper()}", "A_PICO 31" if index == 0 else "A_PICO 32", span,
                    f"{_WHY_LOAD}; V within 0.4 %, I within 0.3 %, the converter's own errors", Unit.OHMS,
                    Tool.BOARD, setup=Setup(resistor=(f"{side}_E0", f"{side}_E1")), ask=f"pulses-{word}",
                    note="The board measures V and I."),
        ),
        (
            Cause("voltage-sense-reversed", f"V_{word.upper()} has the wrong sign.",
                  f"Exchange R_{side}_SRC_IN and R_{side}_SNK_IN.", {"ohm": (-700.0, -300.0)}),
            Cause("lead-open", "No current comes to the resistor.",
                  f"Look at C_{side}_BLOCK and at K_{side} 1 and 14.", {"ohm": (1e6, math.inf)}),
            Cause("voltage-sense-dead", f"V_{word.upper()} does not see the lead.",
                  f"Look at U_{side}_BUFFER and U_VSENSE.", {"ohm": (-100.0, 100.0)}),
        ),
        ("The test resistor's value.", f"The four resistors of V_{word.upper()}: 100 and 10 kohm.",
         f"R_{side}_GAIN: 5.49 kohm."),
    )  # fmt: skip


SENSE = Block(
    "sense",
    "Measuring amplifiers",
    "Nothing more is to be wired: the block sense went on with the block lead.",
    ("stimulator-sense",),
    (_zero_step(), *(make(*lead) for lead in LEADS for make in (_current_step, _pulses_step))),
)
