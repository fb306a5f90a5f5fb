"""What the Pico's converter sees: 1.65 V + V/10 of each lead, and 1.65 V + 0.15 V/mA of both."""

from __future__ import annotations

from circuit.chips import INA821, MCP6022, opa2197
from circuit.passives import CLAMP, ceramic, plain, precise
from circuit.sheet import Sheet

CURRENT_V_PER_A = 15.0 * (1.0 + 49.4e3 / 5.49e3)
"""Shunt times the gain that RG sets (INA821, 7.3.1): 150 V/A within 0.02 %."""


def voltage(sheet: Sheet) -> None:
    """Buffers on the four rails, then a difference amplifier a lead, powered by 3.3 V as the converter is."""
    sheet.block("sense")
    joins: dict[str, str | None] = {"V-": "GND", "V+": "+3V3"}
    for side, half, name in (("L", "A", "V_LEFT"), ("R", "B", "V_RIGHT")):
        s = f"{side}_"
        sheet.two(plain(1e3), f"{s}SRC", f"{s}SRC_IN", f"R_{s}SRC_IN")
        sheet.two(plain(1e3), f"{s}SNK", f"{s}SNK_IN", f"R_{s}SNK_IN")
        sheet.add(
            opa2197("buffer"),
            {
                "OUTA": f"{s}SRC_BUF", "INA-": f"{s}SRC_BUF", "INA+": f"{s}SRC_IN", "V-": "-15V",
                "INB+": f"{s}SNK_IN", "INB-": f"{s}SNK_BUF", "OUTB": f"{s}SNK_BUF", "V+": "+15V",
            },
            f"U_{s}BUFFER",
        )
        sheet.decouple("+15V", "-15V")
        sheet.two(precise(100e3), f"{s}SRC_BUF", f"{s}VP", f"R_{s}VP_IN")
        sheet.two(precise(10e3), f"{s}VP", "V_MID", f"R_{s}VP_MID")
        sheet.two(precise(100e3), f"{s}SNK_BUF", f"{s}VN", f"R_{s}VN_IN")
        sheet.two(precise(10e3), f"{s}VN", f"{s}V_OUT", f"R_{s}VN_OUT")
        joins |= {f"IN{half}+": f"{s}VP", f"IN{half}-": f"{s}VN", f"OUT{half}": f"{s}V_OUT"}
        _to_converter(sheet, f"{s}V_OUT", name)
    sheet.add(MCP6022, joins, "U_VSENSE")
    sheet.decouple("+3V3")


def current(sheet: Sheet) -> None:
    """A shunt and an instrumentation amplifier a lead. The left one's output is the right one's reference.

    So both currents add without a resistor. The leads never pulse at once, and each keeps its sign.
    """
    sheet.block("sense")
    for side, middle, out in (("L", "V_MID", "L_I_OUT"), ("R", "L_I_OUT", "I_OUT")):
        s = f"{side}_"
        sheet.two(precise(5.49e3), f"{s}RGA", f"{s}RGB", f"R_{s}GAIN")
        sheet.add(
            INA821,
            {
                "IN-": f"{s}X", "RGA": f"{s}RGA", "RGB": f"{s}RGB", "IN+": f"{s}A", "V-": "-15V",
                "REF": middle,
                "OUT": out, "V+": "+15V",
            },
            f"U_{s}ISENSE",
        )
        sheet.decouple("+15V", "-15V")
    _to_converter(sheet, "I_OUT", "I_SENSE")


def _to_converter(sheet: Sheet, source: str, pin: str) -> None:
    """1 kohm, a clamp to ground and 3.3 V, 220 pF: a pole at 0.7 MHz."""
    sheet.two(plain(1e3), source, pin, f"R_{pin}")
    sheet.add(CLAMP, {"A1": "GND", "K2": "+3V3", "MID": pin}, f"D_{pin}")
    sheet.two(ceramic(220), pin, "GND", f"C_{pin}")
