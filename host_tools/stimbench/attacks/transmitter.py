"""A flood in the air of an emulated bench: forged frames on the stimulator's channel."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from stimfw.telemetry import addresses, frames

from stimbench.attacks.air import Paired
from stimbench.bench import Bench
from stimbench.parts.nrf24_registers import Reg
from stimbench.parts.radio import AirChannel, Packet
from stimbench.parts.wiring import StimulatorParts

__all__ = ("AIR_NS", "HELLOS", "KINDS", "MIX", "NOISE", "RATE_HZ", "REQUESTS", "Transmitter", "spread_out")

REQUESTS = "REQUESTs"
HELLOS = "HELLOs"
NOISE = "noise"
MIX = "all three"
KINDS = (REQUESTS, HELLOS, NOISE, MIX)
RATE_HZ = 500
AIR_NS = 320_000
"""Of a packet: nothing that he sends is nearer to the one before it."""

_SLOT_NS = 1_000_000_000 // RATE_HZ
_JITTER_NS = _SLOT_NS // 2  # the rest is longer than a packet
_AHEAD_NS = 300_000  # so much earlier than its first bit a packet is made
_COUNTS_AHEAD = 1 << 20
_U32 = 0xFFFFFFFF


class Transmitter:
    """Sends forged frames while it is on: 500 a second, each at a random place in its 2 ms, or as he is told.

    It is the strongest that needs no key: it waits for no free channel, reads the stimulator's channel out of
    the emulated radio, and hears all that the two sides say, so that kind, slot, generation and epoch are
    right, and only what needs a key is not.

    Attributes:
        kind: one of KINDS.
        first_ns: when the present flood's first packet began.
        sent: packets since then.
    """

    def __init__(
        self,
        bench: Bench,
        pairing: Paired,
        kind: str,
        rng: random.Random,
        spacing: Iterator[int] | None = None,
    ) -> None:
        """Listen; nothing is sent yet.

        Args:
            bench: has a stimulator with its parts.
            pairing: whose slot and address are used; its key is not.
            kind: REQUESTS: the token of the one that was heard last; HELLOS: the generation and epoch that
                were heard last and a higher count, wanting STOP; NOISE: 32 random bytes; MIX: any of these.
            rng: for all of it.
            spacing: times from a packet's first bit to the next one's in ns, AIR_NS at least; None: as above.

        Raises:
            ValueError: the bench has no air, or its stimulator has no parts.
        """
        board = bench.board("stimulator")
        if bench.air is None or not isinstance(board.parts, StimulatorParts):
            raise ValueError("the bench has no air")
        self.kind = kind
        self._bench, self._dice, self._slot = bench, rng, pairing.slot
        self._air: AirChannel = bench.air
        self._radio = board.parts.radio
        self._address = addresses.stimulator_address(pairing.base)
        self._token = bytes(frames.TOKEN_BYTES)
        self._generation, self._epoch, self._count = 0, 1, 0
        self._spacing = spread_out(rng) if spacing is None else spacing
        self._on = False
        self._flood = 0  # which one is on: what an earlier one has planned is not sent
        self._begun_ns: set[int] = set()
        self.first_ns = self.sent = 0
        bench.air.attach(self, board.scheduler)

    def begin(self, at_ns: int) -> None:
        """Be on from `at_ns`, at least 0.3 ms from now; the first packet begins then."""
        self._on = True
        self._flood += 1
        self.first_ns, self.sent = at_ns, 0
        self._begun_ns.clear()
        self._plan(at_ns)

    def end(self) -> None:
        """Be off; a packet in the air is completed."""
        self._on = False

    def is_own(self, start_ns: int) -> bool:
        """Whether a packet that began then, in the present flood, was forged."""
        return start_ns in self._begun_ns

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver): learn from the genuine ones."""
        if packet.sender is None or packet.payload[1:2] != bytes((self._slot,)):
            return
        kind = frames.kind_of(packet.payload)
        if kind == frames.REQUEST:
            self._token = packet.payload[2 : frames.HEADER_BYTES]
        elif kind == frames.HELLO:
            self._generation = packet.payload[2]
            self._epoch, self._count = struct.unpack_from("<II", packet.payload, frames.NONCE_AT)

    def forge(self) -> bytes:
        """The next frame."""
        kind = self._dice.choice(KINDS[:3]) if self.kind == MIX else self.kind
        if kind == NOISE:
            return self._dice.randbytes(frames.FRAME_BYTES)
        if kind == HELLOS:
            count = min(_U32, self._count + self._dice.randint(1, _COUNTS_AHEAD))
            random = self._dice.randbytes(frames.RANDOM_BYTES - 1)
            nonce = frames.hello_nonce(self._epoch, count, frames.WANTS_STOP, random)
            tag = self._dice.randbytes(frames.HANDSHAKE_TAG_BYTES)
            return frames.handshake(frames.HELLO, self._slot, self._generation, nonce, tag)
        header = bytes((frames.first(frames.REQUEST), self._slot)) + self._token
        return header + self._dice.randbytes(frames.FRAME_BYTES - frames.HEADER_BYTES)

    def _plan(self, start_ns: int) -> None:
        flood = self._flood
        self._bench.at(start_ns - _AHEAD_NS, lambda: self._send(start_ns, flood))

    def _send(self, start_ns: int, flood: int) -> None:
        if not self._on or flood != self._flood:
            return
        self.sent += 1
        self._begun_ns.add(start_ns)
        channel = self._radio.register(Reg.RF_CH)
        self._air.inject(start_ns, channel, self._address, self.forge())
        self._plan(start_ns + max(AIR_NS, next(self._spacing)))


def spread_out(rng: random.Random) -> Iterator[int]:
    """RATE_HZ packets a second, each at a random place in its slot."""
    place_ns = 0
    while True:
        next_ns = rng.randrange(_JITTER_NS)
        yield _SLOT_NS + next_ns - place_ns
        place_ns = next_ns
