"""Block dac: its reference, its levels, its select line, its two outputs."""

from __future__ import annotations

from stimbench.bringup.model import Block, Cause, Reading, Setup, Step
from stimbench.bringup.ranges import volts, volts_between
from stimbench.bringup.steps.common import ANY_HIGH, HIGHEST_5V, LOW, NOTHING, logic

__all__ = ("CODES", "DAC", "dac_volts")

_REFERENCE = 4.096
_REF_SHARE = 0.005
_STEPS = 4096
_OFFSET_SHARE, _GAIN_SHARE, _INL = 0.01, 0.01, 12
_WHY_DAC = "offset 1 % of full scale, gain 1 %, 12 steps (MCP4922 DS22250A, 1.0); reference 0.5 %"
CODES = (1600, 800)
"""Left and right: different, so that exchanged outputs show."""


def dac_volts(code: int) -> tuple[float, float]:
    """What the DAC may give for a code, in V: lowest and highest."""
    nominal = _REFERENCE * code / _STEPS
    off = _REFERENCE * (_OFFSET_SHARE + _INL / _STEPS) + nominal * (_GAIN_SHARE + _REF_SHARE)
    return max(0.0, nominal - off), nominal + off


_REFERENCE_STEP = Step(
    "dac.reference",
    "The DAC's reference pins have 4.096 V",
    "Plug the board in. Meter in V DC, black probe to ground, at the DAC's own pins.",
    tuple(
        Reading(f"vref{channel}", "V_REF4V096", f"U_DAC {pin}", volts(_REFERENCE, _REF_SHARE),
                "4.096 V, 0.1 %, its second source 0.5 % (LM4040)")
        for channel, pin in (("a", "13"), ("b", "11"))
    ),
    (
        Cause("dac-reference-wrong",
              "The DAC's reference is V_REF3V3: every current would be 0.81 of what is set.",
              "Join U_DAC 11 and 13 to V_REF4V096 (U_REF4V096 3).", {"vrefa": volts(3.3, 0.02)}),
        Cause("dac-reference-wrong", "The DAC's reference is +5 V: every current would be a fifth too high.",
              "Join U_DAC 11 and 13 to V_REF4V096 (U_REF4V096 3).", {"vrefa": (4.4, HIGHEST_5V)}),
        Cause("dac-reference-wrong", "The right channel's reference is not V_REF4V096.",
              "Join U_DAC 11 to V_REF4V096 (U_REF4V096 3).",
              {"vrefa": volts(_REFERENCE, _REF_SHARE), "vrefb": (0.0, HIGHEST_5V)}),
    ),
    ("U_REF4V096 and R_REF4V096.", "U_DAC 12 is on ground."),
)  # fmt: skip

_LEVEL = Step(
    "dac.levels",
    "The DAC's inputs get 5 V, not the Pico's 3.3 V",
    "Nothing is sent: its select line rests high. Meter in V DC, black probe to ground.",
    (
        logic("cs", "DAC_CS_5V", "U_DAC 3", True, Setup()),
        logic("ldac", "LDAC_5V", "U_DAC 8", True, Setup(high=("LDAC",))),
    ),
    (
        Cause("no-level-shifter", "The DAC's inputs are on the Pico's 3.3 V: it needs 3.5 V (0.7 VDD) for a "
                                  "high.",
              "Put U_SHIFT (74HCT125) between: 2-3 SCK, 5-6 MOSI, 9-8 CS, 12-11 LDAC.",
              {"cs": volts_between(3.0, 3.5)}),
        Cause("shifter-off", "U_SHIFT gives no level.",
              "Look at U_SHIFT 14 (+5 V), 7; 1, 4, 10, 13 to ground.",
              {"cs": (-0.1, 2.9)}),
    ),
    ("R_DAC_CS_UP and R_LDAC_UP: 10 kohm to 3.3 V.", "U_SHIFT 9 and 12 go to A_PICO 22 and 27."),
)  # fmt: skip

_SELECT = Step(
    "dac.select",
    "The DAC's select line is DAC_CS, not the matrix' SYNC",
    "The Pico holds one select line low after the other. Meter in V DC, black probe to ground.",
    (
        logic("dac-cs", "DAC_CS_5V", "U_DAC 3", False, Setup(low=("DAC_CS",)), "DAC_CS (GP17) is low."),
        logic("matrix-cs", "DAC_CS_5V", "U_DAC 3", True, Setup(low=("MATRIX_CS",)),
              "MATRIX_CS (GP20) is low."),
    ),
    (
        Cause("sync-and-cs-swapped", "SYNC of the matrix and CS of the DAC are exchanged.",
              "Exchange the wires at A_PICO 22 (DAC_CS) and A_PICO 26 (MATRIX_CS).",
              {"dac-cs": ANY_HIGH, "matrix-cs": LOW}),
        Cause("cs-not-joined", "DAC_CS does not reach the DAC.",
              "Look at A_PICO 22, U_SHIFT 9 and 8, U_DAC 3.",
              {"dac-cs": ANY_HIGH, "matrix-cs": ANY_HIGH}),
        Cause("selects-joined", "DAC_CS and MATRIX_CS are joined.",
              "Look for a wire between A_PICO 22 and 26.",
              {"dac-cs": LOW, "matrix-cs": LOW}),
    ),
    ("A_PICO 22 and 26 themselves.",),
)  # fmt: skip


def _output(index: int, side: str, pin: str, code: int, codes: tuple[int, int], key: str) -> Reading:
    return Reading(key, f"{side}_DAC", f"U_DAC {pin}", volts_between(*dac_volts(code)), _WHY_DAC,
                   setup=Setup(codes=codes), note=f"Code {code}.")  # fmt: skip


_A, _B = (volts_between(*dac_volts(code)) for code in CODES)
_OUTPUTS = Step(
    "dac.outputs",
    "Both outputs follow their codes",
    "The bridges are off, KEEPALIVE is quiet, the matrix is open. What the pumps make of it goes to ground "
    "through the idle leg, if it is there.",
    (
        Reading("left-0", "L_DAC", "U_DAC 14", volts_between(*dac_volts(0)), _WHY_DAC, setup=Setup(),
                note="Code 0."),
        Reading("right-0", "R_DAC", "U_DAC 10", volts_between(*dac_volts(0)), _WHY_DAC, setup=Setup(),
                note="Code 0."),
        _output(0, "L", "14", CODES[0], CODES, "left"),
        _output(1, "R", "10", CODES[1], CODES, "right"),
    ),
    (
        Cause("dac-channels-exchanged", "The outputs A and B are exchanged.", "Exchange U_DAC 14 and 10.",
              {"left": _B, "right": _A}),
        Cause("dac-takes-nothing", "The DAC takes no command.",
              "Look at U_DAC 4 (SCK), 5 (SDI), 8 (LDAC), 9 (SHDN, +5 V) and 1 (+5 V), in this order.",
              {"left": NOTHING, "right": NOTHING}),
    ),
    ("R_L_DAC_DOWN and R_R_DAC_DOWN.", "What is joined to the output: lift U_L_PUMP 3 and U_R_PUMP 3."),
)  # fmt: skip

DAC = Block(
    "dac",
    "DAC and level shifter",
    "Unplug the board. Wire the block dac.",
    ("stimulator-dac",),
    (_REFERENCE_STEP, _LEVEL, _SELECT, _OUTPUTS),
)
