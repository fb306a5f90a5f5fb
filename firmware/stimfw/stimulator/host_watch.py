"""Of a board on the bench that started without a radio: what runs ends when the host on USB falls silent.

There is no STOP by radio then. So whoever began a session has to stay: a host that was closed, hangs or lost
its cable must not leave the output on (docs/decisions/0062-radio-modules.md).
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.stimulator.control import Control

SILENT_MS = 2000
"""A host asks once in 900 ms (stimbench.client.stimulator): one request may be lost."""
HOST_GONE = 9
"""In messages.STOP_NAMES."""


class HostWatch:
    """Stops what runs when no frame came over USB for SILENT_MS. Not while the radio works."""

    def __init__(self, control: "Control", frames: "Callable[[], int]") -> None:
        """Args: frames: how many whole frames the console has received since the start."""
        self._control = control
        self._frames = frames
        self._counted = 0
        self._heard_ms = 0

    def poll(self, now_ms: int) -> int:
        """Look whether the host is there; to be called in each pass of the loop.

        Returns:
            In how many ms to call again at the latest; -1 if nothing runs.
        """
        control, frames = self._control, self._frames()
        if frames != self._counted:
            self._counted = frames
            self._heard_ms = now_ms
        if not control.spared & messages.PART_RADIO or not control.busy():
            return -1
        left_ms = SILENT_MS - elapsed_ms(now_ms, self._heard_ms)
        if left_ms > 0:
            return left_ms
        control.stop(HOST_GONE)
        return 0
