"""A receiver that acknowledges what it cannot read, so that a sender believes that it has arrived."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stimfw.telemetry import addresses, frames

from stimbench.attacks.result import Result
from stimbench.attacks.stand import MS, Stand

if TYPE_CHECKING:
    from stimbench.bench.provision import Provisioned
    from stimbench.parts.radio import Packet

__all__ = ("Acknowledger", "acknowledged")

_SETTLE_NS = 130_000  # nRF24L01+ product specification 1.0, table 16: an acknowledgement begins so late
_ANSWER_NS = 4 * MS  # the remote listens when its burst is over, and expects an answer about then
_NOISE_MS = 60  # once, on the stimulator's channel
_LATEST_MS = 250  # issue 12, item 1: STOP with acknowledgers on all channels but one
_REST_MS = 4000


class Acknowledger:
    """On some channels it answers each packet to the stimulator's address. It has no key.

    An nRF24 acknowledgement first, as the radios of version 2 took for an arrival; then a frame that is a
    REPLY or a CHALLENGE by its first bytes, and no more.

    Attributes:
        given: packets answered so far.
    """

    def __init__(
        self, stand: Stand, pairing: Provisioned, channels: Sequence[int], rng: random.Random
    ) -> None:
        """Listen, at the stimulator's address, on `channels` (0-125) at once."""
        self._air, self._channels, self._dice = stand.air, channels, rng
        self._slot = pairing.slot
        self._address = addresses.stimulator_address(pairing.base)
        self._peer = addresses.peer_address(pairing.base, pairing.slot)
        self.given = 0
        stand.air.attach(self, stand.bench.board("stimulator").scheduler)

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver)."""
        if packet.is_ack or packet.address != self._address or packet.channel not in self._channels:
            return
        self.given += 1
        self._air.inject(
            packet.end_ns + _SETTLE_NS, packet.channel, packet.address, b"",
            bit_rate=packet.bit_rate, pid=packet.pid, is_ack=True, enhanced=True,
        )  # fmt: skip
        kind = self._dice.choice((frames.CHALLENGE, frames.REPLY))
        answer = bytes((frames.first(kind), self._slot)) + self._dice.randbytes(frames.FRAME_BYTES - 2)
        self._air.inject(packet.end_ns + _ANSWER_NS, packet.channel, self._peer, answer)


def acknowledged(tries: int, seed: int, remote_code: str = "") -> Result:
    """Acknowledge the remote's frames on the channels where the stimulator is not.

    By somebody with a receiver and no key. He knows the stimulator's address, makes noise on the
    stimulator's channel once, and from then on sends nothing but nRF24 acknowledgements and false answers,
    on the two other channels. Each try is a STOP pressed on the real remote while pulses run. Success: pulses
    still come 250 ms after the press.
    """
    rng = random.Random(f"acknowledged {seed}")
    successes = given = slowest_ms = 0
    done = 0
    while done < tries:
        with Stand(seed + done, remote=True, remote_code=remote_code) as stand:
            attacker = Acknowledger(stand, stand.pairings[0], addresses.CHANNELS[1:], rng)
            stand.start()
            now_ns = stand.now_ns
            stand.air.jam(addresses.CHANNELS[0], now_ns, now_ns + _NOISE_MS * MS)
            stand.bench.press("STATUS", 80)
            stand.run_ms(_REST_MS)
            for _ in range(min(5, tries - done)):
                done += 1
                took_ms = _pressed(stand, rng)
                slowest_ms = max(slowest_ms, took_ms)
                successes += took_ms > _LATEST_MS
            given += attacker.given
    most = f"> {_REST_MS}" if slowest_ms > _REST_MS else str(slowest_ms)
    detail = f"{given} packets answered; slowest STOP {most} ms"
    return Result("passive acknowledger", tries, successes, detail)


def _pressed(stand: Stand, rng: random.Random) -> int:
    """Press STOP while pulses run: ms until the last pulse; more than _REST_MS if they go on."""
    if not stand.is_pulsing():
        stand.restart()
    stand.run_ms(200 + rng.randrange(300))
    press_ns = stand.now_ns
    stand.bench.press("STOP", 80)
    took_ms = stand.stopped_after_ms(press_ns, _REST_MS)
    stand.run_ms(500)
    return took_ms
