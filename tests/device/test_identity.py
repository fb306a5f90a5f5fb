"""What the board says that it is, and that this is true."""

from pathlib import Path

import pytest
from stimbench.firmware_build import frozen
from stimbench.firmware_build.build import Layout, sources
from stimfw.protocol import messages, requests
from stimfw.version import VERSION
from support.board import Board
from support.pins import pins_csv, pins_of

ROOT = Path(__file__).resolve().parents[2]
READY_US = 1_000_000
HEAP_READY = 100_000


@pytest.mark.control("C-41")
def test_it_names_its_version_and_the_hash_of_its_sources(board: Board):
    identity = board.client.identify()
    assert (identity.role, identity.version) == ("stimulator", VERSION)
    assert identity.build == frozen.source_hash(sources("stimulator", Layout(ROOT)), ROOT)


def test_pin_board_has_every_signal(board: Board):
    assert pins_csv("stimulator").items() <= pins_of(board).items()


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
