"""The Pico, what a person touches, and the radio."""

from __future__ import annotations

from circuit.modules import PICO, RADIO
from circuit.passives import BULK, BUTTON, BUZZER, REED, header, led, plain
from circuit.sheet import Sheet

STIMULATOR_PINS = {
    "GP2": "L_CATH", "GP3": "L_ANOD", "GP4": "L_SHORT", "GP5": "R_CATH", "GP6": "R_ANOD", "GP7": "R_SHORT",
    "GP8": "KEEPALIVE", "GP9": "GATE_Q", "GP17": "DAC_CS", "GP18": "DAC_SCK", "GP19": "DAC_MOSI",
    "GP20": "MATRIX_CS", "GP21": "LDAC", "GP22": "MAGNET", "GP26": "V_LEFT", "GP27": "V_RIGHT",
    "GP28": "I_SENSE",
}
REMOTE_PINS = {
    "GP2": "START", "GP3": "STOP", "GP4": "STATUS", "GP6": "LED_GREEN", "GP7": "LED_AMBER", "GP8": "LED_RED",
    "GP9": "BUZZER",
}
RADIO_PINS = {
    "GP10": "RADIO_SCK", "GP11": "RADIO_MOSI", "GP12": "RADIO_MISO", "GP13": "RADIO_CSN", "GP14": "RADIO_CE",
    "GP15": "RADIO_IRQ",
}


def pico(sheet: Sheet, pins: dict[str, str], rest: dict[str, str]) -> None:
    """The Pico with the signals of `pins`; `rest` are its supply pins that lead anywhere but to ground."""
    sheet.block("pico")
    joins: dict[str, str | None] = {name: None for _, name, _ in PICO.pins}
    joins |= {name: "GND" for name in joins if "GND" in name}
    joins["3V3"] = "+3V3"
    sheet.add(PICO, joins | pins | RADIO_PINS | rest, "A_PICO")


def radio(sheet: Sheet) -> None:
    """CSN rests high and CE low, also while the Pico is in reset: the radio is deaf then."""
    sheet.block("radio")
    sheet.add(
        RADIO,
        {
            "GND": "GND", "VCC": "+3V3", "CE": "RADIO_CE", "CSN": "RADIO_CSN", "SCK": "RADIO_SCK",
            "MOSI": "RADIO_MOSI", "MISO": "RADIO_MISO", "IRQ": "RADIO_IRQ",
        },
        "A_RADIO",
    )
    sheet.two(BULK, "+3V3", "GND")
    sheet.decouple("+3V3")
    sheet.two(plain(10e3), "RADIO_CSN", "+3V3", "R_CSN_UP")
    sheet.two(plain(10e3), "RADIO_CE", "GND", "R_CE_DOWN")


def magnet(sheet: Sheet) -> None:
    """A reed switch pulls the monostable's reset to ground; the Pico only hears of it."""
    sheet.block("monostable")
    sheet.two(plain(10e3), "MAGNET", "+3V3", "R_MAGNET_UP")
    sheet.two(plain(10e3), "KEEPALIVE", "GND", "R_KEEPALIVE_DOWN")
    sheet.two(REED, "MAGNET", "GND", "SW_MAGNET")


def electrodes(sheet: Sheet, side: str) -> None:
    """A terminal with the four electrodes of a lead."""
    sheet.block(f"lead {side}")
    names = tuple(f"E{k}" for k in range(4))
    sheet.add(header(names), {name: f"{side}_{name}" for name in names}, f"J_{side}")


def panel(sheet: Sheet) -> None:
    """The remote's buttons (the RP2040 pulls them up), lights and sound."""
    sheet.block("panel")
    for name in ("START", "STOP", "STATUS"):
        sheet.two(BUTTON, name, "GND", f"SW_{name}")
    lights = {
        "GREEN": led("green", "WP710A10SGD", "TLHG4400"),
        "AMBER": led("amber", "WP710A10YD", "TLHY4400"),
        "RED": led("red", "WP710A10ID", "TLHR4400"),
    }
    for name, spec in lights.items():
        sheet.two(plain(330), f"LED_{name}", f"{name}_A", f"R_{name}")
        sheet.two(spec, "GND", f"{name}_A", f"D_{name}")
    sheet.two(plain(100), "BUZZER", "BUZZER_R", "R_BUZZER")
    sheet.two(BUZZER, "BUZZER_R", "GND", "BZ_BUZZER")
