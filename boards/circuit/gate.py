"""Q of the monostable over everything: it gates the six bridge lines, and holds the relays in the leads.

A line goes Pico -> NAND with Q -> delay -> Schmitt inverter -> switch. The delay of a phase acts on one
side only:
its switches close at once and open about 120 ns late. The idle leg is late on both sides. So when a phase
begins
the current has two ways for a moment, never none, and the phase is as long as the Pico's.
"""

from __future__ import annotations

from circuit.modules import HC14, HCT00, HCT423
from circuit.passives import DIODE, NMOS, RELAY, SCHOTTKY, TIMING, ceramic, plain
from circuit.sheet import Sheet

LINES = ("CATH", "ANOD", "SHORT")
DELAY_OHM, DELAY_PF = 1500.0, 100.0


def monostable(sheet: Sheet) -> None:
    """120 ms (107 to 133) from the last rising edge of KEEPALIVE; a low MAGNET ends it at once."""
    sheet.block("monostable")
    sheet.two(plain(267e3), "+5V", "MONO_RX", "R_MONO")
    sheet.two(TIMING, "MONO_CX", "MONO_RX", "C_MONO")
    sheet.two(DIODE, "+5V", "MONO_RX")
    sheet.add(
        HCT423,
        {
            "1A": "GND", "1B": "KEEPALIVE", "1R": "MAGNET", "1QN": None, "2Q": None, "2CX": None, "2RX": None,
            "GND": "GND", "2A": "+5V", "2B": "GND", "2R": "GND", "2QN": None, "1Q": "Q", "1CX": "MONO_CX",
            "1RX": "MONO_RX", "VCC": "+5V",
        },
        "U_MONO",
    )
    sheet.two(plain(100e3), "Q", "GND", "R_Q_DOWN")
    sheet.two(plain(10e3), "Q", "GATE_Q")
    sheet.two(plain(20e3), "GATE_Q", "GND")
    sheet.decouple("+5V")


def gates(sheet: Sheet) -> None:
    """Six NANDs with Q, one a line; two that tell whether a lead is in a phase."""
    sheet.block("gate")
    first = ("L_CATH", "L_ANOD", "L_SHORT", "R_CATH")
    _nands(sheet, "U_GATE1", [(line, "Q", f"{line}_N") for line in first])
    _nands(
        sheet,
        "U_GATE2",
        [
            ("R_ANOD", "Q", "R_ANOD_N"),
            ("R_SHORT", "Q", "R_SHORT_N"),
            ("L_CATH_N", "L_ANOD_N", "L_BUSY"),
            ("R_CATH_N", "R_ANOD_N", "R_BUSY"),
        ],
    )
    for side in "LR":
        for line in LINES:
            sheet.two(plain(10e3), f"{side}_{line}", "GND", f"R_{side}_{line}_DOWN")
    for side in "LR":
        ways = []
        sheet.block(f"drive {side}")
        for source, name in (("CATH_N", "CATH"), ("ANOD_N", "ANOD"), ("BUSY", "IDLE")):
            _delay(sheet, f"{side}_{source}", f"{side}_{name}_D", f"{side}_{name}")
            ways.append((f"{side}_{name}_D", f"{side}_{name}_G"))
        ways.append((f"{side}_SHORT_N", f"{side}_SHORT_G"))
        ways.append((f"{side}_IDLE_D", f"{side}_IDLE2_G"))
        _inverters(sheet, f"U_{side}_DRIVE", ways)


def relays(sheet: Sheet) -> None:
    """Two normally-open contacts in each lead, closed while Q is high; one driver a lead."""
    sheet.block("relays")
    for side in "LR":
        sheet.two(plain(1e3), "Q", f"{side}_COIL_G", f"R_{side}_COIL")
        sheet.two(plain(100e3), f"{side}_COIL_G", "GND", f"R_{side}_COIL_DOWN")
        sheet.add(
            NMOS, {"S": "GND", "G": f"{side}_COIL_G", "D": f"{side}_COIL"}, f"Q_{side}_COIL"
        )
        sheet.two(DIODE, "+5V", f"{side}_COIL", f"D_{side}_COIL")
        sheet.add(
            RELAY,
            {
                "COIL+": "+5V", "COIL-": f"{side}_COIL", "A1": f"{side}_BLOCK", "A2": f"{side}_SRC",
                "B1": f"{side}_B", "B2": f"{side}_SNK",
            },
            f"K_{side}",
        )


def _nands(sheet: Sheet, ref: str, ways: list[tuple[str, str, str]]) -> None:
    joins: dict[str, str | None] = {"GND": "GND", "VCC": "+5V"}
    for k, (first, second, out) in enumerate(ways, 1):
        joins |= {f"{k}A": first, f"{k}B": second, f"{k}Y": out}
    sheet.add(HCT00, joins, ref)
    sheet.decouple("+5V")


def _delay(sheet: Sheet, source: str, node: str, name: str) -> None:
    """A rise passes after 0.78 RC; a fall at once through a diode, but for the idle leg: after 1.08 RC."""
    sheet.two(plain(DELAY_OHM), source, node, f"R_{name}_DELAY")
    if not name.endswith("IDLE"):
        # Two: without one a phase ends late, 1.3 mA too strong for 0.1 us, and no pin shows it.
        sheet.two(SCHOTTKY, source, node, f"D_{name}_DELAY")
        sheet.two(SCHOTTKY, source, node, f"D_{name}_DELAY_B")
    sheet.two(ceramic(DELAY_PF), node, "GND", f"C_{name}_DELAY")


def _inverters(sheet: Sheet, ref: str, ways: list[tuple[str, str]]) -> None:
    joins: dict[str, str | None] = {"GND": "GND", "VCC": "+5V"}
    for k in range(1, 7):
        joins |= {f"{k}A": "GND", f"{k}Y": None}
    for k, (source, out) in enumerate(ways, 1):
        joins |= {f"{k}A": source, f"{k}Y": out}
        sheet.two(plain(100e3), out, "GND", f"R_{out}_DOWN")
    sheet.add(HC14, joins, ref)
    sheet.decouple("+5V")
