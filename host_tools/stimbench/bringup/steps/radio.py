"""Block radio: its supply, its bus, its CE."""

from __future__ import annotations

from stimbench.bringup.model import Block, Cause, Reading, Setup, Step, Tool, Unit
from stimbench.bringup.ranges import volts_between
from stimbench.bringup.steps.common import HIGH_3V3, NOTHING, WHY_3V3

__all__ = ("RADIO",)

_SUPPLY = Step(
    "radio.supply",
    "The module has 3.3 V",
    "Plug the board in. Meter in V DC between the module's own pins 2 and 1.",
    (
        Reading("vcc", "+3V3", "A_RADIO 2", HIGH_3V3, WHY_3V3, against_pin="A_RADIO 1", setup=Setup()),
        Reading("bulk", "+3V3", "A_RADIO 2", (1.0, 1.0), "it draws 13 mA in steps", Unit.YES, Tool.EYE,
                note="Are 10 uF at the module's pins 2 and 1, plus at 2?"),
    ),
    (
        Cause("radio-on-5v", "The module has 5 V: it is most likely broken.",
              "Join A_RADIO 2 to +3V3. Replace it.", {"vcc": (4.0, 5.5)}),
        Cause("radio-without-supply", "The module has no supply.", "Look at A_RADIO 1 and 2.",
              {"vcc": NOTHING}),
    ),
    ("A_RADIO 1 is ground, 2 is VCC: some modules have other orders.",),
)  # fmt: skip

_BUS = Step(
    "radio.bus",
    "The radio answers, and is a genuine nRF24L01+",
    "Nothing to do: the board asks it.",
    (
        Reading("answers", "RADIO_MISO", "A_RADIO 7", (1.0, 1.0),
                "CONFIG is 0x08 after power-on (nRF24L01+, 9.1)",
                Unit.YES, Tool.BOARD, setup=Setup(), note="A register keeps what is written to it.",
                ask="radio-answers"),
        Reading("rate", "RADIO_MISO", "A_RADIO 7", (1.0, 1.0), "an nRF24L01 without + has no such rate (9.1, "
                "RF_SETUP)", Unit.YES, Tool.BOARD, setup=Setup(), note="250 kbit/s can be set and read back.",
                ask="radio-rate"),
        Reading("feature", "RADIO_MISO", "A_RADIO 7", (1.0, 1.0), "it needs no ACTIVATE (9.1, FEATURE)",
                Unit.YES, Tool.BOARD, setup=Setup(), note="FEATURE can be written at once.",
                ask="radio-feature"),
    ),
    (
        Cause("radio-silent", "The radio does not answer.",
              "Look at A_RADIO 4 (CSN), 5 (SCK), 6 (MOSI), 7 (MISO), in this order.",
              {"answers": (0.0, 0.0)}),
        *(
            Cause("radio-not-plus", "The chip is no genuine nRF24L01+.",
                  "Take a module whose maker names the chip.", {"answers": (1.0, 1.0), key: (0.0, 0.0)})
            for key in ("rate", "feature")
        ),
    ),
    ("The module.",),
)  # fmt: skip

_CE = Step(
    "radio.ce",
    "CE reaches the module",
    "The Pico holds CE low, then high. Meter in V DC at the module's own pin 3, black probe to its pin 1.",
    (
        Reading("low", "RADIO_CE", "A_RADIO 3", volts_between(0.0, 0.4), "V_OL of the RP2040 (table 625)",
                setup=Setup(low=("RADIO_CE",)), note="CE is low."),
        Reading("high", "RADIO_CE", "A_RADIO 3", HIGH_3V3, f"{WHY_3V3}, without load",
                setup=Setup(high=("RADIO_CE",)), note="CE is high."),
    ),
    (
        Cause("ce-open", "CE is not joined: the radio answers, and never sends or hears.",
              "Join A_RADIO 3 to A_PICO 19 and R_CE_DOWN.", {"low": (-0.1, 0.5), "high": (-0.1, 1.0)}),
        Cause("ce-stuck-high", "CE stands high.", "Look at A_RADIO 3 and its neighbour 2.",
              {"low": (2.0, 5.5)}),
    ),
    ("R_CE_DOWN: 10 kohm to ground.",),
)  # fmt: skip

RADIO = Block(
    "radio",
    "Radio",
    "Unplug the board. Wire the block radio: 3.3 V only.",
    ("stimulator-radio",),
    (_SUPPLY, _BUS, _CE),
)
