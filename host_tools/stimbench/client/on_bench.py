"""A link to a board of an emulated bench in this process. Waiting on it lets emulated time pass."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stimfw.protocol import roles
from stimfw.telemetry.keys import KEY_BYTES

from stimbench.bench import Bench, BenchConfig
from stimbench.client.access_records import ID_BYTES
from stimbench.client.keyring import HostPairing
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import connect_remote
from stimbench.client.stimulator import Stimulator, connect
from stimbench.errors import BenchError, PortError

__all__ = ("BenchLink", "build_bench", "open_bench", "open_bench_by_radio", "pair_bench")

_POLL_NS = 200_000


class BenchLink:
    """The console of one board of a bench; see stimbench.devices.link.Link. The bench stays its owner's."""

    def __init__(self, bench: Bench, board: str) -> None:
        """Use the console of `board`; BenchError if the bench has none of that name."""
        self._bench = bench
        self._console = bench.board(board).console
        self._name = f"the emulated {board}"

    @property
    def name(self) -> str:
        """How messages name the far end."""
        return self._name

    def now_s(self) -> float:
        """Bench time."""
        return self._bench.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        """Let bench time pass."""
        self._bench.run_for(round(seconds * 1e9))

    def write(self, data: bytes) -> None:
        """Send bytes to the board."""
        self._console.write(data)

    def read(self, deadline_s: float) -> bytes:
        """What the board sent, letting bench time pass until there is something or the deadline is there."""
        left_ns = max(0, round(deadline_s * 1e9) - self._bench.now_ns)
        self._bench.run_until(lambda: self._console.pending, left_ns, _POLL_NS)
        return self._console.read()

    def close(self) -> None:
        """Nothing to give back."""


def build_bench(seed: int) -> Bench:
    """A bench, switched on; PortError if it cannot be built (no firmware image, say)."""
    try:
        return Bench(BenchConfig(seed=seed))
    except BenchError as error:
        raise PortError(f"The emulated bench cannot be built: {error}.") from error


@contextmanager
def open_bench(seed: int = 1) -> Iterator[Stimulator]:
    """A stimulator on a bench of its own, which ends with the context.

    Raises:
        PortError: the bench cannot be built.
        NoAnswerError: the firmware does not come up.
    """
    with build_bench(seed) as bench:
        yield connect(BenchLink(bench, "stimulator"), first_number=0)


@contextmanager
def open_bench_by_radio(seed: int = 1) -> Iterator[Stimulator]:
    """As open_bench, but spoken to by radio, with a clinician's key that ends with the bench.

    Raises:
        PortError: the bench cannot be built.
        NoAnswerError: the firmware does not come up, or the radio carries nothing.
    """
    with build_bench(seed) as bench:
        usb = connect(BenchLink(bench, "stimulator"), first_number=0)
        remote = connect_remote(BenchLink(bench, "remote"), first_number=0)
        # Not secret: the bench is of this process alone, and the same seed shall give the same run.
        take_random = random.Random(seed).randbytes
        stimulator = Stimulator(RadioConsole(remote, pair_bench(usb, take_random), take_random))
        stimulator.require_role()
        yield stimulator


def pair_bench(usb: Stimulator, take_random: Callable[[int], bytes]) -> HostPairing:
    """A clinician's key for an emulated stimulator, given over its console and kept nowhere else."""
    peer_id, key = take_random(ID_BYTES), take_random(KEY_BYTES)
    slot, base = usb.pair(peer_id, roles.CLINICIAN, key)
    return HostPairing(base, slot, roles.CLINICIAN, key, peer_id, epoch=1)
