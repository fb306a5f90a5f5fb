"""Supplies and references of the stimulator. Always on: no line of the firmware reaches them."""

from __future__ import annotations

from circuit.chips import DCDC, MCP6022, REF_3V3, REF_4V096
from circuit.passives import BULK, COIL, FUSE, plain, precise
from circuit.sheet import Sheet


def supply(sheet: Sheet) -> None:
    """USB's 5 V behind a fuse; +-15 V from a regulated converter, filtered."""
    sheet.block("supply")
    sheet.two(FUSE, "VBUS", "+5V")
    sheet.two(BULK, "+5V", "GND")
    sheet.add(
        DCDC,
        {"VIN-": "GND", "VIN+": "+5V", "REMOTE": None, "OUT+": "RAW+15V", "COMMON": "GND", "OUT-": "RAW-15V"},
        "U_DCDC",
    )
    sheet.two(COIL, "RAW+15V", "+15V", "L_POS")
    sheet.two(COIL, "RAW-15V", "-15V", "L_NEG")
    sheet.two(BULK, "RAW+15V", "GND")
    sheet.two(BULK, "GND", "RAW-15V")
    sheet.two(BULK, "+15V", "GND", "C_POS")
    sheet.two(BULK, "GND", "-15V", "C_NEG")


def references(sheet: Sheet) -> None:
    """3.300 V for the Pico's converter, 4.096 V for the DAC, and 1.65 V, the middle of what is measured."""
    sheet.block("references")
    sheet.add(REF_3V3, {"VIN": "+5V", "GND": "GND", "VOUT": "V_REF3V3"}, "U_REF3V3")
    sheet.two(BULK, "V_REF3V3", "GND")
    sheet.two(plain(470), "+5V", "V_REF4V096", "R_REF4V096")
    sheet.add(REF_4V096, {"A": "GND", "K": "V_REF4V096"}, "U_REF4V096")
    sheet.two(precise(10e3), "V_REF3V3", "V_HALF", "R_HALF_HI")
    sheet.two(precise(10e3), "V_HALF", "GND", "R_HALF_LO")
    sheet.add(
        MCP6022,
        {
            "OUTA": "V_MID", "INA-": "V_MID", "INA+": "V_HALF", "V-": "GND",
            "INB+": "V_HALF", "INB-": "SPARE_B", "OUTB": "SPARE_B", "V+": "+3V3",
        },
        "U_MID",
    )
    sheet.decouple("+5V", "V_REF3V3", "V_REF4V096", "V_HALF", "+3V3")
