"""What a process does with a job: calls its function, and keeps what came of it, be it an error."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import threading
import time
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stimbench import __version__
from stimbench.campaign.firmware import firmware_paths
from stimbench.campaign.jobs import work_function

__all__ = ("do_job",)

_ONE_AT_A_TIME = threading.Lock()
"""A bench owns its process: attacks patch the cryptography of theirs, output goes to one standard output."""


def do_job(
    work: str, payload: Mapping[str, Any], hashes: Mapping[str, str], folder: Path, version: str
) -> dict[str, Any]:
    """Do a job in this process.

    Args:
        work: `package.module:function`.
        payload: what it is given.
        hashes: of the firmware, by board.
        folder: where the firmware's files are.
        version: of stimbench in the process that asks.

    Returns:
        `result`: what the function returned; or `error` and `traceback`; or `refused`: why this process must
        do no jobs at all. And `seconds`, `worker`.
    """
    begin_s = time.monotonic()
    about: dict[str, Any] = {"worker": f"{socket.gethostname()}:{os.getpid()}"}
    if version != __version__:
        return about | {"refused": f"has stimbench {__version__}, and this campaign {version}"}
    with _ONE_AT_A_TIME:
        about |= _done(work, payload, hashes, folder)
    return about | {"seconds": round(time.monotonic() - begin_s, 3)}


def _done(work: str, payload: Mapping[str, Any], hashes: Mapping[str, str], folder: Path) -> dict[str, Any]:
    try:
        # Of a worker nobody reads the output; here it would break the JSON of a command.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = work_function(work)(dict(payload), firmware_paths(folder, hashes))
        if not isinstance(result, dict):
            raise TypeError(f"{work} returned {type(result).__name__}, and not a dict")
        return {"result": json.loads(json.dumps(result, allow_nan=False))}
    except Exception as error:
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        return {"error": text, "traceback": traceback.format_exc()}
