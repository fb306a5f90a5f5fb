"""What can go wrong while a board is given another firmware."""

from __future__ import annotations

from stimbench.errors import EXIT_CHECK_FAILED, StimbenchError

__all__ = ("FlashError",)


class FlashError(StimbenchError):
    """A board could not be flashed, or does not run what it was given. The text says what it runs now."""

    exit_code = EXIT_CHECK_FAILED
