"""A peer of the radio protocol without a board: its frames are put into the air of an emulated bench.

It is a whole transceiver as far as the stimulator can tell: it sends each frame in a burst of packets, 130
us apart as an nRF24L01+ does, and takes an answer of three packets for one. What it does not do: search
for the channel. It reads the one that the stimulator's radio is tuned to, so that it is never slower than a
remote that guessed right.
"""

from __future__ import annotations

import random
from typing import Protocol

from stimfw.telemetry import addresses
from stimfw.telemetry.frames import COPIES
from stimfw.telemetry.requester import LIMIT_MS, Requester

from stimbench.bench import Bench
from stimbench.parts.nrf24_registers import Reg
from stimbench.parts.radio import AirChannel, Packet, air_time_ns
from stimbench.parts.wiring import StimulatorParts

__all__ = ("Paired", "RadioPeer")

_US, _MS = 1_000, 1_000_000
_SETTLE_NS = 130 * _US  # nRF24L01+ product specification 1.0, table 16: standby to TX or RX
_BURST_NS = 10 * _MS  # what comes again so soon is a copy
_LISTEN_NS = 200 * _US  # the check for a carrier: not made here, but its time passes
_AHEAD_NS = _MS  # so much earlier than its first bit a packet is made
_STEP_NS = 250 * _US


class Paired(Protocol):
    """What both sides know of each other."""

    @property
    def base(self) -> bytes:
        """The bench's 4 bytes of radio address."""

    @property
    def slot(self) -> int:
        """At the stimulator, 0-5."""

    @property
    def key(self) -> bytes:
        """32 bytes."""

    @property
    def role(self) -> int:
        """stimfw.protocol.roles.PATIENT or CLINICIAN."""


class RadioPeer:
    """Asks the bench's stimulator by radio. Bench time passes in every method that waits or sends.

    Attributes:
        requester: the protocol's end (stimfw.telemetry.requester), for its counters and its state.
        sent: each frame given to the radio and the time of its first packet's end in ns.
        heard: each frame received and the time of its first packet's end in ns, copies left out.
    """

    def __init__(self, bench: Bench, pairing: Paired, *, epoch: int = 1, seed: int = 1) -> None:
        """Come into range.

        Args:
            bench: has a stimulator with its parts.
            pairing: what the stimulator has on its flash.
            epoch: of this start; higher than that of any earlier peer of the same slot, unless that is the
                test.
            seed: of its random bytes.

        Raises:
            ValueError: the bench has no air, or its stimulator has no parts.
        """
        board = bench.board("stimulator")
        if bench.air is None or not isinstance(board.parts, StimulatorParts):
            raise ValueError("the bench has no air")
        self.bench, self._air, self._pairing = bench, bench.air, pairing
        self._radio = board.parts.radio
        self._dice = random.Random(f"radio peer {seed}")
        self._own = addresses.peer_address(pairing.base, pairing.slot)
        self._stimulator = addresses.stimulator_address(pairing.base)
        self._epoch = epoch - 1
        self._free_ns: int | None = None  # end of the burst that is in the air
        self._busy_ns = 0  # end of the stimulator's: before it, the look for a carrier would see one
        self.sent: list[tuple[bytes, int]] = []
        self.heard: list[tuple[bytes, int]] = []
        self.restart()
        bench.air.attach(self, board.scheduler)

    def restart(self) -> None:
        """As after a reset of the peer: the next epoch, no connection."""
        self._epoch += 1
        pairing = self._pairing
        self.requester = Requester(pairing.slot, pairing.role, pairing.key, self._epoch, self._dice.randbytes)
        self._free_ns = None

    @property
    def air(self) -> AirChannel:
        """The air that it speaks in."""
        return self._air

    @property
    def channel(self) -> int:
        """The channel that the stimulator's radio is tuned to, 0-125."""
        return self._radio.register(Reg.RF_CH)

    def ask(self, message: bytes, limit_ms: int = LIMIT_MS) -> bytes | None:
        """Ask, and wait for the answer.

        Returns:
            The reply message; None if there was none within `limit_ms`: it may or may not have been executed.
        """
        self.requester.begin(message, limit_ms, self._now_ms)
        return self.finish()

    def frame_at(self, end_ns: int, message: bytes, limit_ms: int = LIMIT_MS) -> bytes:
        """Begin a request so that its first packet ends at `end_ns`; finish() waits for the answer.

        Without an open connection the packet is a HELLO: ask() something shortly before.

        Returns:
            The frame in that packet.

        Raises:
            ValueError: it is too late for that.
        """
        start_ns = end_ns - self._air_time_ns(32)
        if start_ns - _SETTLE_NS < self.bench.now_ns:
            raise ValueError(f"a packet cannot end at {end_ns} ns: it is {self.bench.now_ns} ns")
        self.bench.run_to(max(self.bench.now_ns, start_ns - _AHEAD_NS))
        self.requester.begin(message, limit_ms, self._now_ms)
        frame = self.requester.poll(self._now_ms)
        if frame is None:
            raise ValueError("nothing is due")
        self._fly(frame, start_ns)
        return frame

    def finish(self) -> bytes | None:
        """Let bench time pass until the request is answered or given up; return the reply."""
        requester, bench = self.requester, self.bench
        while requester.state == Requester.WAITING:
            if self._free_ns is not None:
                self._land(self._free_ns)
                continue
            frame = requester.poll(self._now_ms)
            if frame is not None:
                self._fly(frame, max(bench.now_ns, self._busy_ns) + _LISTEN_NS + _SETTLE_NS)
            else:
                bench.run_to(bench.now_ns + _STEP_NS)
        return requester.reply if requester.state == Requester.ANSWERED else None

    def inject(self, payload: bytes, end_ns: int | None = None, channel: int | None = None) -> int:
        """Put any bytes (1-32) into the air once, to the stimulator's address; wait for nothing.

        Args:
            payload: the frame, or what is to look like one.
            end_ns: when its packet ends; None: as soon as it can.
            channel: None: the stimulator's.

        Returns:
            When the packet ends, in ns.
        """
        start_ns = self.bench.now_ns + _SETTLE_NS
        if end_ns is not None:
            start_ns = end_ns - self._air_time_ns(len(payload))
            self.bench.run_to(max(self.bench.now_ns, start_ns - _AHEAD_NS))
        return self._packet(payload, start_ns, channel).end_ns

    # The radio.

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver)."""
        if packet.address != self._own or packet.enhanced:
            return
        last, last_ns = self.heard[-1] if self.heard else (b"", 0)
        if packet.payload == last and packet.end_ns - last_ns < _BURST_NS:
            return
        self.heard.append((packet.payload, packet.end_ns))
        self._busy_ns = packet.end_ns + (COPIES - 1) * (_SETTLE_NS + packet.end_ns - packet.start_ns)
        self.requester.on_frame(packet.payload, packet.end_ns // _MS)

    def _fly(self, frame: bytes, start_ns: int) -> None:
        self.sent.append((frame, start_ns + self._air_time_ns(len(frame))))
        for _ in range(self.requester.copies):
            self._free_ns = self._packet(frame, start_ns, None).end_ns
            start_ns = self._free_ns + _SETTLE_NS

    def _land(self, end_ns: int) -> None:
        """Wait for the end of the burst, and tell the requester."""
        self.bench.run_to(max(self.bench.now_ns, end_ns))
        self._free_ns = None
        self.requester.sent(True, self._now_ms)

    def _packet(self, payload: bytes, start_ns: int, channel: int | None) -> Packet:
        return self._air.inject(
            start_ns, self.channel if channel is None else channel, self._stimulator, payload
        )

    def _air_time_ns(self, length: int) -> int:
        return air_time_ns(length, len(self._stimulator), 2, 1_000_000, enhanced=False)

    @property
    def _now_ms(self) -> int:
        return self.bench.now_ns // _MS
