"""What would happen if: goes on from here in a copy of this process, so in a copy of its emulated bench."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from typing import Any

_FORK = multiprocessing.get_context("fork")


def branch(do: Callable[[], Any]) -> Any:
    """What `do()` gives, without any of its effects here. A bench cannot be copied, its process can.

    Raises:
        AssertionError: `do()` raised something; the text is its traceback.
    """
    receiver, sender = _FORK.Pipe(duplex=False)

    def run() -> None:
        try:
            told = (True, do())
        except BaseException:  # whatever it is, it is the other process that reports it
            told = (False, traceback.format_exc())
        sender.send(told)

    process = _FORK.Process(target=run)
    process.start()
    sender.close()
    try:
        good, told = receiver.recv()
    except EOFError:
        raise AssertionError("the branch ended without a word") from None
    finally:
        process.join()
    assert good, told
    return told
