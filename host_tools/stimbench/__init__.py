"""Host tools of stimbench: the command line, the client, the emulated bench and the judging of pulses."""

from stimfw.version import VERSION as __version__

__all__ = ("__version__",)
