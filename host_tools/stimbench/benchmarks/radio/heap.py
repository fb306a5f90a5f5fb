"""What the open channel takes of the stimulator's heap, and whether it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.protocol import messages, requests, roles

from stimbench.attacks.air import RadioPeer
from stimbench.bench.provision import add_peer
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, Rig

__all__ = ("HEAP_CHANNEL", "Heap", "judge", "measure_heap")

_WARM = 100
_COMMANDS = 1000
_QUICK_COMMANDS = 100

# Runs the application as its own loop does; notes the collected free heap when it has heard so many frames.
_SCRIPT = """
import gc, main
app, waiter, watchdog = main.build()
responder = app._responder
marks = {marks}
free = [0] * len(marks)
print("loaded")
served = [0]
inner = responder._execute
def counted(message, role, slot):
    served[0] += 1
    return inner(message, role, slot)
responder._execute = counted
noted = 0
readable = True
while noted < len(marks):
    left_ms = app.poll(readable)
    watchdog.feed()
    while noted < len(marks) and served[0] >= marks[noted]:
        gc.collect()
        free[noted] = gc.mem_free()
        noted += 1
        left_ms = 0
    readable = waiter.wait(left_ms)
watchdog.disable()
print("heap", free, responder.connections, responder.bad + responder.forged + responder.replayed)
"""


_COLLECTING_MS = 50  # a board that collects is late; a less patient peer would begin a connection again


class _Patient(RadioPeer):
    """Waits for an answer before it lets its requester look at the clock."""

    def _land(self, end_ns: int) -> None:
        super()._land(end_ns)
        heard, bench = len(self.heard), self.bench
        bench.run_until(lambda: len(self.heard) > heard, _COLLECTING_MS * MS, MS // 4)


@dataclass(frozen=True)
class Heap:
    """Collected free heap in bytes.

    Attributes:
        unconnected: before a peer has said anything.
        connected: after the first command.
        after_warm, after_last: after `warm` and `last` commands.
    """

    seed: int
    warm: int
    last: int
    unconnected: int
    connected: int
    after_warm: int
    after_last: int

    @property
    def channel_bytes(self) -> int:
        """What a peer with an open connection takes."""
        return self.unconnected - min(self.connected, self.after_warm, self.after_last)

    @property
    def growth_bytes(self) -> int:
        """From `warm` to `last` commands."""
        return self.after_warm - self.after_last


def measure_heap(case: tuple[int, int, int]) -> Heap:
    """Ask for STATUS `last` times in one connection. Args: case: seed, warm, last."""
    seed, warm, last = case
    with Rig(seed) as rig:
        pairing = add_peer(rig.bench, roles.PATIENT, seed)
        rig.execute(_SCRIPT.format(marks=[0, 1, warm, last]))
        peer = _Patient(rig.bench, pairing, seed=seed)
        for number in range(last):
            if peer.ask(messages.request(requests.STATUS)) is None:
                raise RuntimeError(f"command {number} was not answered")
            rig.forget()
            peer.air.tap.clear()
        seen = bytearray()

        def told() -> bool:
            seen.extend(rig.board.console.read())
            return b"heap [" in seen and b"\n" in seen.partition(b"heap [")[2]

        if not rig.bench.run_until(told, 2000 * MS, MS):
            raise RuntimeError(f"the script on the board said {bytes(seen[-300:])!r}")
        listed, _, counts = seen.partition(b"heap [")[2].partition(b"]")
        if counts.split()[:2] != [b"1", b"0"]:
            raise RuntimeError(f"connections, bad frames: {bytes(counts)!r}")
        return Heap(seed, warm, last, *(int(value) for value in listed.split(b",")))


def judge(found: Sequence[Heap], options: Options) -> list[Line]:
    """Two lines: the channel's size, its growth."""
    heap = found[0]
    noted = (
        f"collected free heap without a peer {heap.unconnected}, after the first command {heap.connected}, "
        f"after {heap.warm} {heap.after_warm}, after {heap.last} {heap.after_last} bytes"
    )
    return [
        reached(
            "heap of an open channel", heap.channel_bytes / 1000, Relation.AT_MOST, 8, "KB",
            f"one peer, its keys, its connection, its last frames; {noted}; seed {heap.seed}",
        ),
        reached(
            f"heap: growth over {heap.last - heap.warm} commands by radio",
            heap.growth_bytes, Relation.EQUAL, 0, "bytes", f"in one connection; {noted}; seed {heap.seed}",
        ),
    ]  # fmt: skip


def _cases(options: Options) -> list[tuple[int, int, int]]:
    return [(options.seed, _WARM, _WARM + (_QUICK_COMMANDS if options.quick else _COMMANDS))]


HEAP_CHANNEL = Row("heap-channel", "heap of the open channel", _cases, measure_heap, judge, weight=80)
