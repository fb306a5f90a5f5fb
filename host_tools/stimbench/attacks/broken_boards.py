"""Boards whose parts have gone wrong: a flash that takes no more, a random source that stands still."""

from __future__ import annotations

import random
from collections.abc import Callable

from stimfw.pairing import exchange as pk
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import addresses, frames

from stimbench.attacks.air import RadioPeer
from stimbench.attacks.result import Result
from stimbench.attacks.stand import MS, QUICK_CURVE, Antenna, S, Stand, bench_config
from stimbench.bench import Bench, provision
from stimbench.client.stimulator import connect
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.emulator.flash import FlashChip
from stimbench.emulator.rosc import RandomBit
from stimbench.errors import StimbenchError

__all__ = ("degraded_flash", "stuck_source")

STATUS = messages.request(requests.STATUS)
_BOOT_NS = 3 * S  # a flash that takes nothing is tried again


# A flash that does not take what it is given.


def _takes_nothing(chip: FlashChip, rng: random.Random) -> None:
    """Erases and programs end, and nothing has changed: worn out, or protected."""
    chip._erase = lambda *_: None  # type: ignore[method-assign]
    chip._program = lambda *_: None  # type: ignore[method-assign]


def _loses_bits(chip: FlashChip, rng: random.Random) -> None:
    """Each page that is programmed has a few bits that stay 1."""
    program = chip._program

    def programmed(address: int, data: bytes) -> None:
        weak = bytearray(data)
        for _ in range(3):
            weak[rng.randrange(len(weak))] |= 1 << rng.randrange(8)
        program(address, bytes(weak))

    chip._program = programmed  # type: ignore[method-assign]


def _erases_badly(chip: FlashChip, rng: random.Random) -> None:
    """Each erased sector has a few bits that stay 0."""
    erase = chip._erase

    def erased(address: int, size: int, duration_ns: int) -> None:
        erase(address, size, duration_ns)
        for _ in range(8):
            chip.memory[address + rng.randrange(size)] &= 0xFF ^ 1 << rng.randrange(8)

    chip._erase = erased  # type: ignore[method-assign]


_WEAR: tuple[Callable[[FlashChip, random.Random], None], ...] = (
    _takes_nothing, _loses_bits, _erases_badly,
)  # fmt: skip


def degraded_flash(tries: int, seed: int) -> Result:
    """Let the flash of both boards refuse, lose or spoil what is written, from a start on.

    By wear, and by nobody. Each try is a start of a stimulator and a remote that were paired. Success: the
    stimulator does not answer over USB, or its radio answers though it has no epoch; a magnet is not noticed;
    or the remote shows no light for STOP.
    """
    rng = random.Random(f"degraded {seed}")
    told: list[str] = []
    for number in range(tries):
        wear = _WEAR[number % len(_WEAR)]
        bench = Bench(bench_config(seed + number))
        pairing = provision.pair(bench, seed + number)
        for board in bench.boards.values():
            wear(board.flash, rng)
        bench.run_for(_BOOT_NS)
        told += [f"{wear.__name__.strip('_')}: {what}" for what in [_useless(bench, pairing)] if what]
        bench.close()
    return Result("degraded flash", tries, len(told), "; ".join(sorted(set(told))) or "both boards live")


def _useless(bench: Bench, pairing: provision.Provisioned) -> str:
    """What does not work any more; nothing, if all does that needs no flash."""
    try:
        host = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        failed = host.status().failed_parts
        bench.magnet(True)
        bench.run_for(100 * MS)
        if not host.status().magnet:
            return "the magnet is not noticed"
        bench.magnet(False)
    except StimbenchError as error:
        return f"no stimulator on USB ({type(error).__name__})"
    pressed_ns = bench.now_ns
    bench.press("STOP", 80)
    bench.run_for(5 * S)
    lit = {
        colour: any(level for _, level in bench.trace.edges("remote", f"LED_{colour}", pressed_ns))
        for colour in ("RED", "GREEN")
    }
    if not any(lit.values()):
        return "the remote shows nothing for STOP"
    if "epochs" in failed and RadioPeer(bench, pairing, epoch=1 << 20).ask(STATUS) is not None:
        return "radio without an epoch"
    return ""


# A random source that is none.


_SOURCES: tuple[tuple[str, RandomBit], ...] = (
    ("stuck at 1", RandomBit(ones=1)),
    ("stuck at 0", RandomBit(ones=0)),
    ("97 % ones", RandomBit(ones=0.97)),
    ("each bit 40 times", RandomBit(repeats=40)),
)


def stuck_source(tries: int, seed: int, code: str = "") -> Result:
    """Have keys made, or connections opened, by a board whose ring oscillator stands still or is far off.

    By a broken chip, or somebody who cools it or disturbs its supply. Each try is a start with such a source,
    and then a pairing window or a new connection, in turn. Success: the stimulator shows a public key of its
    own, or opens a connection for more than a STOP.
    """
    rng = random.Random(f"stuck {seed}")
    won: dict[str, int] = {}
    for number in range(tries):
        name, source = _SOURCES[number // 2 % len(_SOURCES)]
        bits = {"stimulator": source}
        bench = Bench(bench_config(seed + number, boards=("stimulator",), random_bits=bits))
        pairing = provision.add_peer(bench, roles.PATIENT, seed + number)
        with Stand(seed + number, code=QUICK_CURVE + code, bench=bench) as stand:
            if number % 2:
                succeeded = RadioPeer(bench, pairing).ask(STATUS) is not None
            else:
                succeeded = _shows_a_public_key(stand, rng)
        if succeeded:
            what = f"{name}, {'connection' if number % 2 else 'pairing'}"
            won[what] = won.get(what, 0) + 1
    detail = ", ".join(f"{what}: {count}" for what, count in won.items()) or "refused each time"
    return Result("stuck random source", tries, sum(won.values()), detail)


def _shows_a_public_key(stand: Stand, rng: random.Random) -> bool:
    """Hold the magnet, and begin to pair."""
    antenna = Antenna(stand, addresses.PAIRING_REMOTE)
    stand.bench.magnet(True)
    stand.run_ms(3050)
    stand.bench.magnet(False)
    for _ in range(30):
        antenna.say(pk.pack(frames.PAIR, pk.BEGIN, rng.randbytes(30)), addresses.PAIRING_STIMULATOR)
        stand.run_ms(60)
        if antenna.heard:
            return True
    return False
