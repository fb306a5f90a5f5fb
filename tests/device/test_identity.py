"""What the board says that it is, and that this is true."""

import ast
import re
from pathlib import Path

import pytest
from stimbench.emulator.nets import read_pins_csv
from stimbench.firmware_build import frozen
from stimfw.protocol import messages, requests
from stimfw.version import VERSION
from support.board import Board, emulated_board

ROOT = Path(__file__).resolve().parents[2]
READY_US = 1_000_000
HEAP_READY = 100_000


def check_pins(board, name):
    """Compare Pin.board with the board's pins.csv."""
    path = ROOT / "boards" / f"STIMBENCH_{name.upper()}" / "pins.csv"
    wanted = read_pins_csv(path.read_text(encoding="utf-8"))
    names = "[n for n in dir(Pin.board) if n[0] != '_']"
    code = f"from machine import Pin\nprint([(n, str(getattr(Pin.board, n))) for n in {names}])"
    found = {n: int(re.search(r"GPIO(\d+)", text)[1]) for n, text in ast.literal_eval(board.exec(code))}
    assert {n: found.get(n) for n in wanted} == wanted


def test_it_names_its_version_and_the_hash_of_its_sources(board: Board):
    identity = board.client.identify()
    manifest = ROOT / "boards" / "STIMBENCH_STIMULATOR" / "manifest.py"
    files = frozen.frozen_files(manifest, ROOT / "firmware")
    assert (identity.role, identity.version) == ("stimulator", VERSION)
    assert identity.build == frozen.source_hash(files, ROOT / "firmware")


def test_pin_board_has_every_signal(board: Board):
    check_pins(board, "stimulator")


@pytest.mark.bench(boards=("stimulator", "remote"))
def test_pin_board_of_the_remote_has_every_signal(board: Board, bench):
    check_pins(emulated_board(bench, "remote"), "remote")


def test_it_is_ready_within_a_second_with_heap_to_spare(board: Board):
    details = board.client.details()
    assert 0 < details.boot_us <= READY_US
    assert details.heap_free >= HEAP_READY
    status = board.client.status()
    assert status.state == messages.READY and status.failed_parts == ()
    assert status.amplitude_ua == (0, 0) and status.stop_cause == messages.STOPPED_NEVER_ON


def test_a_new_board_holds_the_default_programme_and_refuses_to_start(board: Board):
    assert board.client.program().amplitude_ua == (0, 0)
    assert board.ask(requests.START) == (
        messages.WRONG_STATE,
        bytes((messages.READY, messages.REASON_NO_AMPLITUDE)),
    )
