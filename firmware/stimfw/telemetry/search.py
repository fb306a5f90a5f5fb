"""Where a peer looks for the stimulator: mostly where it was met last, and now and then elsewhere.

Only an authentic answer says where it is. Nothing else that is heard moves the search.
"""

from stimfw.telemetry.addresses import CHANNELS

_ORDER = (0, 0, 1, 0, 0, 2, 0)
"""Steps from home in CHANNELS. As many as REQUESTs and HELLOs do not take turns in: each goes everywhere."""


class ChannelSearch:
    """The order in which channels are tried.

    Attributes:
        home: index in CHANNELS of the channel where the last authentic answer came.
    """

    def __init__(self) -> None:
        self.home = 0
        self._place = 0

    @property
    def channel(self) -> int:
        """Where the next frame goes: 0-125."""
        return CHANNELS[(self.home + _ORDER[self._place]) % len(CHANNELS)]

    def restart(self) -> None:
        """Begin at home."""
        self._place = 0

    def go_on(self) -> None:
        """No answer there: the next place."""
        self._place = (self._place + 1) % len(_ORDER)

    def met(self, channel: int) -> None:
        """An authentic answer came on this one of CHANNELS: that is home now."""
        self.home = CHANNELS.index(channel)
        self._place = 0
