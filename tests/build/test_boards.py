"""The board definitions: every signal on its pin."""

import csv
from pathlib import Path

import pytest
from stimbench.firmware_build import sizes

BOARDS = Path(__file__).resolve().parents[2] / "boards"

RADIO = {
    "RADIO_SCK": 10,
    "RADIO_MOSI": 11,
    "RADIO_MISO": 12,
    "RADIO_CSN": 13,
    "RADIO_CE": 14,
    "RADIO_IRQ": 15,
}
SIGNALS = {
    "STIMULATOR": {
        **{"L_CATH": 2, "L_ANOD": 3, "L_SHORT": 4, "R_CATH": 5, "R_ANOD": 6, "R_SHORT": 7},
        **{"KEEPALIVE": 8, "GATE_Q": 9, "MAGNET": 22, "LED": 25},
        **{"DAC_CS": 17, "DAC_SCK": 18, "DAC_MOSI": 19, "MATRIX_CS": 20, "LDAC": 21},
        **{"V_LEFT": 26, "V_RIGHT": 27, "I_SENSE": 28},
        **RADIO,
    },
    "REMOTE": {
        **{"START": 2, "STOP": 3, "STATUS": 4},
        **{"LED_GREEN": 6, "LED_AMBER": 7, "LED_RED": 8, "BUZZER": 9, "LED": 25},
        **RADIO,
    },
}


def read_pins(board: str) -> list[tuple[str, str]]:
    with (BOARDS / f"STIMBENCH_{board}" / "pins.csv").open() as file:
        return [(name, pin) for name, pin in csv.reader(file)]


@pytest.mark.parametrize("board", SIGNALS)
def test_every_signal_is_on_its_pin(board):
    named = {name: pin for name, pin in read_pins(board) if not name.startswith("GP")}
    assert named == {name: f"GPIO{number}" for name, number in SIGNALS[board].items()}


@pytest.mark.parametrize("board", SIGNALS)
def test_no_name_and_no_pin_is_given_to_two_signals(board):
    names = [name for name, _ in read_pins(board)]
    pins = [pin for name, pin in read_pins(board) if not name.startswith("GP")]
    assert len(set(names)) == len(names)
    assert len(set(pins)) == len(pins)


def test_filesystem_leaves_640_kb_for_the_firmware():
    storage = sizes.filesystem_bytes((BOARDS / "stimbench_common.h").read_text())
    assert sizes.FLASH_BYTES - storage == 640 * 1024
