"""The air between the transceivers of a bench, and what an attacker or a neighbour can do in it.

Each transceiver lives on the scheduler of its own board. A packet is announced when its sender's
synthesiser begins to settle, 130 us before its first bit, and arrives at each receiver through that
receiver's scheduler at the absolute time of its end. So boards may run apart by up to `LOOKAHEAD_NS`
without one missing what the other sends: nothing announced at t touches anyone before t + 130 us.

Modelled: loss, jamming, collisions on one channel, a tap that hears everything, injected packets.
Left out: distance (everyone hears everyone; a packet's power is only written down), neighbouring channels,
capture of the stronger packet, propagation time (3 ns per metre).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .interfaces import Scheduler
from .seeds import spread

__all__ = ("LOOKAHEAD_NS", "AirChannel", "Packet", "Receiver", "Sniffed", "air_time_ns")

LOOKAHEAD_NS = 130_000
_KEEP_NS = 100_000_000


@dataclass(eq=False, slots=True)
class Packet:
    """One packet in flight. `bit_rate` in bit/s; `channel` 0-125; `address` as sent, LSByte first.

    `power_dbm` is its transmitter's output power.
    """

    start_ns: int
    end_ns: int
    channel: int
    bit_rate: int
    address: bytes
    payload: bytes
    pid: int = 0
    no_ack: bool = False
    is_ack: bool = False
    crc_bytes: int = 2
    enhanced: bool = True
    sender: object = None
    cancelled: bool = False
    lost: bool = False
    power_dbm: int = 0


class Sniffed(NamedTuple):
    """A packet as an eavesdropper records it."""

    t_start_ns: int
    t_end_ns: int
    channel: int
    address: bytes
    payload: bytes
    was_ack: bool
    power_dbm: int = 0


class Receiver(Protocol):
    """A transceiver, as the air sees it."""

    def on_air(self, packet: Packet) -> None:
        """A packet that was not lost in the air has just ended."""


class _Call(Protocol):
    def __call__(self, packet: Packet) -> bool: ...


@dataclass(slots=True)
class _Jam:
    channel: int | None
    start_ns: int
    end_ns: int


def air_time_ns(payload: int, address: int, crc_bytes: int, bit_rate: int, enhanced: bool = True) -> int:
    """How long a packet takes: 1 byte preamble, address, 9 bits of control field, payload, CRC.

    Args:
        payload: bytes, 0-32.
        address: bytes, 3-5.
        crc_bytes: 0-2.
        bit_rate: bit/s.
        enhanced: false for the older ShockBurst format, which has no control field.
    """
    bits = 8 * (1 + address + payload + crc_bytes) + (9 if enhanced else 0)
    return bits * 1_000_000_000 // bit_rate


@dataclass
class AirChannel:
    """The 2.4 GHz band on one bench.

    Attributes:
        seed: of the bench; whether a packet is lost depends on it and on the packet's time alone.
        loss: probability that a packet reaches nobody, 0-1.
        drop: called with each packet as it ends; true loses it.
        on_announce: called with each packet as it is announced; the engine sets it.
        tap: everything that was sent, lost or not, in the order of announcement.
    """

    seed: int = 0
    loss: float = 0.0
    drop: _Call | None = None
    on_announce: Callable[[Packet], None] | None = None
    tap: list[Sniffed] = field(default_factory=list)
    LOOKAHEAD_NS: int = LOOKAHEAD_NS
    _receivers: list[tuple[Receiver, Scheduler]] = field(default_factory=list)
    _flights: list[Packet] = field(default_factory=list)
    _jams: list[_Jam] = field(default_factory=list)

    def attach(self, receiver: Receiver, scheduler: Scheduler) -> None:
        """Bring a transceiver into range."""
        self._receivers.append((receiver, scheduler))

    def send(self, packet: Packet) -> None:
        """Announce a packet, at least 130 us before its first bit if it comes from a transceiver."""
        self._flights = [p for p in self._flights if p.end_ns > packet.start_ns - _KEEP_NS]
        self._flights.append(packet)
        if self.loss > 0.0:
            rng = spread(self.seed, f"air/{packet.start_ns}/{packet.is_ack}")
            packet.lost = rng.random() < self.loss
        self.tap.append(
            Sniffed(
                packet.start_ns,
                packet.end_ns,
                packet.channel,
                packet.address,
                packet.payload,
                packet.is_ack,
                packet.power_dbm,
            )
        )
        for receiver, scheduler in self._receivers:
            if receiver is not packet.sender:
                scheduler.call_at(packet.end_ns, self._arrival(receiver, packet))
        if self.on_announce is not None:
            self.on_announce(packet)

    def inject(
        self,
        start_ns: int,
        channel: int,
        address: bytes,
        payload: bytes,
        *,
        bit_rate: int = 1_000_000,
        pid: int = 0,
        no_ack: bool = False,
        is_ack: bool = False,
        crc_bytes: int = 2,
        power_dbm: int = 0,
        enhanced: bool = False,
    ) -> Packet:
        """Send a packet from an attacker's transmitter.

        Args:
            start_ns: bench time of its first bit; not before any board's present time.
            channel: 0-125.
            address: 3-5 bytes, LSByte first.
            payload: 0-32 bytes.
            bit_rate: 250 000, 1 000 000 or 2 000 000.
            pid: 2-bit packet identity, of an enhanced packet.
            no_ack: the sender wants no acknowledgement; of an enhanced packet.
            is_ack: it is sent as an acknowledgement; of an enhanced packet.
            crc_bytes: 0-2; a receiver drops what does not match its own setting.
            power_dbm: of the attacker's transmitter; reaches the tap only.
            enhanced: Enhanced ShockBurst with its control field. The boards here speak the older format
                (product specification 7.10), and hear nothing else.

        Returns:
            The packet, as the tap has it.

        Raises:
            ValueError: an address or payload of impossible length; what only an enhanced packet has.
        """
        if not enhanced and (pid or no_ack or is_ack):
            raise ValueError("the older format has no packet identity and no acknowledgements")
        if not 3 <= len(address) <= 5 or len(payload) > 32:
            raise ValueError("an address has 3-5 bytes and a payload at most 32")
        end = start_ns + air_time_ns(len(payload), len(address), crc_bytes, bit_rate, enhanced)
        packet = Packet(
            start_ns,
            end,
            channel,
            bit_rate,
            bytes(address),
            bytes(payload),
            pid & 3,
            no_ack,
            is_ack,
            crc_bytes,
            enhanced,
            power_dbm=power_dbm,
        )
        self.send(packet)
        return packet

    def jam(self, channel: int | None, start_ns: int, end_ns: int) -> None:
        """Jam a channel (`None`: all of them) with noise from `start_ns` to `end_ns`."""
        self._jams.append(_Jam(channel, start_ns, end_ns))

    def jammed(self, time_ns: int) -> list[int | None]:
        """The channels that are jammed at that time; `None` stands for all."""
        return [jam.channel for jam in self._jams if jam.start_ns <= time_ns < jam.end_ns]

    def stop_jamming(self, time_ns: int) -> None:
        """End all jamming at `time_ns`, also what was to begin later."""
        for jam in self._jams:
            jam.end_ns = min(jam.end_ns, time_ns)

    def carrier(self, channel: int, start_ns: int, end_ns: int, listener: object = None) -> bool:
        """True if someone else's signal fills the whole interval: what a power detector sees."""
        spans = [(j.start_ns, j.end_ns) for j in self._jams if j.channel in (None, channel)]
        spans += [
            (p.start_ns, p.end_ns)
            for p in self._flights
            if p.channel == channel and p.sender is not listener and not p.cancelled
        ]
        return any(start <= start_ns and end >= end_ns for start, end in spans)

    def _arrival(self, receiver: Receiver, packet: Packet) -> Callable[[], None]:
        def arrive() -> None:
            if not packet.cancelled and not self._destroyed(packet):
                receiver.on_air(packet)

        return arrive

    def _destroyed(self, packet: Packet) -> bool:
        if packet.lost or (self.drop is not None and self.drop(packet)):
            return True
        if any(
            j.channel in (None, packet.channel) and j.start_ns < packet.end_ns and j.end_ns > packet.start_ns
            for j in self._jams
        ):
            return True
        return any(
            p is not packet
            and not p.cancelled
            and p.channel == packet.channel
            and p.start_ns < packet.end_ns
            and p.end_ns > packet.start_ns
            for p in self._flights
        )
