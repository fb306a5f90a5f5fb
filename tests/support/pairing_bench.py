"""Both boards on an emulated bench, and the person who pairs them by radio.

X25519 in plain MicroPython takes a second of emulated time and 20 s of the emulator's: here both boards (and
whoever else speaks) multiply modulo p instead, which commutes as well. A `boot.py` on their file systems does
that to the real firmware, so that it outlives resets. The curve itself: tests/device/test_crypto.py, and in
a whole pairing the row `pairing` of `stimbench bench figures`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from stimbench.bench import Bench, BenchConfig, provision
from stimbench.parts.indicators import Tone
from stimbench.parts.radio import Packet, Sniffed
from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.pairings import PairingTable, RemotePairing
from stimfw.storage.record import Record
from stimfw.telemetry import addresses, frames
from stimfw.telemetry.keys import MOST_STEPS, next_key

from support.board import emulated_board
from support.file_system import file_system
from support.flash_fake import FlashFake

MS = 1_000_000
HELD_MS = 3000
"""The magnet, to open a window; STATUS, to begin a pairing."""
CLEAR_MS = 250
PATIENCE_MS = 5000
CONFIRMED_MS = 2500
"""After a press: the remote has noted on flash that it was answered."""
GLANCE_MS = 100
GESTURE_MS = 1100
"""The magnet, to say yes: at least 1 s."""
QUICK_MS = 700
"""From the first PAIR to the code, with the quick curve: the real one takes 2 s."""
PAIRING = (addresses.PAIRING_STIMULATOR, addresses.PAIRING_REMOTE)
LEDS = {"stimulator": "LED", "remote": "LED_AMBER"}
QUICK_CURVE = """
from stimfw.crypto import x25519

def steps(secret, u, p=(1 << 255) - 19):
    yield
    product = int.from_bytes(secret, "little") * int.from_bytes(u, "little") % p
    return product.to_bytes(32, "little")

x25519.steps = steps
"""


class Couple:
    """A stimulator and a remote, paired before, and a person between them.

    Attributes:
        bench: it runs in the methods here.
        old: the pairing that they begin with.
    """

    def __init__(self, seed: int = 1) -> None:
        self.bench = Bench(BenchConfig(seed=seed))
        for each in self.bench.boards.values():
            files = file_system("boot.py", QUICK_CURVE.encode())
            each.flash.write(len(each.flash.memory) - layout.BLOCKS * BLOCK_BYTES, files)
        assert self.bench.air is not None
        self.air = self.bench.air
        self.old = provision.pair(self.bench, seed)
        self.remote, self.chip = self.bench.board("remote"), self.bench.board("stimulator")
        self.board = emulated_board(self.bench)
        self._since, self._since_ns = 0, 0
        self.board.wait_ready()
        self.run_ms(CLEAR_MS)
        assert self.works()  # with the key of this start, which both boards then have on flash
        self.run_ms(CONFIRMED_MS)
        self.old = replace(self.old, key=self.remotes()[3])
        self.mark()

    # Time and the air.

    def run_ms(self, span_ms: float) -> None:
        self.bench.run_for(round(span_ms * MS))

    def mark(self) -> None:
        """The methods below tell what comes after this."""
        self._since, self._since_ns = len(self.air.tap), self.bench.now_ns

    def packets(self) -> list[Sniffed]:
        """All that was in the air since mark()."""
        return self.air.tap[self._since :]

    def pairing_packets(self) -> list[Sniffed]:
        """Those to pairing's addresses, acknowledgements included."""
        return [packet for packet in self.packets() if packet.address in PAIRING]

    def said(self, kind: int, *head: int) -> list[Sniffed]:
        """Frames of a kind whose next bytes are `head`: step, state."""
        start = bytes((frames.first(kind), *head))
        return [packet for packet in self.packets() if packet.payload.startswith(start)]

    def wait(self, what: Callable[[], object], limit_ms: float = PATIENCE_MS, poll_us: int = 1000) -> None:
        assert self.bench.run_until(what, round(limit_ms * MS), poll_us * 1000), "it did not come about"

    # What can be seen.

    def lit(self, colour: str) -> list[int]:
        """When a LED of the remote went on since mark()."""
        return [
            at for at, level in self.bench.trace.edges("remote", f"LED_{colour}", self._since_ns) if level
        ]

    def failed(self, stopped: bool = False) -> int:
        """Wait for the remote's long low beep; how often red and amber come on together then.

        stopped: STOP was what ended it, so the stimulator's answer to that is shown as well.
        """
        low = lambda: [tone for tone in self.remote.parts.buzzer.tones if self._is_low(tone)]  # noqa: E731
        self.wait(low, 40_000, 20_000)
        self.run_ms(2000)
        ended_ns = low()[0].end_ns
        red, amber = ([at for at in self.lit(colour) if at > ended_ns] for colour in ("RED", "AMBER"))
        assert len(red) == len(amber) and len(self.lit("GREEN")) == stopped
        return len(red)

    def _is_low(self, tone: Tone) -> bool:
        long = tone.end_ns - tone.start_ns > 900 * MS
        return tone.start_ns >= self._since_ns and long and tone.frequency_hz < 1000

    def code_edges(self, name: str, since_ns: int, for_ms: float) -> list[tuple[int, bool]]:
        """Edges of the light that shows a board's code: time, level."""
        edges = self.bench.trace.edges(name, LEDS[name], since_ns)
        return [(at, level) for at, level in edges if at < since_ns + for_ms * MS]

    # What is stored.

    def _record(self, name: str) -> Record:
        """Of a copy: to load a record mends it."""
        blocks = FlashFake(layout.BLOCKS)
        provision.BlockView(self.bench.board(name).flash).readblocks(0, blocks.memory, 0)
        return Record(blocks, layout.PAIRINGS)

    def remotes(self) -> tuple[bytes, int, int, bytes]:
        """Base, slot, role and key that the remote has."""
        kept = RemotePairing(self._record("remote"))
        return kept.base, kept.slot, kept.role, kept.key

    def stimulators(self) -> dict[int, tuple[int, bytes, bytes, bool]]:
        """Role, peer's id, key and whether it is pending, by slot."""
        table = PairingTable(self._record("stimulator"))
        found = {slot: table.get(slot) for slot in table.slots()}
        return {
            slot: (one.role, one.peer_id, one.key, one.pending)
            for slot, one in found.items()
            if one is not None
        }

    def has_key_of(self, before: tuple[bytes, int, int, bytes]) -> bool:
        """Whether the remote has what remotes() told then, or a later generation of that key."""
        *pairing, key = self.remotes()
        known = [before[3]]
        for _ in range(MOST_STEPS):
            known.append(next_key(known[-1]))
        return tuple(pairing) == before[:3] and key in known

    def stored(self) -> object:
        """All of it, to be compared."""
        return self.remotes(), self.stimulators()

    def window(self) -> bool:
        """Whether the stimulator says that its window is open."""
        return self.board.client.status().pairing_window

    def one_key(self) -> bool:
        """Whether the stimulator has one pairing, in use, and the remote has the same."""
        base, slot, role, key = self.remotes()
        return base == self.old.base and self.stimulators() == {slot: (role, self.old.peer_id, key, False)}

    def one_key_in_use(self) -> bool:
        """The same, beside a new key that the stimulator has stored and the remote has not: it expires."""
        base, slot, role, key = self.remotes()
        used = {number: one for number, one in self.stimulators().items() if not one[3]}
        return base == self.old.base and used == {slot: (role, self.old.peer_id, key, False)}

    # Hands.

    def begin(self, magnet: bool = True) -> None:
        """Hold STATUS, and the magnet too, until the remote's first PAIR; let both go."""
        self.bench.magnet(magnet)
        self.bench.press("STATUS", HELD_MS + 100)
        self.run_ms(HELD_MS - 100)
        self.mark()  # what STATUS said and showed does not matter
        self.wait(lambda: self.said(frames.PAIR), 1000)
        self.bench.magnet(False)

    def compare(self) -> int:
        """On until both show the code, and an eye has seen it; when they began."""
        said = lambda: self.said(frames.PAIR_REPLY, pk.CONFIRM, pk.COMPARE)  # noqa: E731
        self.wait(said, QUICK_MS)
        self.run_ms(GLANCE_MS)
        return said()[0].t_end_ns

    def see(self) -> int:
        """On until a person has seen the code once as a whole; when both sides began to show it."""
        began_ns = self.compare()
        self.bench.run_to(max(self.bench.now_ns, began_ns + (blink_code.PASS_MS + GLANCE_MS) * MS))
        return began_ns

    def hold(self, span_ms: int = GESTURE_MS) -> None:
        """The magnet comes now, and leaves after so long, while time goes on."""
        self.bench.magnet(True)
        self.bench.at(self.bench.now_ns + span_ms * MS, lambda: self.bench.magnet(False))

    def accept(self) -> None:
        """START on the remote; on until the stimulator has taken it."""
        self.bench.press("START", 80)
        self.wait(lambda: self.said(frames.PAIR_REPLY, pk.ACCEPT, pk.WAITS_FOR_MAGNET), 1000)

    def confirm(self) -> None:
        """START, and the magnet as the stimulator asks for it: held for a second, and let go."""
        self.accept()
        self.run_ms(GLANCE_MS)
        self.hold()
        self.run_ms(GESTURE_MS)

    def works(self) -> bool:
        """Press STOP: whether the stimulator answers the remote's key."""
        self.run_ms(CLEAR_MS)
        self.mark()
        self.bench.press("STOP", 80)
        self.bench.run_until(lambda: self.lit("GREEN") or self.lit("RED"), 4000 * MS)
        return bool(self.lit("GREEN"))


@cache
def couple_at_rest() -> Couple:
    """One for all tests of a process: it takes long to boot. Go on in a branch, or leave it as it was."""
    return Couple()


class Middle:
    """A man in the middle: what one board sends at pairing's addresses reaches him only."""

    def __init__(self, couple: Couple) -> None:
        self._couple = couple
        self.heard: list[tuple[bytes, bytes]] = []
        self._taken = 0
        couple.air.drop = self._takes

    def _takes(self, packet: Packet) -> bool:
        if packet.sender is None or packet.address not in PAIRING:
            return False
        if packet.payload:
            self.heard.append((packet.address, packet.payload))
        return True

    def take(self) -> list[tuple[bytes, bytes]]:
        """Address and frame of what he heard since the last look; a repeat in the radio counts once."""
        found = self.heard[self._taken :]
        self._taken = len(self.heard)
        return list(dict.fromkeys(found))

    def say(self, address: bytes, frame: bytes) -> None:
        """A frame of his, which asks for no acknowledgement."""
        couple = self._couple
        couple.air.inject(couple.bench.now_ns + MS, addresses.PAIRING_CHANNEL, address, frame)
