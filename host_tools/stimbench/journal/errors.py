"""What can be wrong with a store of journals."""

from __future__ import annotations

from stimbench.errors import InputError

__all__ = ("StoreError",)


class StoreError(InputError):
    """The file is no store, is damaged, or holds other data than were expected. Nothing was changed."""
