"""Whether a hard interrupt's handler would have found room on C's stack, wherever it had come.

MicroPython takes away a handler that finds none (docs/decisions/0065-room-for-interrupts.md). An emulated
core tells how deep the thread was and how much handlers took: both at once is the worst case, whether it came
or not. Every test that closes a bench, or asks for a board, is held to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stimbench.bench import Bench
from stimbench.emulator.native.cortex_m0 import NativeCore

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = 0x2004_2000
"""The end of SRAM 5, from which C's stack grows down (the port's linker script)."""
STACK_BYTES = 8192 - 256
"""What Python lets C use: the port's stack less MICROPY_STACK_CHECK_MARGIN."""
SPARE_BYTES = 384
"""What shall be left: two calls more."""
_NOTHING = 0xFFFF_FFFF


class StackRoomError(AssertionError):
    """A handler could have found no room."""


def used(bench: Bench, name: str) -> tuple[int, int]:
    """Most bytes that a board's thread and a handler had on C's stack, each; (0, 0) with the other core."""
    core = bench.board(name).mcu.core
    if not isinstance(core, NativeCore) or core.stack_used[0] == _NOTHING:
        return 0, 0
    lowest, handlers = core.stack_used
    return TOP - lowest, handlers


def check(bench: Bench) -> None:
    """Fail if a board's thread and a handler together would take too much.

    Raises:
        StackRoomError: with both figures.
    """
    for name in bench.config.boards:
        thread, handlers = used(bench, name)
        if thread + handlers > STACK_BYTES - SPARE_BYTES:
            raise StackRoomError(
                f"{name}: C's stack had {thread} bytes of the thread, and a handler takes {handlers}: "
                f"together at most {STACK_BYTES} - {SPARE_BYTES}"
            )


@pytest.fixture(autouse=True, scope="session")
def room_on_each_stack() -> Iterator[None]:
    """Every bench is looked at when it is closed."""
    close = Bench.close

    def checked(bench: Bench) -> None:
        close(bench)
        check(bench)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Bench, "close", checked)
        yield
