"""Small jobs for tests of campaigns, in a module that every worker process can import.

Each leaves a file in the folder `begun` of its payload when it begins: the tests count executions by them.
"""

import os
import signal
import time
import uuid
from pathlib import Path

from stimbench.campaign.firmware import Firmware
from stimbench.campaign.jobs import make_job
from stimbench.campaign.pool import Finished

MODULE = "support.campaign_work"
IMAGE = b"an image " * 1000
GONE = 3
"""After so many deaths of its worker a job is given up."""


def jobs(count, begun, work="double", **more):
    """Jobs with n = 0, 1 ..."""
    begun.mkdir(exist_ok=True)
    return [
        make_job(f"{MODULE}:{work}", {"name": f"job {n}", "n": n, "begun": str(begun), **more}, {})
        for n in range(count)
    ]


def begun_counts(begun):
    """How often each n was begun."""
    names = [path.name.partition("-")[0] for path in begun.iterdir()]
    return {int(name): names.count(name) for name in set(names)}


def image(tmp_path):
    """A firmware of one file."""
    path = tmp_path / "image.uf2"
    path.write_bytes(IMAGE)
    return Firmware.read({"stimulator": path})


def _begin(payload):
    (Path(payload["begun"]) / f"{payload['n']}-{uuid.uuid4().hex}").touch(exist_ok=False)


def double(payload, firmware):
    _begin(payload)
    print("a line that nobody wants to see")
    return {"verdict": "PASS", "told": "doubled", "twice": 2 * payload["n"], "pid": os.getpid()}


def fails(payload, firmware):
    _begin(payload)
    raise ZeroDivisionError("no such number")


def odd_ones_fail(payload, firmware):
    _begin(payload)
    return {"verdict": "FAIL" if payload["n"] % 2 else "PASS", "told": f"n is {payload['n']}"}


def no_json(payload, firmware):
    return {"value": float("nan")}


def nothing(payload, firmware):
    return None


def kills_once(payload, firmware):
    """The first execution of job 2 takes its process with it."""
    _begin(payload)
    if (
        payload["n"] == 2
        and len([p for p in Path(payload["begun"]).iterdir() if p.name.startswith("2-")]) == 1
    ):
        os.kill(os.getpid(), signal.SIGKILL)
    return {"verdict": "PASS", "told": ""}


def kills(payload, firmware):
    """Job 2 always takes its process with it."""
    _begin(payload)
    if payload["n"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"verdict": "PASS", "told": ""}


def lasts(payload, firmware):
    """From job `after` on it never ends by itself."""
    _begin(payload)
    if payload["n"] >= payload["after"]:
        while True:
            time.monotonic()
    return {"verdict": "PASS", "told": ""}


def meets(payload, firmware):
    """Waits for another process at a FIFO: two such jobs end only if they run at the same time."""
    _begin(payload)
    with open(payload["fifo"], "rb" if payload["n"] % 2 else "wb"):
        return {"verdict": "PASS", "told": "", "pid": os.getpid()}


def tells_firmware(payload, firmware):
    """What it was given, by board."""
    return {board: [path.stem, len(path.read_bytes())] for board, path in firmware.items()}


def spoils_firmware(payload, firmware):
    """Changes the file that it was given; the next job in this process must notice."""
    for path in firmware.values():
        path.write_bytes(b"other bytes")
    return {}


class ScriptedPool:
    """Finishes what it was given, each as `answer` says; for what a real pool does rarely."""

    def __init__(self, answer=lambda job: [Finished(job, {"verdict": "PASS"})], slots=2):
        self.firmware = Firmware()
        self.slots = slots
        self.submitted = []
        self.most_at_hand = 0
        self._answer = answer
        self._waiting = []
        self.drained = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def at_hand(self):
        return len(self._waiting)

    def submit(self, job):
        self.submitted.append(job)
        self._waiting += self._answer(job)
        self.most_at_hand = max(self.most_at_hand, self.at_hand)

    def next(self, timeout_s):
        return self._waiting.pop(0) if self._waiting else None

    def drain(self, grace_s):
        self.drained = True
        left, self._waiting = self._waiting, []
        return left if grace_s else []

    def close(self):
        pass
