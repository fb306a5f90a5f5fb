"""Logic chips, the Pico and the radio module."""

from __future__ import annotations

from circuit.spec import Cell, PinRow, Spec, rows

_QUAD_GATE = rows(
    "1 1A in;2 1B in;3 1Y out;4 2A in;5 2B in;6 2Y out;7 GND pwr;"
    "8 3Y out;9 3A in;10 3B in;11 4Y out;12 4A in;13 4B in;14 VCC pwr"
)
HCT00 = Spec(
    "74HCT00", "-", "5.5 V, 4 mA", "Texas Instruments", "SN74HCT00N", "onsemi MM74HCT00N",
    "HCT, not HC: a high is 2 V, and the Pico gives 3.3 V", "DIP-14", "U", _QUAD_GATE,
    tuple(Cell("nand", (f"{k}A", f"{k}B", f"{k}Y", "VCC")) for k in range(1, 5)),
)
HC14 = Spec(
    "74HC14", "-", "6 V, 4 mA", "Texas Instruments", "SN74HC14N", "onsemi MM74HC14N",
    "HC, not HCT: the delay needs a threshold near half of 5 V", "DIP-14", "U",
    rows(
        "1 1A in;2 1Y out;3 2A in;4 2Y out;5 3A in;6 3Y out;7 GND pwr;"
        "8 4Y out;9 4A in;10 5Y out;11 5A in;12 6Y out;13 6A in;14 VCC pwr"
    ),
    tuple(Cell("schmitt", (f"{k}A", f"{k}Y", "VCC")) for k in range(1, 7)),
)
HCT125 = Spec(
    "74HCT125", "-", "5.5 V, 6 mA", "Texas Instruments", "SN74HCT125N",
    "Nexperia 74HCT125D (SO-14 on a breakout)",
    "HCT: the MCP4922 needs 3.5 V for a high", "DIP-14", "U",
    rows(
        "1 1OE in;2 1A in;3 1Y out;4 2OE in;5 2A in;6 2Y out;7 GND pwr;"
        "8 3Y out;9 3A in;10 3OE in;11 4Y out;12 4A in;13 4OE in;14 VCC pwr"
    ),
)
HCT423 = Spec(
    "74HCT423", "0.45 RC, 5 %", "5.5 V, 4 mA", "Texas Instruments", "CD74HCT423E",
    "Nexperia 74HCT423D (SO-16 on a breakout)",
    "423, not 123: a rising reset must not trigger it; HCT; 0.45 RC (a 423A of others: 1.0 RC, R to change)",
    "DIP-16", "U",
    rows(
        "1 1A in;2 1B in;3 1R in;4 1QN out;5 2Q out;6 2CX pas;7 2RX pas;8 GND pwr;"
        "9 2A in;10 2B in;11 2R in;12 2QN out;13 1Q out;14 1CX pas;15 1RX pas;16 VCC pwr"
    ),
)
"""Nexperia 74HC_HCT423 rev. 6, 12.1: 0.45 RC; inputs A and B are Schmitt triggers, the reset is not."""

_GPIO = {
    0: 1, 1: 2, 2: 4, 3: 5, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12, 10: 14, 11: 15, 12: 16, 13: 17, 14: 19,
    15: 20,    16: 21, 17: 22, 18: 24, 19: 25, 20: 26, 21: 27, 22: 29, 26: 31, 27: 32, 28: 34,
}
"""GPIO number and pin of the Pico's edge (Pico datasheet, figure 4)."""

_PICO_REST = rows(
    "3 GND1 pwr;8 GND2 pwr;13 GND3 pwr;18 GND4 pwr;23 GND5 pwr;28 GND6 pwr;30 RUN in;33 AGND pwr;"
    "35 ADC_VREF in;36 3V3 src;37 3V3_EN in;38 GND7 pwr;39 VSYS bi;40 VBUS src"
)


def _pico_pins() -> tuple[PinRow, ...]:
    gpio = [(str(pin), f"GP{number}", "bi") for number, pin in _GPIO.items()]
    return tuple(sorted([*gpio, *_PICO_REST], key=lambda row: int(row[0])))


PICO = Spec(
    "Raspberry Pi Pico", "-", "5.5 V", "Raspberry Pi", "SC0915", "Raspberry Pi SC0917 (with headers)",
    "RP2040 and 2 MB W25Q16JV: the firmware is for this board", "module", "A", _pico_pins(),
)
RADIO = Spec(
    "nRF24L01+ module", "-", "1.9-3.6 V", "Ebyte", "E01-ML01DP5", "SparkFun WRL-00691",
    "a genuine Nordic nRF24L01P, by the module's maker; 2 x 4 pins in this order; 3.3 V", "2 x 4 header", "A",
    rows("1 GND pwr;2 VCC pwr;3 CE in;4 CSN in;5 SCK in;6 MOSI in;7 MISO out;8 IRQ out"),
)
