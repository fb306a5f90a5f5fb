"""Blocks pump, bridge, idle and recharge: static currents into the test resistor, before the capacitor."""

from __future__ import annotations

import math
from dataclasses import replace

from stimbench.bringup.model import Block, Cause, Range, Reading, Setup, Step, Unit
from stimbench.bringup.ranges import OPEN_OHM, ohms_at_least, ohms_between, volts_between
from stimbench.bringup.steps.common import LEADS, R_TEST_OHM, R_TEST_SHARE, bridge_of, of_lead
from stimbench.bringup.steps.dac import dac_volts

__all__ = ("BRIDGE", "CODE_4_MA", "PUMP", "amps_at")

_AMPS_PER_VOLT, _UA_A_CODE = 2.5e-3, 2.5
_PUMP_SHARE = 0.004
_PUMP_OFFSET_A = 1e-6
_WHY_PUMP = "2.5 mA/V within 0.32 % (500 draws in SPICE), 500 ohm within 1 %, and the DAC's own error"
CODE_4_MA, CODE_10_MA = 1600, 4000
_SWITCH_OHM = (10.0, 35.0)
_WHY_SWITCH = "a DG412's switch has 35 ohm or less at +-15 V (Vishay 70050)"
_DO_CURRENT = (
    "Keep all electrodes off. A current flows only while you confirm: press Enter when you are asked, and it "
    "stops by itself if you do not."
)


def amps_at(code: int) -> tuple[float, float]:
    """What a pump may give at a code, in A: lowest and highest."""
    low, high = dac_volts(code)
    return (
        max(0.0, low * _AMPS_PER_VOLT * (1.0 - _PUMP_SHARE) - _PUMP_OFFSET_A),
        high * _AMPS_PER_VOLT * (1.0 + _PUMP_SHARE) + _PUMP_OFFSET_A,
    )


def _across_resistor(code: int) -> Range:
    """Volts across the test resistor at a code, as the meter may show them."""
    low, high = amps_at(code)
    return volts_between(low * R_TEST_OHM * (1.0 - R_TEST_SHARE), high * R_TEST_OHM * (1.0 + R_TEST_SHARE))


_SATURATED = (9.0, 16.0)
_FOUR, _ZERO = _across_resistor(CODE_4_MA), _across_resistor(0)


def _pump_step(side: str, word: str, index: int) -> Step:
    def setup(code: int) -> Setup:
        return Setup(
            keepalive=True, codes=of_lead(index, code), bridges=bridge_of(index, "cathodic"),
            resistor=(f"{side}_P", "GND"),
        )  # fmt: skip

    def reading(key: str, span: Range, code: int) -> Reading:
        note = f"Code {code}: {code * _UA_A_CODE / 1000:g} mA."
        return Reading(key, f"{side}_P", f"Q_{side}_OUT 1", span, _WHY_PUMP, setup=setup(code), note=note)

    return Step(
        f"pump.{side}.current",
        f"The {word} pump gives 4 mA into 500 ohm, and next to nothing at code 0",
        f"Put the test resistor of 500 ohm from {side}_P (Q_{side}_OUT 1) to ground, meter in V DC across "
        f"it. "
        + _DO_CURRENT,
        (
            reading("zero", _ZERO, 0),
            reading("4ma", _FOUR, CODE_4_MA),
        ),
        (
            Cause("pump-saturated", "The pump gives all it has, whatever the DAC says.",
                  f"Look at R_{side}_ONE (3 kohm), R_{side}_TWO (750 ohm), Q_{side}_SINK: the order of its "
                  f"legs.",
                  {"zero": _SATURATED}),
            Cause("resistor-missing", "The test resistor is not where it should be.",
                  f"Put 500 ohm from {side}_P to ground.", {"4ma": _SATURATED}),
            Cause("pump-dead", "The pump gives no current.",
                  f"Look at Q_{side}_OUT: the order of its legs; R_{side}_THREE; U_{side}_PUMP 8 and 4.",
                  {"4ma": (-0.2, 0.2)}),
            Cause("idle-leg-closed", "The idle leg takes the current while a phase is on.",
                  f"Look at {side}_IDLE_G: it is low in a phase.", {"4ma": (0.05, 0.4)}),
        ),
        (f"R_{side}_ONE, R_{side}_TWO, R_{side}_THREE: 3 kohm, 750 and 100 ohm.",
        "The test resistor's value.",
         f"{side}_DAC: 1.6 V at U_{side}_PUMP 3."),
    )  # fmt: skip


PUMP = Block(
    "pump",
    "Pumps",
    "Unplug the board. Wire the block pump of both leads. Nothing on J_L and J_R.",
    ("stimulator-pump",),
    tuple(_pump_step(*lead) for lead in LEADS),
)


def _idle_step(side: str, word: str, index: int) -> Step:
    low, high = amps_at(CODE_10_MA)
    return Step(
        f"bridge.{side}.idle",
        f"At rest the {word} idle leg takes 10 mA to ground",
        f"Take the test resistor away. Meter in V DC from {side}_P to ground. " + _DO_CURRENT,
        (
            Reading("rest", f"{side}_P", f"Q_{side}_OUT 1",
                    volts_between(low * _SWITCH_OHM[0] / 2, high * _SWITCH_OHM[1] / 2),
                    f"10 mA through two; {_WHY_SWITCH}",
                    setup=Setup(codes=of_lead(index, CODE_10_MA)), note="Code 4000: 10 mA."),
        ),
        (
            Cause("idle-leg-open", "The idle leg is open: each phase would begin with a spike of 23 mA.",
                  f"Look at U_IDLE and U_IDLE2: {side}_P, {side}_IDLE_G and {side}_IDLE2_G, their ground, "
                  f"and their supplies 13, 4, 12, 5.",
                  {"rest": _SATURATED}),
            Cause("idle-leg-halved", "One of the two idle switches is open: all hangs on the other one.",
                  f"Look at U_IDLE and U_IDLE2, one at a time: {side}_P, the _G line, the ground.",
                  {"rest": volts_between(high * _SWITCH_OHM[1] / 2 * 1.01, high * _SWITCH_OHM[1])}),
        ),
        ("Both switches: a DG412 closes with a high input; a DG411 opens.",
         "Both lines one at a time: two sound switches can read as much as a single good one."),
    )  # fmt: skip


def _phase_step(side: str, word: str, index: int) -> Step:
    def setup(state: str) -> Setup:
        return Setup(
            keepalive=True, codes=of_lead(index, CODE_4_MA), bridges=bridge_of(index, state),
            resistor=(f"{side}_A", f"{side}_B"),
        )  # fmt: skip

    def point(state: str, span: Range) -> Reading:
        return Reading(state, f"{side}_A", f"U_{side}_BRIDGE 3", span, _WHY_PUMP, against=f"{side}_B",
                       against_pin=f"U_{side}_BRIDGE 14", setup=setup(state))  # fmt: skip

    negative = (-_FOUR[1], -_FOUR[0])
    return Step(
        f"bridge.{side}.phases",
        f"The {word} bridge turns the current round",
        f"Put the test resistor from {side}_A (U_{side}_BRIDGE 3) to {side}_B (U_{side}_BRIDGE 14): before "
        f"the "
        f"blocking capacitor. Red probe to {side}_A, black to {side}_B. " + _DO_CURRENT,
        (point("anodic", _FOUR), point("cathodic", negative)),
        (
            Cause("bridge-reversed", f"{side}_A and {side}_B are exchanged at the bridge.",
                  f"Exchange U_{side}_BRIDGE 3, 10 and 14, 7.", {"anodic": negative, "cathodic": _FOUR}),
            Cause("no-anodic-way", "The anodic phase has no way.",
                  f"Look at U_{side}_BRIDGE 1, 2, 3 and 6, 7, 8.",
                  {"anodic": (-0.2, 0.2), "cathodic": negative}),
            Cause("no-cathodic-way", "The cathodic phase has no way.",
                  f"Look at U_{side}_BRIDGE 14, 15, 16 and 9, 10, 11.",
                  {"anodic": _FOUR, "cathodic": (-0.2, 0.2)}),
        ),
        (f"U_{side}_BRIDGE 13, 4, 12, 5: +15 V, -15 V, +5 V, ground.", "The test resistor's value.",
         "A DG412 closes with a high input; a DG411 opens."),
    )  # fmt: skip


def _recharge_step(side: str, word: str, index: int) -> Step:
    off = Reading(
        "off", f"{side}_X", f"R_{side}_SHORT 1", ohms_at_least(OPEN_OHM), "10 Mohm of the bleed alone",
        Unit.OHMS, against=f"{side}_B", against_pin=f"U_{side}_BRIDGE 14",
    )  # fmt: skip
    on = replace(
        off, key="on", span=ohms_between(990.0 + _SWITCH_OHM[0], 1010.0 + _SWITCH_OHM[1]),
        why=f"1 kohm within 1 %; {_WHY_SWITCH}",
        setup=Setup(keepalive=True, bridges=bridge_of(index, "recharge")),
    )  # fmt: skip
    return Step(
        f"bridge.{side}.recharge",
        f"The {word} recharge is 1 kohm, and open without its line",
        f"Take the test resistor away. Meter in ohm from {side}_X to {side}_B. The DAC is at zero.",
        (off, on),
        (
            Cause("recharge-always-on", "The recharge is on at rest: it would take a part of each phase.",
                  f"Look at {side}_SHORT_G and U_IDLE; a DG411 closes with a low input.",
                  {"off": (900.0, 1200.0)}),
            Cause("no-recharge", "The recharge stays open.",
                  f"Look at R_{side}_SHORT and U_IDLE: {side}_SH, {side}_B, {side}_SHORT_G.",
                  {"on": (OPEN_OHM / 2, math.inf)}),
            Cause("resistor-left", "The test resistor is still there.", "Take it away.",
                  {"off": (300.0, 520.0)}),
        ),
        (f"R_{side}_SHORT is 1 kohm.",),
    )  # fmt: skip


BRIDGE = Block(
    "bridge",
    "Bridges, idle legs and recharge",
    "Unplug the board. Wire the blocks idle and recharge, bridge. Nothing on J_L and J_R.",
    ("stimulator-idle-and-recharge", "stimulator-bridge"),
    tuple(make(*lead) for lead in LEADS for make in (_idle_step, _phase_step, _recharge_step)),
)
