"""Blocks supply and references: rails and reference voltages, with nothing else on them."""

from __future__ import annotations

from stimbench.bringup.model import Block, Cause, Reading, Setup, Step, Tool, Unit
from stimbench.bringup.ranges import ohms_at_least, volts, volts_between
from stimbench.bringup.steps.common import HIGH_3V3, HIGHEST_5V, LOWEST_5V, NOTHING, WHY_3V3

__all__ = ("REFERENCES", "SUPPLY")

_UNPLUGGED = Setup(powered=False)
_RAIL_SHARE = 0.03
_WHY_RAIL = "15 V within 3 %: 2 % as set, 1 % over the load (Traco TMR 3)"
_HIGH_RAIL = (15.5, 25.0)
_SHORT_OHM = 10.0
_WHY_SHORT = "less than 10 ohm takes more than the 0.5 A that F1 holds"


def _no_short(key: str, net: str, pin: str) -> Reading:
    return Reading(
        key, net, pin, ohms_at_least(_SHORT_OHM), _WHY_SHORT, Unit.OHMS, setup=_UNPLUGGED,
        note="Wait until it rises no more: capacitors charge.",
    )  # fmt: skip


SAFE = Step(
    "supply.safe",
    "Nothing is joined that could be harmed",
    "Look at the board. This is for resistors and saline only: never join it to a person or an animal.",
    (
        Reading(
            "empty", "L_E0 to R_E3", "J_L, J_R", (1.0, 1.0), "no electrode before all blocks have passed",
            Unit.YES, Tool.EYE, setup=_UNPLUGGED, note="Are both terminals J_L and J_R empty?",
        ),
        Reading(
            "unplugged", "VBUS", "A_PICO 40", (1.0, 1.0), "the first readings are in ohm", Unit.YES, Tool.EYE,
            setup=_UNPLUGGED, note="Is the board unplugged?",
        ),
    ),
    (),
    ("Take everything off J_L and J_R.", "Unplug the board."),
)  # fmt: skip

SHORTS = Step(
    "supply.shorts",
    "No supply is shorted",
    "The board is unplugged. Meter in ohm, black probe to ground.",
    (
        _no_short("5v", "+5V", "F1 2"),
        _no_short("+15v", "+15V", "C_POS 1"),
        _no_short("-15v", "-15V", "C_NEG 2"),
    ),
    (
        Cause("5v-shorted", "+5V is shorted to ground.", "Take chips out until it is gone.",
              {"5v": (0.0, _SHORT_OHM)}),
    ),
    ("An electrolytic capacitor the wrong way round.", "A wire in the next row of the breadboard."),
)  # fmt: skip

RAILS = Step(
    "supply.rails",
    "+5 V, +15 V and -15 V",
    "Plug the board in. Meter in V DC, black probe to ground.",
    (
        Reading("5v", "+5V", "F1 2", volts_between(LOWEST_5V, HIGHEST_5V),
                "U_DCDC takes 4.5 V or more; USB 2.0 gives 5.25 V at most (7.2.2)"),
        Reading("+15v", "+15V", "C_POS 1", volts(15.0, _RAIL_SHARE), _WHY_RAIL),
        Reading("-15v", "-15V", "C_NEG 2", volts(-15.0, _RAIL_SHARE), _WHY_RAIL),
        Reading("3v3", "+3V3", "A_PICO 36", HIGH_3V3, WHY_3V3),
    ),
    (
        Cause("no-5v", "No +5 V comes from USB.", "Look at the cable, at F1 and at A_PICO 40. Is F1 hot?",
              {"5v": (-0.5, 1.0)}),
        Cause("5v-low", "+5 V is too low: a long cable, a hub, or too much current.",
              "Use another port. Take chips out until it rises.", {"5v": (1.0, LOWEST_5V)}),
        Cause("outputs-exchanged", "+15 V and -15 V are exchanged.", "Exchange U_DCDC 6 and 8.",
              {"+15v": (-16.0, -14.0), "-15v": (14.0, 16.0)}),
        Cause("unregulated", "The converter is not a regulated one.", "Take a TMR 3-0523 or RS3-0515D.",
              {"+15v": _HIGH_RAIL}),
        Cause("no-15v", "The converter gives nothing.", "Look at U_DCDC 1, 2 and 7; leave pin 3 open.",
              {"+15v": NOTHING, "-15v": NOTHING}),
    ),
    ("U_DCDC's pins 6, 7 and 8.", "L_POS and L_NEG are joined at both ends.",
     "C_POS and C_NEG: plus and minus.", "What else is on the rail takes too much: is a chip hot?"),
)  # fmt: skip

SUPPLY = Block(
    "supply",
    "Pico and supply",
    "Unplug the board. Wire the blocks pico and supply. Nothing on J_L and J_R.",
    ("stimulator-pico", "stimulator-supply"),
    (SAFE, SHORTS, RAILS),
)

_REF_SHARE = 0.001
_DAC_REF_SHARE = 0.005

LEVELS = Step(
    "references.levels",
    "The three reference voltages",
    "Plug the board in. Meter in V DC, black probe to A_PICO 33 (AGND).",
    (
        Reading("3v3", "V_REF3V3", "A_PICO 35", volts(3.3, _REF_SHARE), "3.300 V, 0.1 % (ADR4533)"),
        Reading("4v096", "V_REF4V096", "U_REF4V096 3", volts(4.096, _DAC_REF_SHARE),
                "4.096 V, 0.1 %, its second source 0.5 % (LM4040)"),
        Reading("mid", "V_MID", "U_MID 1", volts(1.65, 2 * _REF_SHARE, 0.0005),
                "half of V_REF3V3: two resistors of 0.1 %, 0.5 mV of U_MID"),
    ),
    (
        Cause("no-3v3-reference", "The 3.3 V reference does not drive the converter's pin.",
              "Look at U_REF3V3 2 (+5 V), 4 (ground) and 6.", {"3v3": (3.0, 3.279)}),
        Cause("4v096-reversed", "U_REF4V096 is the wrong way round.",
              "Turn it: the order of its legs differs from maker to maker.", {"4v096": (0.3, 1.2)}),
        Cause("4v096-missing", "U_REF4V096 does not hold its voltage.",
              "Look at U_REF4V096 2 (ground) and 3, and at R_REF4V096.", {"4v096": (4.4, HIGHEST_5V)}),
        Cause("no-middle", "U_MID does not follow.", "Look at U_MID 1 and 2 (joined), 3, 4 and 8.",
              {"3v3": volts(3.3, _REF_SHARE), "4v096": volts(4.096, _DAC_REF_SHARE), "mid": (-0.1, 1.5)}),
    ),
    ("Each reference's supply and ground.", "R_HALF_HI and R_HALF_LO: 10 kohm each.",
     "Another wire on the net: lift one after the other."),
)  # fmt: skip

REFERENCES = Block(
    "references",
    "References",
    "Unplug the board. Wire the block references.",
    ("stimulator-references",),
    (LEVELS,),
)
