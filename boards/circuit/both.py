"""The two boards, put together."""

from __future__ import annotations

from circuit import control, gate, output, sense, supply
from circuit.passives import BULK, SCHOTTKY, header
from circuit.sheet import Sheet


def stimulator() -> Sheet:
    """Two leads of four electrodes."""
    sheet = Sheet("stimulator")
    control.pico(
        sheet, control.STIMULATOR_PINS, {"VBUS": "VBUS", "ADC_VREF": "V_REF3V3"}
    )
    supply.supply(sheet)
    supply.references(sheet)
    control.magnet(sheet)
    gate.monostable(sheet)
    gate.gates(sheet)
    gate.relays(sheet)
    output.converter(sheet)
    for side in "LR":
        output.pump(sheet, side)
        output.bridge(sheet, side)
    output.idle_and_short(sheet)
    for side in "LR":
        output.lead(sheet, side)
        control.electrodes(sheet, side)
    sense.voltage(sheet)
    sense.current(sheet)
    control.radio(sheet)
    return sheet


def remote() -> Sheet:
    """The handheld: USB, or three 1.5 V cells behind a Schottky diode (Pico datasheet, 4.5)."""
    sheet = Sheet("remote")
    control.pico(sheet, control.REMOTE_PINS, {"VSYS": "VSYS"})
    sheet.block("supply")
    sheet.add(header(("BAT+", "BAT-")), {"BAT+": "BATTERY", "BAT-": "GND"}, "J_BATTERY")
    sheet.two(SCHOTTKY, "VSYS", "BATTERY", "D_BATTERY")
    sheet.two(BULK, "VSYS", "GND")
    control.panel(sheet)
    control.radio(sheet)
    return sheet
