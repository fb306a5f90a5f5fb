"""Waiting for a board that boots."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stimbench.devices.device import Device
from stimbench.devices.link import Link
from stimbench.errors import AtPromptError, NoAnswerError

__all__ = ("connect_when_ready",)

_Board = TypeVar("_Board")


def connect_when_ready(device: Device, connect: Callable[[Link], _Board], within_s: float) -> _Board:
    """`connect(device.console)`, again and again until the board answers.

    Args:
        device: open; its board boots.
        connect: client.connect or client.connect_remote.
        within_s: how long to try, on the console's clock.

    Raises:
        AtPromptError: its application does not run.
        NoAnswerError: it does not answer in time.
    """
    end_s = device.console.now_s() + within_s
    while True:
        try:
            return connect(device.console)
        except AtPromptError:
            raise
        except NoAnswerError:
            if device.console.now_s() >= end_s:
                raise
