"""How an attacker may spread his share of the air; one that acknowledges, and one that reacts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from stimfw.telemetry import addresses, frames

from stimbench.attacks.air import Paired
from stimbench.attacks.transmitter import AIR_NS
from stimbench.bench import Bench
from stimbench.parts.radio import Packet

__all__ = ("PATTERNS", "Acknowledger", "Reactive", "share_of_air")

MS = 1_000_000
_SECOND_NS = 1000 * MS
_COPY_NS = 450_000
"""From one packet to the next of a burst of either board: his hit all copies if they hit one."""
_TURNAROUND_NS = 130_000
"""nRF24L01+: standby to TX."""


def steady(duty: float, _rng: random.Random) -> Iterator[int]:
    """At an even pace. Its phase against the peer's is that of the press."""
    while True:
        yield round(AIR_NS / duty)


def at_random(duty: float, rng: random.Random) -> Iterator[int]:
    """At any time: free of memory."""
    while True:
        yield AIR_NS + round(rng.expovariate(1 / (AIR_NS / duty - AIR_NS)))


def in_threes(duty: float, _rng: random.Random) -> Iterator[int]:
    """As many in a row as the stimulator's radio holds."""
    while True:
        yield AIR_NS
        yield AIR_NS
        yield round(3 * AIR_NS / duty) - 2 * AIR_NS


def in_copies(duty: float, rng: random.Random) -> Iterator[int]:
    """Trains of packets as far apart as the copies of a burst, of 5 to 9 packets."""
    while True:
        packets = rng.randint(5, 9)
        for _ in range(packets - 1):
            yield _COPY_NS
        yield max(_COPY_NS, round(packets * AIR_NS / duty) - (packets - 1) * _COPY_NS)


def in_blocks(duty: float, rng: random.Random) -> Iterator[int]:
    """Without a gap for 10 to 50 ms, then silent for as long as the share allows."""
    while True:
        packets = rng.randint(10 * MS, 50 * MS) // AIR_NS
        for _ in range(packets - 1):
            yield AIR_NS
        yield round(packets * AIR_NS / duty) - (packets - 1) * AIR_NS


def once_a_second(duty: float, _rng: random.Random) -> Iterator[int]:
    """His share of a whole second in one piece."""
    packets = round(duty * _SECOND_NS) // AIR_NS
    while True:
        for _ in range(packets - 1):
            yield AIR_NS
        yield _SECOND_NS - (packets - 1) * AIR_NS


PATTERNS: dict[str, Callable[[float, random.Random], Iterator[int]]] = {
    "steady": steady,
    "random": at_random,
    "threes": in_threes,
    "as copies": in_copies,
    "blocks": in_blocks,
    "once a second": once_a_second,
}


def share_of_air(starts_ns: list[int], from_ns: int, to_ns: int) -> float:
    """Which share of a span of time packets that began then were in the air."""
    return AIR_NS * sum(from_ns <= start < to_ns for start in starts_ns) / (to_ns - from_ns)


class Acknowledger:
    """A receiver on some channels that acknowledges what is sent to the stimulator, as radios do."""

    def __init__(self, bench: Bench, pairing: Paired, channels: list[int]) -> None:
        """Come into range. Raises ValueError: the bench has no air."""
        if bench.air is None:
            raise ValueError("the bench has no air")
        self._air, self._channels = bench.air, channels
        self._address = addresses.stimulator_address(pairing.base)
        self.sent = 0
        bench.air.attach(self, bench.board("stimulator").scheduler)

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver)."""
        if packet.address == self._address and packet.channel in self._channels and not packet.is_ack:
            self.sent += 1
            self._air.inject(
                packet.end_ns + _TURNAROUND_NS,
                packet.channel,
                packet.address,
                b"",
                is_ack=True,
                enhanced=True,
            )


class Reactive:
    """Sends only when somebody speaks: from the end of a peer's first packet until its answer's time is over.

    It hears all channels at once, and begins 130 us later.
    """

    def __init__(self, bench: Bench, pairing: Paired, rng: random.Random, for_ms: float) -> None:
        """Args: for_ms: how long it goes on after the peer's packet. ValueError: the bench has no air."""
        if bench.air is None:
            raise ValueError("the bench has no air")
        self._bench, self._air, self._dice = bench, bench.air, rng
        self._address = addresses.stimulator_address(pairing.base)
        self._for_ns = round(for_ms * MS)
        self._until_ns = 0
        self.on = False
        self.sent = 0
        bench.air.attach(self, bench.board("stimulator").scheduler)

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver)."""
        genuine = packet.sender is not None and packet.address == self._address
        asks = frames.kind_of(packet.payload) in (frames.HELLO, frames.REQUEST)
        if not (self.on and genuine and asks):
            return
        begin_ns = max(packet.end_ns + _TURNAROUND_NS, self._until_ns)
        self._until_ns = packet.end_ns + self._for_ns
        while begin_ns < self._until_ns:
            self._air.inject(
                begin_ns, packet.channel, self._address, self._dice.randbytes(frames.FRAME_BYTES)
            )
            self.sent += 1
            begin_ns += AIR_NS
