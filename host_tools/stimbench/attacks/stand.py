"""An emulated bench with the real firmware, as an attacker finds it: boards, peers, hands, a cable.

The other attacks speak to the protocol's two ends on a desk (stimbench.attacks.loopback). Those that use this
one are about what the whole stimulator does: its radio, its magnet, its flash, its output.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from stimfw.telemetry import addresses

from stimbench.attacks.air import RadioPeer
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.client.stimulator import connect
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.emulated_link import EmulatedLink

if TYPE_CHECKING:
    from stimbench.client.stimulator import Stimulator
    from stimbench.parts.radio import AirChannel, Packet

__all__ = ("MS", "QUICK_CURVE", "Antenna", "QuickCurve", "S", "Stand", "bench_config", "firmware_from")

MS, S = 1_000_000, 1_000_000_000
_BOOT_NS = 700 * MS
_DRIVES = ("L_CATH", "R_CATH")
_PERIOD_NS = 50 * MS  # of the programme's 20 Hz
_SELF_TEST_NS = 450 * MS  # of the output, between a START and the first pulse of its session
_SETTLE_NS = 130_000
_P = (1 << 255) - 19

PROGRAM = {
    "left.amplitude_ua": 2000,
    "right.amplitude_ua": 2000,
    "ramp_up_ms": 0,
    "ramp_down_ms": 0,
    "on_ms": 60_000,
    "off_ms": 0,
    "session_s": 3600,
}
"""Pulses without a ramp, on both leads, for an hour."""

QUICK_CURVE = """
from stimfw.crypto import x25519

def _quick(secret, u, p=(1 << 255) - 19):
    yield
    product = int.from_bytes(secret, "little") * int.from_bytes(u, "little") % p
    return product.to_bytes(32, "little")

x25519.steps = _quick
"""
"""For a board: products modulo p in the place of X25519, which takes the emulator ten seconds. They commute
as well, and what an attack is about is not the curve."""


class QuickCurve:
    """The same for an attacker's own side (stimfw.pairing.exchange.Curve)."""

    BASE_POINT = b"\x09" + bytes(31)

    def steps(self, secret: bytes, u: bytes) -> Generator[None, None, bytes]:
        """As stimfw.crypto.x25519.steps."""
        yield
        product = int.from_bytes(secret, "little") * int.from_bytes(u, "little") % _P
        return product.to_bytes(32, "little")

    shared_steps = steps


_firmware: dict[str, Path] = {}


@contextmanager
def firmware_from(files: Mapping[str, Path]) -> Iterator[None]:
    """Benches run these files by board, and not those of the checkout."""
    _firmware.update(files)
    try:
        yield
    finally:
        _firmware.clear()


def bench_config(seed: int, **fields: Any) -> BenchConfig:
    """A BenchConfig with the firmware of `firmware_from`."""
    return BenchConfig(seed=seed, firmware=dict(_firmware), **fields)


class Stand:
    """A stimulator that has booted, with peers that are paired, and a host on USB.

    Attributes:
        bench: time passes in it only when a method here or there says so.
        air: between the boards.
        pairings: of each peer that was asked for; with a remote, the remote's comes first.
        host: requests over USB.
    """

    def __init__(
        self,
        seed: int,
        peers: Sequence[int] = (),
        *,
        remote: bool = False,
        code: str = "",
        remote_code: str = "",
        bench: Bench | None = None,
    ) -> None:
        """Switch the bench on and wait until the stimulator answers.

        Args:
            seed: of the bench and of the peers' keys.
            peers: the role of each peer without a board.
            remote: a remote's board is there too, paired.
            code: MicroPython that changes the stimulator's firmware before it starts: a bug that is planted
                to see an attack succeed, or QUICK_CURVE.
            remote_code: the same for the remote.
            bench: one that has not run yet, in the place of a new one.
        """
        boards = ("stimulator", "remote") if remote else ("stimulator",)
        self.bench = bench or Bench(bench_config(seed, boards=boards))
        assert self.bench.air is not None
        self.air: AirChannel = self.bench.air
        self.pairings = [provision.pair(self.bench, seed)] if remote else []
        self.pairings += [
            provision.add_peer(self.bench, role, 100 * seed + n) for n, role in enumerate(peers)
        ]
        self.bench.run_for(_BOOT_NS)
        for board, planted in (("stimulator", code), ("remote", remote_code)):
            if planted:
                self._restart_with(board, planted)
        self.host: Stimulator = connect(EmulatedLink(self.bench, "stimulator"), first_number=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bench.close()

    def _restart_with(self, board: str, code: str) -> None:
        """End the application, run `code` on the board, start the application again."""
        repl = EmulatedDevice(self.bench, board).open().enter_repl()
        repl.exec(code)
        repl.exec_raw_no_follow("import main\nmain.main()")
        self.bench.run_for(_BOOT_NS)
        self.bench.board(board).console.read()

    # Time.

    @property
    def now_ns(self) -> int:
        """Bench time."""
        return self.bench.now_ns

    def run_ms(self, span_ms: float) -> None:
        """Let time pass."""
        self.bench.run_for(round(span_ms * MS))

    # Peers.

    def peer(self, number: int = 0, epoch: int = 1) -> RadioPeer:
        """The peer of a pairing comes into range."""
        return RadioPeer(self.bench, self.pairings[number], epoch=epoch, seed=number + 1)

    # The output.

    def start(self, **changes: int) -> None:
        """Begin a session over USB: pulses flow when it returns. `on_ms=500`: other than in PROGRAM."""
        wanted = PROGRAM | {name.replace("__", "."): value for name, value in changes.items()}
        self.host.set_program(self.host.program().replaced(wanted))
        self.restart()

    def restart(self) -> None:
        """The same with the programme that it has."""
        self.host.start()
        self.bench.run_for(_SELF_TEST_NS + 200 * MS)

    def pulses(self, since_ns: int) -> list[int]:
        """When pulses began since then, both leads together."""
        edges = [
            at
            for drive in _DRIVES
            for at, level in self.bench.trace.edges("stimulator", drive, since_ns)
            if level
        ]
        return sorted(edges)

    def is_pulsing(self) -> bool:
        """Whether pulses come, if only of a session that begins now.

        The self-test before it and two periods are waited for.
        """
        since_ns = self.now_ns
        self.bench.run_for(_SELF_TEST_NS + 2 * _PERIOD_NS + 5 * MS)
        return bool(self.pulses(since_ns))

    def stopped_after_ms(self, press_ns: int, limit_ms: int) -> int:
        """How long after `press_ns` the last pulse began; `limit_ms` + 1 if they go on for longer."""
        while self.now_ns < press_ns + limit_ms * MS:
            self.bench.run_for(25 * MS)
            last = self.pulses(press_ns)
            if self.now_ns - max(last[-1] if last else 0, press_ns) > 2 * _PERIOD_NS:
                return ((last[-1] if last else press_ns) - press_ns) // MS
        return limit_ms + 1


class Antenna:
    """A transmitter and a receiver of the attacker's, for any address."""

    def __init__(self, stand: Stand, address: bytes) -> None:
        """Receive at `address`."""
        self._stand, self._address = stand, address
        self.heard: list[bytes] = []
        stand.air.attach(self, stand.bench.board("stimulator").scheduler)

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range (stimbench.parts.radio.Receiver). Copies of a frame count once."""
        if packet.address == self._address and self.heard[-1:] != [packet.payload]:
            self.heard.append(packet.payload)

    def say(self, frame: bytes, address: bytes, channel: int = addresses.PAIRING_CHANNEL) -> None:
        """Send a frame now."""
        self._stand.air.inject(self._stand.now_ns + 2 * _SETTLE_NS, channel, address, frame)
