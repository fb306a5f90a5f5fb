"""Blocks monostable, gate, drive and relays: with Q low nothing may conduct, and Q falls by itself."""

from __future__ import annotations

from dataclasses import replace

from stimbench.bringup.model import Block, Cause, Reading, Setup, Step, Tool, Unit
from stimbench.bringup.ranges import OPEN_OHM, ohms_at_least, ohms_between
from stimbench.bringup.steps.common import (
    ANY_HIGH,
    COIL,
    HIGH,
    HIGH_3V3,
    LEADS,
    LOW,
    NOTHING,
    WHY_3V3,
    bridge_of,
    logic,
)

__all__ = ("GATE", "MONOSTABLE", "RELAYS")

_ALIVE = Setup(keepalive=True)
_Q_PIN = "U_MONO 13"
_PULSE_MS = (107.0, 133.0)
_WHY_PULSE = "120 ms: 0.45 x 267 kohm x 1 uF; 1 %, 5 % and the chip's 5 % (docs/circuit.md)"
_SCOPE_MS = 1.0
_JOIN_RESET = "Join U_MONO 3 (1R) to the net MAGNET: A_PICO 29, SW_MAGNET, R_MAGNET_UP."

_REST = Step(
    "monostable.rest",
    "Q is low while KEEPALIVE is quiet",
    "Plug the board in. Meter in V DC, black probe to ground. No magnet near.",
    (
        logic("q", "Q", _Q_PIN, False, Setup()),
        Reading("magnet", "MAGNET", "A_PICO 29", HIGH_3V3, f"10 kohm to 3.3 V; {WHY_3V3}"),
        Reading("keepalive", "KEEPALIVE", "U_MONO 2", LOW, "10 kohm to ground, and the Pico holds it low"),
    ),
    (
        Cause("q-stuck-high", "Q stands high without KEEPALIVE.",
              "Look at U_MONO 1 (ground), 14 and 15 (R_MONO, C_MONO), 16 and 8.",
              {"q": ANY_HIGH, "keepalive": LOW}),
        Cause("magnet-line-low", "The reset's line is held low.",
              "Take magnets away. Look at SW_MAGNET and R_MAGNET_UP.", {"magnet": (-0.1, 1.0)}),
    ),
    ("U_MONO 16 has +5 V, 8 ground.", "R_KEEPALIVE_DOWN.", "The Pico runs this project's firmware."),
)  # fmt: skip

_TRIGGER = Step(
    "monostable.trigger",
    "KEEPALIVE makes Q high",
    "The board sends KEEPALIVE while you measure. Nothing flows: the DAC is at zero, the bridges are off.",
    (
        logic("q", "Q", _Q_PIN, True, _ALIVE),
        Reading("reset", "MAGNET", "U_MONO 3", HIGH_3V3, f"10 kohm to 3.3 V; {WHY_3V3}", setup=_ALIVE),
        Reading("gate-q", "GATE_Q", "A_PICO 12", (1.0, 1.0), "Q through 10 and 20 kohm, as the Pico reads it",
                Unit.YES, Tool.BOARD, setup=_ALIVE, note="The board reads GP9.", ask="gate-q"),
    ),
    (
        Cause("clr-not-joined", "The monostable's reset is not joined to the magnet's switch: it floats low.",
              _JOIN_RESET, {"q": (-0.1, 1.0), "reset": (-0.1, 1.0)}),
        Cause("keepalive-not-joined", "KEEPALIVE does not trigger the monostable.",
              "Look at A_PICO 11 and U_MONO 2; U_MONO 1 is on ground; U_MONO 3 is high.",
              {"q": (-0.1, 1.0), "gate-q": (0.0, 0.0)}),
        Cause("gate-q-not-joined", "Q is high, and the Pico does not see it.",
              "Look at A_PICO 12 and at the divider of 10 and 20 kohm from Q.",
              {"q": HIGH, "gate-q": (0.0, 0.0)}),
    ),
    ("U_MONO 3 is at 3.3 V.", "C_MONO and R_MONO.", "Q's load: lift U_GATE1 and U_GATE2."),
)  # fmt: skip

_MAGNET = Step(
    "monostable.magnet",
    "The magnet ends Q at once, and its going does not start it",
    "The board goes on sending KEEPALIVE, whatever the magnet does.",
    (
        logic("without", "Q", _Q_PIN, True, _ALIVE),
        logic("with", "Q", _Q_PIN, False, Setup(keepalive=True, magnet=True)),
        Reading("after", "GATE_Q", "A_PICO 12", (1.0, 1.0), "a 423's rising reset triggers nothing (Nexperia "
                "74HC_HCT423, table 3)", Unit.YES, Tool.BOARD, setup=Setup(magnet=True, high=("KEEPALIVE",)),
                note="The magnet goes while KEEPALIVE stands high. The board watches: does Q stay low?",
                ask="q-stays-low"),
    ),
    (
        Cause("clr-not-joined", "The monostable's reset is not joined to the magnet's switch.",
              _JOIN_RESET,
              {"without": HIGH, "with": ANY_HIGH}),
        Cause("triggers-from-reset", "A rising reset triggers: the chip is no 423.",
              "Take a 74HCT423; a 74HCT123 or 74LVC1G123 does this.", {"with": LOW, "after": (0.0, 0.0)}),
    ),
    ("The magnet is strong enough: does the switch click?", "SW_MAGNET goes from MAGNET to ground."),
)  # fmt: skip

_WIDTH = Step(
    "monostable.width",
    "Q falls 107 to 133 ms after the last edge of KEEPALIVE",
    "Oscilloscope: channel 1 on KEEPALIVE (U_MONO 2), channel 2 on Q (U_MONO 13). Trigger once, on the "
    "falling "
    "edge of Q.",
    (
        Reading("width", "Q", _Q_PIN, (_PULSE_MS[0] - _SCOPE_MS, _PULSE_MS[1] + _SCOPE_MS),
                f"{_WHY_PULSE}; 1 ms of reading", Unit.MILLISECONDS, Tool.SCOPE, "KEEPALIVE", "U_MONO 2",
                setup=_ALIVE, note="From the last rising edge of KEEPALIVE to the falling edge of Q."),
    ),
    (
        Cause("timing-423a", "The pulse is twice as long: another maker's 423A, with 1.0 RC.",
              "R_MONO 120 kohm instead of 267 kohm, or a CD74HCT423.", {"width": (238.0, 300.0)}),
        Cause("timing-capacitor", "C_MONO is not 1 uF of film.", "Look at C_MONO.", {"width": (0.0, 60.0)}),
    ),
    ("R_MONO is 267 kohm, C_MONO 1 uF.", "D1: its cathode is at +5 V."),
)  # fmt: skip

MONOSTABLE = Block(
    "monostable",
    "Monostable and magnet",
    "Unplug the board. Wire the block monostable.",
    ("stimulator-monostable",),
    (_REST, _TRIGGER, _MAGNET, _WIDTH),
)

_LINES = ("CATH", "ANOD", "IDLE", "SHORT", "IDLE2")
_DRIVE_PINS = {"CATH": "2", "ANOD": "4", "IDLE": "6", "SHORT": "8", "IDLE2": "10"}
_IDLE = ("IDLE", "IDLE2")


def _lines(side: str, high: str, setup: Setup) -> tuple[Reading, ...]:
    """The five gate lines of a lead, of which `high` alone is high; the two of the idle leg are alike."""
    return tuple(
        logic(line.lower(), f"{side}_{line}_G", f"U_{side}_DRIVE {pin}", line[:4] == high[:4], setup)
        for line, pin in _DRIVE_PINS.items()
    )


_LOOK_GATE = (
    "Pins 14 and 7 of U_GATE1, U_GATE2 and the drive chip.",
    "The chip is a 74HC14, the gates are 74HCT00.",
    "The line's delay: 1.5 kohm, 100 pF, and the diode's direction.",
)


_LINES_OF_A_LEAD = ("CATH", "ANOD", "SHORT")


def _rest_step(side: str, word: str) -> Step:
    return Step(
        f"gate.{side}.rest", f"With Q low the {word} bridge is off, its idle leg on",
        "Plug the board in. KEEPALIVE is quiet. Meter in V DC, black probe to ground.",
        _lines(side, "IDLE", Setup()),
        (
            Cause("idle-open", "The idle leg is off at rest: each phase would begin with a spike.",
                  f"Look at U_{side}_DRIVE 14 (+5 V), 7, 5 and 6, and at the NAND that makes {side}_BUSY.",
                  {"cath": LOW, "anod": LOW, "idle": (-0.1, 1.0), "idle2": (-0.1, 1.0)}),
        ),
        _LOOK_GATE,
    )  # fmt: skip


def _blocked_step(side: str, word: str) -> Step:
    return Step(
        f"gate.{side}.blocked", f"Q low blocks the {word} lead's lines, whatever the Pico says",
        f"The Pico holds {side}_CATH, {side}_ANOD and {side}_SHORT high; KEEPALIVE is quiet.",
        _lines(side, "IDLE", Setup(high=tuple(f"{side}_{line}" for line in _LINES_OF_A_LEAD))),
        tuple(
            Cause("gate-open",
                  f"{side}_{line} passes with Q low: nothing would end a hung program's current.",
                  "Look at the second input of its NAND: it belongs to Q.", {line.lower(): ANY_HIGH})
            for line in _LINES_OF_A_LEAD
        ),
        _LOOK_GATE,
    )  # fmt: skip


def _phase_step(side: str, index: int, state: str, line: str, other: str) -> Step:
    return Step(
        f"gate.{side}.{state}", f"With Q high {side}_{line} reaches its switches, and no other line",
        "The board sends KEEPALIVE and holds the line. The DAC is at zero.",
        _lines(side, line, Setup(keepalive=True, bridges=bridge_of(index, state))),
        (
            Cause("bridge-lines-swapped",
                  f"{side}_CATH and {side}_ANOD are exchanged: every phase would be of the wrong sign.",
                  f"Exchange the wires at the Pico, or {side}_CATH_G and {side}_ANOD_G.",
                  {line.lower(): (-0.1, 1.0), other: HIGH}),
            Cause("q-not-at-gate", "The lines stay blocked while Q is high.",
                  "Look at Q on U_GATE1 2, 5, 10, 13 and U_GATE2 2, 5.",
                  {line.lower(): (-0.1, 1.0), other: LOW, "idle": HIGH}),
        ),
        _LOOK_GATE,
    )  # fmt: skip


def _recharge_step(side: str, word: str, index: int) -> Step:
    setup = Setup(keepalive=True, bridges=bridge_of(index, "recharge"))
    return Step(
        f"gate.{side}.recharge", f"With Q high {side}_SHORT reaches the {word} recharge switch",
        "The board sends KEEPALIVE and holds the line.",
        tuple(
            logic(line.lower(), f"{side}_{line}_G", f"U_{side}_DRIVE {pin}", line in ("SHORT", *_IDLE), setup)
            for line, pin in _DRIVE_PINS.items()
        ),
        (),
        (f"U_{side}_DRIVE 9: it is {side}_SHORT_N, without a delay.", *_LOOK_GATE),
    )  # fmt: skip


def _gate_steps(side: str, word: str, index: int) -> tuple[Step, ...]:
    return (
        _rest_step(side, word),
        _blocked_step(side, word),
        _phase_step(side, index, "cathodic", "CATH", "anod"),
        _phase_step(side, index, "anodic", "ANOD", "cath"),
        _recharge_step(side, word, index),
    )


GATE = Block(
    "gate",
    "Gate and drive",
    "Unplug the board. Wire the blocks gate and drive of both leads.",
    ("stimulator-gate", "stimulator-drive"),
    tuple(step for lead in LEADS for step in _gate_steps(*lead)),
)

_CONTACT_OHM = 0.2


def _relay_step(side: str, word: str, _index: int) -> Step:
    opened = Reading(
        "open", f"{side}_B", f"K_{side} 7", ohms_at_least(OPEN_OHM), "bleeds alone: 100 Mohm and more",
        Unit.OHMS, against=f"{side}_SNK", against_pin=f"K_{side} 8",
    )  # fmt: skip
    closed = replace(
        opened, key="closed", span=ohms_between(0.0, _CONTACT_OHM), why="a reed contact has 0.2 ohm or less",
        setup=_ALIVE,
    )  # fmt: skip
    coil = Reading(
        "coil", "+5V", f"K_{side} 2", COIL,
        "+5V less 0.25 V: a coil of 140 ohm or more and a 2N7000 of 6 ohm or less", setup=_ALIVE,
        against=f"{side}_COIL", against_pin=f"K_{side} 6",
    )  # fmt: skip
    return Step(
        f"relays.{side}.contacts",
        f"The {word} relay opens and closes with Q",
        "Plug the board in. Meter in ohm across a contact, then in V DC at the coil.",
        (opened, coil, closed),
        (
            Cause("relay-welded", "The contact is closed with Q low: welded, or the wrong pins.",
                  f"Look at K_{side}'s pins; else replace it.", {"open": (0.0, 10.0)}),
            Cause("relay-reversed",
                  "The relay's coil is reversed: its diode conducts, the contact stays open.",
                  f"Exchange K_{side} 2 and 6, or turn D_{side}_COIL: its cathode is at +5 V.",
                  {"coil": (0.5, 2.5), "closed": (10.0, float("inf"))}),
            Cause("coil-not-driven", "No current comes to the coil.",
                  f"Look at Q_{side}_COIL: the order of its legs; at R_{side}_COIL and Q.",
                  {"coil": NOTHING, "closed": (10.0, float("inf"))}),
            Cause("contact-pins", "The coil is driven, and the contact does not close.",
                  f"Look at K_{side} 7 and 8: another maker's relay has other pins.",
                  {"coil": COIL, "closed": (10.0, float("inf"))}),
        ),
        (f"K_{side}'s pins: 2 and 6 the coil, 1-14 and 7-8 the contacts.", f"D_{side}_COIL, Q_{side}_COIL."),
    )  # fmt: skip


RELAYS = Block(
    "relays",
    "Relays",
    "Unplug the board. Wire the block relays.",
    ("stimulator-relays",),
    tuple(_relay_step(*lead) for lead in LEADS),
)
