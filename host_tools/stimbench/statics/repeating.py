"""Goes on asking a board, from a thread, while a person takes their time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from stimbench.errors import StimbenchError

__all__ = ("repeated",)


@contextlib.contextmanager
def repeated(ask: Callable[[], object], pause_s: float = 0.0) -> Iterator[None]:
    """Inside, `ask` is called again and again, `pause_s` apart; at the end the last call is waited for.

    A call that fails ends it without a word: the next one of the caller says what is wrong.
    """
    over = threading.Event()

    def go_on() -> None:
        with contextlib.suppress(StimbenchError):
            while not over.wait(pause_s):
                ask()

    thread = threading.Thread(target=go_on, name="repeated", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
