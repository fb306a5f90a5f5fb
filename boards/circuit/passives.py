"""Resistors, capacitors, diodes, transistors and what else has two or three legs."""

from __future__ import annotations

from circuit.spec import TWO_PINS, Cell, Spec, rows

_R_CELL = (Cell("R", ("1", "2")),)
_C_CELL = (Cell("C", ("1", "2")),)


def _code(ohm: float, digits: int = 1) -> str:
    """A resistor as the industry writes it, with as many digits at least: 4.02 kohm is 4K02, 3 kohm 3K0."""
    for unit, letter in ((1e6, "M"), (1e3, "K"), (1.0, "R")):
        if ohm >= unit:
            whole, _, rest = f"{ohm / unit:.3f}".rstrip("0").partition(".")
            return f"{whole}{letter}{rest.ljust(digits - len(whole), '0')}"
    raise ValueError(f"{ohm} ohm")


def _four_digits(ohm: float) -> str:
    """Three digits and a power of ten: 1.5 kohm is 1501."""
    power = 0
    while ohm >= 1000.0:
        ohm, power = ohm / 10.0, power + 1
    return f"{round(ohm)}{power}"


def _text(ohm: float) -> str:
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if ohm >= unit:
            return f"{ohm / unit:g}{letter}"
    return f"{ohm:g}"


def precise(ohm: float) -> Spec:
    """0.1 %, 15 ppm/K: sets a current or a gain."""
    return Spec(
        _text(ohm), "0.1 %", "0.25 W, 15 ppm/K", "TE Connectivity", f"YR1B{_code(ohm, 2)}CC",
        f"Vishay MBB0207 0.1 % 15 ppm {_text(ohm)}", "0.1 %, 25 ppm/K or better, metal film", "axial",
        "R", TWO_PINS, _R_CELL, ohm, 0.001,
    )


def plain(ohm: float) -> Spec:
    """1 %: pulls, bleeds and stoppers up to 10 Mohm."""
    return Spec(
        _text(ohm), "1 %", "0.25 W, 100 ppm/K", "Vishay", f"MRS25000C{_four_digits(ohm)}FCT00",
        f"Yageo MFR-25FBF52-{_code(ohm)}", "1 %, 0.25 W", "axial", "R", TWO_PINS, _R_CELL, ohm, 0.01,
    )


BLEED = Spec(
    "100M", "5 %", "0.25 W, 1600 V", "Vishay", "VR25000001006JA100", "Ohmite MOX-200001006JE",
    "100 Mohm, 5 %, 50 V or more, clean body", "axial", "R", TWO_PINS, _R_CELL, 100e6, 0.05,
)


def ceramic(picofarad: float) -> Spec:
    """C0G, 5 %: where the value sets a time."""
    return Spec(
        f"{picofarad:g}p", "5 %", "50 V, C0G", "Vishay", f"K{int(picofarad)}J15C0GF5TL2",
        "TDK FG18C0G series, same value", "C0G, 5 %, 50 V", "radial 5 mm",
        "C", TWO_PINS, _C_CELL, picofarad * 1e-12, 0.05,
    )


DECOUPLE = Spec(
    "100n", "10 %", "50 V, X7R", "Vishay", "K104K15X7RF5TL2", "KEMET C320C104K5R5TA", "X7R, 50 V",
    "radial 5 mm", "C", TWO_PINS, _C_CELL, 100e-9, 0.1,
)
BULK = Spec(
    "10u", "20 %", "35 V electrolytic", "Panasonic", "EEU-FC1V100", "Nichicon UPW1V100MDD",
    "10-22 uF, 35 V, 105 C", "radial 2 mm", "C",
    (("1", "+", "pas"), ("2", "-", "pas")), (Cell("C", ("+", "-")),), 10e-6, 0.2,
)
BLOCKING = Spec(
    "4.7u", "5 %", "63 V polyester film", "WIMA", "MKS2C044701N00JSSD", "KEMET R82CC4470Z360J",
    "film, never electrolytic or X7R (its value falls with voltage); 63 V; 5 %", "radial 5 mm",
    "C", TWO_PINS, _C_CELL, 4.7e-6, 0.05,
)
TIMING = Spec(
    "1u", "5 %", "63 V polyester film", "WIMA", "MKS2C041001F00JSSD", "KEMET R82DC4100AA60J",
    "film, 5 %", "radial 5 mm", "C", TWO_PINS, _C_CELL, 1e-6, 0.05,
)
COIL = Spec(
    "10u", "10 %", "1 A", "Bourns", "RLB0914-100KL", "Wuerth 744741100", "10 uH, 0.5 A, under 0.2 ohm",
    "radial", "L", TWO_PINS, (Cell("L", ("1", "2")),), 10e-6, 0.1,
)
FUSE = Spec(
    "0.5A", "-", "0.5 A hold, 1 A trip, 30 V", "Bourns", "MF-R050", "Littelfuse RXEF050", "PTC, 0.5 A hold",
    "radial", "F", TWO_PINS,
)

_DIODE = (("1", "K", "pas"), ("2", "A", "pas"))
DIODE = Spec(
    "1N4148", "-", "75 V, 150 mA, 4 ns", "onsemi", "1N4148", "Vishay 1N4148-TAP", "4 ns, 5 pF", "DO-35", "D",
    _DIODE, (Cell("dsig", ("A", "K")),),
)
SCHOTTKY = Spec(
    "BAT85", "-", "30 V, 200 mA, 10 pF", "Nexperia", "BAT85,113", "Vishay BAT85S-TAP",
    "Schottky, 10 pF, 0.4 V at 10 mA", "DO-34", "D", _DIODE, (Cell("dschottky", ("A", "K")),),
)
CLAMP = Spec(
    "BAT54S", "-", "30 V, 200 mA", "Nexperia", "BAT54S,215", "onsemi BAT54SLT1G",
    "two Schottky diodes in series, 10 pF; or two BAT85", "SOT-23 on a breakout", "D",
    (("1", "A1", "pas"), ("2", "K2", "pas"), ("3", "MID", "pas")),
    (Cell("dschottky", ("A1", "MID")), Cell("dschottky", ("MID", "K2"))),
)
NMOS = Spec(
    "2N7000", "-", "60 V, 200 mA", "onsemi", "2N7000", "Microchip 2N7000-G",
    "60 V, threshold 0.8-3 V, Ciss 60 pF or less", "TO-92", "Q",
    rows("1 S pas;2 G in;3 D pas"), (Cell("nmos", ("D", "G", "S")),),
)
PMOS = Spec(
    "ZVP3306A", "-", "60 V, 160 mA, 14 ohm", "Diodes Inc.", "ZVP3306A", "Microchip VP0106N3-G",
    "60 V; Crss 8 pF, Coss 30 pF or less (they slow the start of a phase); mind the order of the legs",
    "TO-92 (E-line)", "Q", rows("1 D pas;2 G in;3 S pas"), (Cell("pmos", ("D", "G", "S")),),
)
RELAY = Spec(
    "2 form A, 5 V", "10 % of the coil's 200 ohm", "100 V, 0.5 A; 1 ms", "Littelfuse", "HE722A0500",
    "Standex-Meder DIP05-2A72-21L",
    "reed, two normally-open contacts, 5 V coil of 140 ohm or more; see its pins",
    "DIP-14 outline", "K",
    rows("2 COIL+ pas;6 COIL- pas;1 A1 pas;14 A2 pas;7 B1 pas;8 B2 pas"),
    (
        Cell("R", ("COIL+", "COIL-"), {"value": 200.0}),
        Cell("contact", ("A1", "A2", "COIL+", "COIL-")),
        Cell("contact", ("B1", "B2", "COIL+", "COIL-")),
    ),
)
BUTTON = Spec(
    "push button", "-", "24 V, 50 mA", "Omron", "B3F-1000", "TE Connectivity 1825910-6",
    "6 x 6 mm, normally open",
    "through-hole", "SW", TWO_PINS,
)
REED = Spec(
    "reed switch", "-", "100 V, 0.5 A", "Littelfuse", "MDSR-10-10-15", "Standex-Meder ORD213 10-15 AT",
    "normally open, 10-20 AT", "glass, axial", "SW", TWO_PINS,
)


def led(colour: str, kingbright: str, vishay: str) -> Spec:
    """A 3 mm LED."""
    return Spec(
        f"LED {colour}", "-", "20 mA", "Kingbright", kingbright, f"Vishay {vishay}", f"3 mm, {colour}, 2 V",
        "T-1", "D", _DIODE,
    )


BUZZER = Spec(
    "piezo disc", "-", "30 V peak, 20 nF", "Murata", "7BB-20-6L0", "CUI CEB-20D64", "piezo without a driver",
    "disc",
    "BZ", TWO_PINS,
)


def header(pins: tuple[str, ...], kind: str = "pas") -> Spec:
    """A screw terminal, one pin a wire."""
    return Spec(
        f"terminal {len(pins)}", "-", "10 A, 300 V", "Phoenix Contact", f"MKDS 1/{len(pins)}-3,5",
        f"Wuerth 69121430000{len(pins)}", "3.5 mm pitch", "through-hole", "J",
        tuple((str(i), name, kind) for i, name in enumerate(pins, 1)),
    )
