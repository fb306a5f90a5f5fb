"""STOP under a flood that is on for a part of the time only, and keeps in step with its receiver."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from stimfw.telemetry import addresses

from stimbench.attacks.result import Result
from stimbench.attacks.stand import MS, Stand
from stimbench.attacks.transmitter import MIX, Transmitter
from stimbench.parts.nrf24_registers import Reg
from stimbench.parts.radio import air_time_ns

if TYPE_CHECKING:
    from stimbench.parts.radio import Packet

__all__ = ("SHAPES", "InStep", "flooded_20", "flooded_45")

STEP, EVEN, THREES, LONG = "in step", "even", "threes", "long bursts"
SHAPES = (STEP, EVEN, THREES, LONG)
_FRAME_NS = air_time_ns(32, 5, 2, 1_000_000, enhanced=False)
_GAP_NS = 4_000  # between two packets of a burst
_AHEAD_NS = 150_000  # so much earlier than its first bit a packet is made
_PLACES = 3  # an nRF24L01+ holds so many frames
_LONG_NS = 10 * MS
_EARLIEST_NS, _LATEST_NS = 11 * MS, 21 * MS  # docs/telemetry.md, "When the peer sends again"
_WARM_MS = 1500
_LIMIT_MS = 4000


class InStep:
    """Sends forged frames for a share of the time, on the stimulator's channel, with nobody's key.

    It waits for no free channel, and hears all that is said.
    """

    def __init__(self, stand: Stand, duty: float, shape: str, rng: random.Random) -> None:
        """Be ready.

        Args:
            stand: with a remote, whose slot it claims.
            duty: share of the time in which it sends, 0-1.
            shape: STEP: it hears when the remote's bursts end, and sends without a pause through the time in
                which the next one begins; with nothing to keep in step with it saves its share up. EVEN: one
                frame after the other, evenly. THREES: three at a time, at random. LONG: bursts of 10 ms.
            rng: for all of it.
        """
        self._stand, self._duty, self._shape, self._dice = stand, duty, shape, rng
        self._forger = Transmitter(stand.bench, stand.pairings[0], MIX, rng)
        self._address = addresses.stimulator_address(stand.pairings[0].base)
        self._radio = stand.bench.board("stimulator").parts.radio
        self._credit_ns = 0.0
        self._last_ns = 0
        self._left = 0  # packets of the present burst
        self._heard_ns = -_LATEST_NS  # end of the remote's last burst
        self.sent_ns = 0
        stand.air.attach(self, stand.bench.board("stimulator").scheduler)

    def begin(self) -> None:
        """Be on from now on."""
        self._last_ns = self._stand.now_ns
        self._later(self._stand.now_ns + MS)

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver): is it the remote's?"""
        if packet.sender is not None and packet.address == self._address:
            self._heard_ns = packet.end_ns

    def _later(self, at_ns: int) -> None:
        self._stand.bench.at(max(at_ns, self._stand.now_ns + 1000), self._go_on)

    def _go_on(self) -> None:
        """Send one packet, if it is time and the share allows it, and come again."""
        now_ns = self._stand.now_ns
        self._credit_ns = min(2 * _LONG_NS, self._credit_ns + self._duty * (now_ns - self._last_ns))
        self._last_ns = now_ns
        start_ns = now_ns + _AHEAD_NS
        if self._left == 0:
            due_ns = self._due_ns(now_ns)
            wanted_ns = {LONG: _LONG_NS, THREES: _PLACES * _FRAME_NS}.get(self._shape, _FRAME_NS)
            if self._credit_ns < wanted_ns:
                due_ns = max(due_ns, now_ns + round((wanted_ns - self._credit_ns) / self._duty))
            if due_ns > now_ns:
                self._later(due_ns)
                return
            self._left = wanted_ns // _FRAME_NS
            start_ns += self._dice.randrange(2 * MS) if self._shape == THREES else 0
        self._left -= 1
        self._credit_ns -= _FRAME_NS
        self._send(start_ns)

    def _due_ns(self, now_ns: int) -> int:
        """In step: when the remote's next burst may begin. With a full share, now all the same."""
        since_ns = now_ns - self._heard_ns
        if self._shape != STEP or _EARLIEST_NS <= since_ns < _LATEST_NS or self._credit_ns >= 2 * _LONG_NS:
            return now_ns
        return self._heard_ns + _EARLIEST_NS if since_ns < _EARLIEST_NS else now_ns + MS

    def _send(self, start_ns: int) -> None:
        channel = self._radio.register(Reg.RF_CH)
        self._stand.air.inject(start_ns, channel, self._address, self._forger.forge())
        self.sent_ns += _FRAME_NS
        self._later(start_ns + _FRAME_NS + _GAP_NS - _AHEAD_NS)


def _flooded(
    name: str, duty: float, limit_ms: int, tries: int, seed: int, code: str = "", remote_code: str = ""
) -> Result:
    rng = random.Random(f"{name} {seed}")
    times: dict[str, list[int]] = {}
    sent_ns = passed_ns = 0
    for number in range(tries):
        shape = SHAPES[number % len(SHAPES)]
        with Stand(seed + number, remote=True, code=code, remote_code=remote_code) as stand:
            stand.start()
            attacker = InStep(stand, duty, shape, rng)
            began_ns = stand.now_ns
            attacker.begin()
            stand.run_ms(_WARM_MS + rng.randrange(1000))
            press_ns = stand.now_ns
            stand.bench.press("STOP", 80)
            times.setdefault(shape, []).append(stand.stopped_after_ms(press_ns, _LIMIT_MS))
            sent_ns += attacker.sent_ns
            passed_ns += stand.now_ns - began_ns
    late = sum(each > limit_ms for some in times.values() for each in some)
    slowest = ", ".join(
        f"{shape} {'never' if max(some) > _LIMIT_MS else f'{max(some)} ms'}" for shape, some in times.items()
    )
    detail = f"on {100 * sent_ns / max(1, passed_ns):.0f} % of the time; slowest STOP: {slowest}"
    return Result(name, tries, late, detail)


def flooded_20(tries: int, seed: int, code: str = "") -> Result:
    """Forge frames for 20 % of the time, at the moments that hurt most, while pulses run and STOP is pressed.

    By somebody with a transmitter and no key, who knows all the rest, and hears what is said. In turn he
    keeps in step with the remote's tries, or sends evenly, in threes, or in bursts of 10 ms. Each try is a
    STOP pressed on the real remote. Success: pulses still come 250 ms after the press.
    """
    return _flooded("flood in step, 20 %", 0.20, 250, tries, seed, code)


def flooded_45(tries: int, seed: int, code: str = "", remote_code: str = "") -> Result:
    """The same for 45 % of the time.

    By the same, with twice the power supply. Each try is a STOP pressed on the real remote. Success: pulses
    still come 1 s after the press.
    """
    return _flooded("flood in step, 45 %", 0.45, 1000, tries, seed, code, remote_code)
