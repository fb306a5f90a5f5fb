"""From the DAC's volts to a lead's four electrodes: pump, bridge, lead."""

from __future__ import annotations

from circuit.chips import ADG1414, DG412, MCP4922, opa2197
from circuit.modules import HCT125
from circuit.passives import BLEED, BLOCKING, NMOS, PMOS, ceramic, plain, precise
from circuit.sheet import Sheet

PUMP_A_PER_V = 750.0 / (3e3 * 100.0)
"""R2 / (R1 R3) of `pump`: 2.5 mA/V."""


def converter(sheet: Sheet) -> None:
    """The DAC behind level shifters; a select line rests high, whatever the Pico does."""
    sheet.block("dac")
    for line in ("DAC_CS", "MATRIX_CS", "LDAC"):
        sheet.two(plain(10e3), line, "+3V3", f"R_{line}_UP")
    for line in ("DAC_SCK", "DAC_MOSI"):
        sheet.two(plain(100e3), line, "GND", f"R_{line}_DOWN")
    joins: dict[str, str | None] = {"GND": "GND", "VCC": "+5V"}
    for k, line in enumerate(("DAC_SCK", "DAC_MOSI", "DAC_CS", "LDAC"), 1):
        joins |= {f"{k}OE": "GND", f"{k}A": line, f"{k}Y": f"{line}_5V"}
    sheet.add(HCT125, joins, "U_SHIFT")
    sheet.add(
        MCP4922,
        {
            "VDD": "+5V", "CS": "DAC_CS_5V", "SCK": "DAC_SCK_5V", "SDI": "DAC_MOSI_5V", "LDAC": "LDAC_5V",
            "SHDN": "+5V", "VOUTB": "R_DAC", "VREFB": "V_REF4V096", "VSS": "GND", "VREFA": "V_REF4V096",
            "VOUTA": "L_DAC",
        },
        "U_DAC",
    )
    sheet.decouple("+5V", "+5V")


def pump(sheet: Sheet, side: str) -> None:
    """Two transistors instead of a Howland pump: 0 V sinks nothing, and no pair of resistors must match.

    The first op-amp makes V_DAC / R1 flow through R2 (to +15 V), the second the same voltage across R3.
    The drain
    is the output: its resistance is megohms, and it cannot overshoot, since no op-amp has to move it.
    """
    sheet.block(f"pump {side}")
    s = f"{side}_"
    sheet.two(plain(100e3), f"{s}DAC", "GND", f"R_{s}DAC_DOWN")
    sheet.add(
        opa2197("pump"),
        {
            "OUTA": f"{s}G1", "INA-": f"{s}N1", "INA+": f"{s}DAC", "V-": "GND",
            "INB+": f"{s}D1", "INB-": f"{s}N2", "OUTB": f"{s}G2", "V+": "+15V",
        },
        f"U_{s}PUMP",
    )
    sheet.decouple("+15V")
    sheet.two(plain(220), f"{s}G1", f"{s}G1R", f"R_{s}GATE1")
    sheet.add(NMOS, {"S": f"{s}S1", "G": f"{s}G1R", "D": f"{s}D1"}, f"Q_{s}SINK")
    sheet.two(precise(3e3), f"{s}S1", "GND", f"R_{s}ONE")
    sheet.two(plain(1e3), f"{s}S1", f"{s}N1", f"R_{s}LOOP1")
    sheet.two(ceramic(47), f"{s}G1", f"{s}N1", f"C_{s}LOOP1")
    sheet.two(precise(750), "+15V", f"{s}D1", f"R_{s}TWO")
    sheet.two(plain(220), f"{s}G2", f"{s}G2R", f"R_{s}GATE2")
    sheet.add(PMOS, {"D": f"{s}P", "G": f"{s}G2R", "S": f"{s}S2"}, f"Q_{s}OUT")
    sheet.two(precise(100), "+15V", f"{s}S2", f"R_{s}THREE")
    # Two: an open loop here takes 60 to 85 uA from every current, as a sound DAC's offset may.
    sheet.two(plain(2e3), f"{s}S2", f"{s}N2", f"R_{s}LOOP2")
    sheet.two(plain(2e3), f"{s}S2", f"{s}N2", f"R_{s}LOOP2_B")
    sheet.two(ceramic(47), f"{s}G2", f"{s}N2", f"C_{s}LOOP2")


def bridge(sheet: Sheet, side: str) -> None:
    """Four switches: CATH joins P to B and A to ground, ANOD joins P to A and B to ground."""
    sheet.block(f"bridge {side}")
    s = f"{side}_"
    sheet.add(
        DG412,
        {
            "D1": f"{s}P", "S1": f"{s}A", "IN1": f"{s}ANOD_G", "D2": f"{s}P", "S2": f"{s}B",
            "IN2": f"{s}CATH_G",
            "D3": f"{s}A", "S3": "GND", "IN3": f"{s}CATH_G", "D4": f"{s}B", "S4": "GND", "IN4": f"{s}ANOD_G",
            "V-": "-15V", "GND": "GND", "VL": "+5V", "V+": "+15V",
        },
        f"U_{s}BRIDGE",
    )
    sheet.decouple("+15V", "-15V")


def idle_and_short(sheet: Sheet) -> None:
    """Of both leads: the idle leg, which carries the current between phases, and the recharge switch."""
    sheet.block("idle and recharge")
    joins: dict[str, str | None] = {"V-": "-15V", "GND": "GND", "VL": "+5V", "V+": "+15V"}
    for k, side in ((1, "L"), (3, "R")):
        joins |= {f"D{k}": f"{side}_P", f"S{k}": "GND", f"IN{k}": f"{side}_IDLE_G"}
        joins |= {f"D{k + 1}": f"{side}_SH", f"S{k + 1}": f"{side}_B", f"IN{k + 1}": f"{side}_SHORT_G"}
        sheet.two(plain(1e3), f"{side}_X", f"{side}_SH", f"R_{side}_SHORT")
    sheet.add(DG412, joins, "U_IDLE")
    sheet.decouple("+15V", "-15V")
    # A second switch with a driver of its own: with a single one that stays open each phase would begin with
    # 23 mA, and no sample of a therapy shows it.
    second: dict[str, str | None] = {"V-": "-15V", "GND": "GND", "VL": "+5V", "V+": "+15V"}
    for k, side in ((1, "L"), (3, "R")):
        second |= {f"D{k}": f"{side}_P", f"S{k}": "GND", f"IN{k}": f"{side}_IDLE2_G"}
        second |= {f"D{k + 1}": None, f"S{k + 1}": None, f"IN{k + 1}": "GND"}
    sheet.add(DG412, second, "U_IDLE2")
    sheet.decouple("+15V", "-15V")


def lead(sheet: Sheet, side: str) -> None:
    """Shunt, blocking capacitor, rails and the eight switches to four electrodes."""
    sheet.block(f"lead {side}")
    s = f"{side}_"
    sheet.two(precise(15), f"{s}A", f"{s}X", f"R_{s}SHUNT")
    sheet.two(BLOCKING, f"{s}X", f"{s}BLOCK", f"C_{s}BLOCK")
    sheet.two(plain(10e6), f"{s}X", f"{s}B", f"R_{s}BLEED_XB")
    sheet.two(BLEED, f"{s}B", "GND", f"R_{s}BLEED_B")
    sheet.two(BLEED, f"{s}SRC", f"{s}SNK", f"R_{s}BLEED_RAILS")
    sheet.two(BLEED, f"{s}SNK", "GND", f"R_{s}BLEED_SNK")
    joins: dict[str, str | None] = {
        "SCLK": "DAC_SCK", "VDD": "+15V", "GND": "GND", "VSS": "-15V", "RESET/VL": "+3V3",
        "SYNC": "MATRIX_CS",
        "DIN": "DAC_MOSI" if side == "L" else "MATRIX_CHAIN", "SDO": "MATRIX_CHAIN" if side == "L" else None,
    }
    for k in range(8):
        joins |= {f"D{k + 1}": f"{s}SRC" if k < 4 else f"{s}SNK", f"S{k + 1}": f"{s}E{k % 4}"}
    sheet.add(ADG1414, joins, f"U_{s}MATRIX")
    if side == "L":
        sheet.two(plain(1e3), "MATRIX_CHAIN", "+3V3", "R_CHAIN_UP")
    sheet.decouple("+15V", "-15V", "+3V3")
