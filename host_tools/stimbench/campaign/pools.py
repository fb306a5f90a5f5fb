"""The pool that a command line names."""

from __future__ import annotations

from stimbench.campaign.dask_pool import DaskPool
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.pool import Pool, SerialPool
from stimbench.errors import InputError

__all__ = ("open_pool",)


def open_pool(firmware: Firmware, workers: int = 1, scheduler: str | None = None) -> Pool:
    """The pool that --workers and --scheduler name.

    Args:
        firmware: what every job is given.
        workers: processes of this machine; 1 is this process itself.
        scheduler: address of a Dask scheduler, whose workers do the jobs instead.

    Raises:
        InputError: `workers` is below 1.
        LibraryError: the library `distributed` is missing.
        PoolError: nobody answers at the address, or a worker cannot do these jobs.
    """
    if workers < 1:
        raise InputError(f"--workers {workers}: at least 1 is needed.")
    if workers == 1 and scheduler is None:
        return SerialPool(firmware)
    return DaskPool(firmware, workers=workers, scheduler=scheduler)
