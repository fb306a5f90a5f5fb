"""What can go wrong with a campaign as a whole. What goes wrong in one job is kept with that job."""

from __future__ import annotations

from stimbench.errors import InputError, RigError

__all__ = ("LibraryError", "PoolError", "StoreError")


class StoreError(InputError):
    """The folder of results cannot be used, or takes no more; what it holds stays as it is."""


class PoolError(RigError):
    """The processes that do the work cannot be had, or have gone; what was done stays."""


class LibraryError(InputError):
    """A library is missing that only campaigns on several processes need."""
