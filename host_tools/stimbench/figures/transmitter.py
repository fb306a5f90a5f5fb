"""A transmitter of our own: requests in packets that end at exactly chosen times."""

from __future__ import annotations

import struct
from itertools import count

from stimfw.logic import messages, radio_frame

from stimbench.figures.rig import MS, Rig
from stimbench.parts.nrf24_registers import Reg
from stimbench.parts.radio import AirChannel, air_time_ns

__all__ = ("Transmitter", "is_request")

_ANSWER_NS = 40 * MS
_AHEAD_NS = MS


class Transmitter:
    """Speaks to the stimulator as a remote does, but never listens for an acknowledgement."""

    def __init__(self, rig: Rig) -> None:
        """Learn the radio's settings from its registers, and the number that is due from the stimulator.

        Raises:
            RuntimeError: the bench has no air, or the stimulator does not answer a HELLO.
        """
        if rig.bench.air is None:
            raise RuntimeError("the bench has no air")
        self._rig, self._air = rig, rig.bench.air
        self._regs = rig.parts.radio._s.regs
        self._pid = count()
        self._send(radio_frame.encode(radio_frame.HELLO, 1, b"\0"), rig.now_ns + 2 * MS)
        rig.bench.run_for(_ANSWER_NS)
        self._number = _told_number(self._air)

    @property
    def rate(self) -> int:
        """Bits a second."""
        return int(self._regs.bit_rate)

    def request(self, opcode: int, end_ns: int) -> None:
        """Let a request's packet end at `end_ns`; bench time passes until shortly before its first bit."""
        self._number = (self._number + 1) & 0xFFFF
        self._send(radio_frame.encode(radio_frame.REQUEST, self._number, messages.request(opcode)), end_ns)

    def _send(self, frame: bytes, end_ns: int) -> None:
        regs = self._regs
        address = regs.address(Reg.RX_ADDR_P1)
        length_ns = air_time_ns(len(frame), len(address), regs.crc_bytes, self.rate)
        self._rig.bench.run_to(max(self._rig.now_ns, end_ns - length_ns - _AHEAD_NS))
        self._air.inject(
            end_ns - length_ns, regs[Reg.RF_CH], address, frame,
            bit_rate=self.rate, pid=next(self._pid) & 3, crc_bytes=regs.crc_bytes,
        )  # fmt: skip


def _told_number(air: AirChannel) -> int:
    for packet in reversed(air.tap):
        try:
            kind, _, message = radio_frame.decode(packet.payload)
        except ValueError:
            continue
        if kind == radio_frame.NUMBER:
            return int(struct.unpack("<H", message)[0])
    raise RuntimeError("the stimulator did not answer a HELLO")


def is_request(payload: bytes, opcode: int) -> bool:
    """Whether a packet's payload is a request of that kind."""
    try:
        kind, _, message = radio_frame.decode(payload)
    except ValueError:
        return False
    return kind == radio_frame.REQUEST and bytes(message) == messages.request(opcode)
