"""The chips of the signal path. Pins and SPICE figures are from their datasheets, named below each."""

from __future__ import annotations

from circuit.spec import Cell, PinRow, Spec, rows

_DUAL_OPAMP = rows("1 OUTA out;2 INA- in;3 INA+ in;4 V- pwr;5 INB+ in;6 INB- in;7 OUTB out;8 V+ pwr")


def _two_opamps(**params: float) -> tuple[Cell, ...]:
    return tuple(
        Cell("opamp", (f"IN{half}+", f"IN{half}-", "V+", "V-", f"OUT{half}"), params) for half in "AB"
    )


def opa2197(use: str) -> Spec:
    """OPA2197 (TI SBOS737, 6.6): 10 MHz, 20 V/us, rail to rail, 5 pA, 0.1 mV; as pump or as buffer."""
    second = {"pump": "Analog Devices ADA4084-2ARZ", "buffer": "Analog Devices ADA4610-2ARZ"}[use]
    match = {
        "pump": "10 MHz, inputs that work at the positive rail, output to within 0.2 V of both rails",
        "buffer": "20 pA, 10 MHz; inputs -2 V to +13 V on +-15 V",
    }[use]
    return Spec(
        "OPA2197", "-", "36 V", "Texas Instruments", "OPA2197IDR", second, match,
        "SOIC-8 on a DIP-8 breakout",
        "U", _DUAL_OPAMP,
        _two_opamps(gbw=10e6, sr=20e6, vos=25e-6, rout=375.0, ib=5e-12, cin=6.4e-12, hi=0.1, lo=0.1),
    )


MCP6022 = Spec(
    "MCP6022", "-", "5.5 V", "Microchip", "MCP6022-I/P", "Texas Instruments OPA2340PA",
    "5 MHz, rail to rail at 3.3 V, 0.5 mV", "DIP-8", "U", _DUAL_OPAMP,
    _two_opamps(gbw=10e6, sr=7e6, vos=0.25e-3, rout=100.0, ib=1e-12, cin=6e-12, hi=0.015, lo=0.015),
)
"""Microchip DS20001685, 1.0: 10 MHz, 7 V/us, 0.5 mV, outputs within 15 mV of the rails."""

INA821 = Spec(
    "INA821", "-", "36 V, inputs +-40 V", "Texas Instruments", "INA821IDR", "Analog Devices AD8221ARZ",
    "gain 1 + 49.4 k/RG and this order of pins; inputs to 13 V on +-15 V; 0.5 MHz at a gain of 10",
    "SOIC-8 on a DIP-8 breakout", "U",
    rows("1 IN- in;2 RGA pas;3 RGB pas;4 IN+ in;5 V- pwr;6 REF in;7 OUT out;8 V+ pwr"),
    (Cell("inamp", ("IN+", "IN-", "RGA", "RGB", "REF", "V+", "V-", "OUT")),),
)
"""TI SBOS893, 6.5 and 7.3.1: 35 uV, 0.5 nA, 112 dB at a gain of 10, 2 V/us; inputs 2 V inside the rails."""

DG412 = Spec(
    "DG412", "-", "+-15 V (44 V in all), 30 mA", "Vishay", "DG412DJ-E3", "Renesas DG412DJZ",
    "four switches, closed by a high input; 35 ohm or less at +-15 V; 10 pC; 175 ns on, 145 ns off",
    "DIP-16", "U",
    rows(
        "1 IN1 in;2 D1 pas;3 S1 pas;4 V- pwr;5 GND pwr;6 S4 pas;7 D4 pas;8 IN4 in;"
        "9 IN3 in;10 D3 pas;11 S3 pas;12 VL pwr;13 V+ pwr;14 S2 pas;15 D2 pas;16 IN2 in"
    ),
    tuple(Cell("switch", (f"D{k}", f"S{k}", f"IN{k}")) for k in range(1, 5)),
)
"""Vishay 70050 / Maxim 19-4728: 25 ohm (35 at most), 110 ns on (175), 100 ns off (145), 5 pC (10), 0.25 nA,
9 pF off and 35 pF on."""

ADG1414 = Spec(
    "ADG1414", "-", "+-15 V (35 V in all), 50 mA a switch", "Analog Devices", "ADG1414BRUZ",
    "Analog Devices ADG1414BCPZ (other package); Maxim MAX335CNG+ with 150 ohm and other pins",
    "eight switches behind one shift register that can be chained; +-15 V; 15 ohm",
    "TSSOP-24 on a DIP-24 breakout", "U",
    rows(
        "1 SCLK in;2 VDD pwr;3 DIN in;4 GND pwr;5 S1 pas;6 D1 pas;7 S2 pas;8 D2 pas;9 S3 pas;10 D3 pas;"
        "11 S4 pas;12 D4 pas;13 D5 pas;14 S5 pas;15 D6 pas;16 S6 pas;17 D7 pas;18 S7 pas;"
        "19 D8 pas;20 S8 pas;21 VSS pwr;22 SDO oc;23 RESET/VL pwr;24 SYNC in"
    ),
    tuple(Cell("matrix", (f"D{k}", f"S{k}"), {"on": 0.0}) for k in range(1, 9)),
)
"""Analog Devices rev. B, table 1: 9.5 ohm (11.5), 0.15 nA, 9 pF off, 32 pF on, 10 pC; table 6: SDO after
40 ns
with 1 kohm and 20 pF, so on a breadboard 1 MHz or less. Nobody else makes one that the firmware can drive."""

MCP4922 = Spec(
    "MCP4922", "INL 12 LSB, offset 0.02 %, gain 0.1 %", "5.5 V", "Microchip", "MCP4922-E/P",
    "Microchip MCP4922-E/SL (SOIC-14 on a breakout); nobody else makes one that the firmware can drive",
    "its commands: two channels of 12 bits, LDAC", "DIP-14", "U",
    rows(
        "1 VDD pwr;2 NC1 nc;3 CS in;4 SCK in;5 SDI in;6 NC2 nc;7 NC3 nc;8 LDAC in;9 SHDN in;10 VOUTB out;"
        "11 VREFB in;12 VSS pwr;13 VREFA in;14 VOUTA out"
    ),
)

_SOIC_REFERENCE: tuple[PinRow, ...] = rows(
    "1 NC1 nc;2 VIN pwr;3 NC2 nc;4 GND pwr;5 NC3 nc;6 VOUT src;7 NC4 nc;8 NC5 nc"
)
REF_3V3 = Spec(
    "ADR4533", "0.02 %", "15 V, sources and sinks 10 mA", "Analog Devices", "ADR4533BRZ",
    "Microchip MCP1501-33E/SN (other pins)",
    "3.300 V, 0.1 %; it must sink 2 mA: the Pico's own 200 ohm joins it to 3V3", "SOIC-8 on a DIP-8 breakout",
    "U", _SOIC_REFERENCE, (Cell("source", ("VOUT", "GND"), {"volt": 3.3}),),
)
REF_4V096 = Spec(
    "LM4040-4.1", "0.1 %", "0.1-15 mA, shunt", "Texas Instruments", "LM4040AIZ-4.1/NOPB",
    "Microchip LM4040CYM3-4.1 (0.5 %, SOT-23)", "4.096 V shunt, 0.1 %", "TO-92", "U",
    rows("1 NC1 nc;2 A pas;3 K pas"),
)
DCDC = Spec(
    "5 V to +-15 V", "2 %", "3 W, +-100 mA, 4.5-9 V in, isolated", "Traco Power", "TMR 3-0523",
    "RECOM RS3-0515D", "regulated to 2 %, +-60 mA or more, in and out of SIP-8; not an unregulated one",
    "SIP-8", "U",
    rows("1 VIN- pwr;2 VIN+ pwr;3 REMOTE in;5 NC1 nc;6 OUT+ src;7 COMMON pwr;8 OUT- src"),
    (Cell("source", ("OUT+", "COMMON"), {"volt": 15.0}), Cell("source", ("COMMON", "OUT-"), {"volt": 15.0})),
)
"""Traco TMR 3: 2 % set, 1 % over the load, 47 uF at most on each output."""
