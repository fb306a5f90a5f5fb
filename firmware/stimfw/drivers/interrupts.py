"""Whether the handlers of hard interrupts are still there.

MicroPython takes a handler away that has raised an exception, prints it and goes on (shared/runtime/mpirq.c).
So would the board, and be deaf to its magnet, its radio or its STOP button.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def require(interrupts: "Iterable[Any]") -> None:
    """Nothing, if each still has its handler. Takes no heap. To be called about once a second.

    Args:
        interrupts: what `Pin.irq()` and `PIO.irq()` return.

    Raises:
        RuntimeError: one was taken away. Like any other exception, it ends in a restart with the output off.
    """
    for interrupt in interrupts:
        if not interrupt.trigger():
            raise RuntimeError("an interrupt has lost its handler")
