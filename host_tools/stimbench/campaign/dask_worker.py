"""The side of a Dask worker: keeps the firmware, does jobs. Needs the library `distributed`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from stimbench.campaign.firmware import put_firmware
from stimbench.campaign.worker import do_job

__all__ = ("Equipment", "do_here")

_FOLDER = "stimbench-firmware"
_STDOUT, _STDERR = 1, 2


class Equipment(WorkerPlugin):
    """What every worker gets before its first job, and each one that joins later: the firmware's files.

    A file lies under its hash in the worker's own folder, which Dask removes with the worker. It is a plugin
    because data that only workers have (`scatter`) is gone when they die.
    """

    def __init__(self, name: str, files: Mapping[str, bytes], log_folder: str | None = None) -> None:
        """Say what to bring.

        Args:
            name: of this plugin, one for each campaign.
            files: bytes by hash.
            log_folder: where workers of this machine write what they print; None: they print it.
        """
        self.name = name
        self._files = dict(files)
        self._log_folder = log_folder

    def setup(self, worker: Worker) -> None:
        """Put the files there.

        Raises:
            PoolError: the bytes do not have their hashes.
        """
        if self._log_folder is not None:
            _print_to(Path(self._log_folder) / f"{os.getpid()}.log")
        put_firmware(Path(worker.local_directory) / _FOLDER, self._files)


def do_here(work: str, payload: Mapping[str, Any], hashes: Mapping[str, str], version: str) -> dict[str, Any]:
    """Do a job in this worker; see worker.do_job."""
    return do_job(work, payload, hashes, Path(get_worker().local_directory) / _FOLDER, version)


def _print_to(path: Path) -> None:
    """Lead both outputs of this process into a file, also those of code that is not Python."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, _STDOUT)
    os.dup2(handle, _STDERR)
    os.close(handle)
