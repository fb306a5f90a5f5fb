"""Both ends of a pairing by radio, with frames that are genuine, mutated or invented.

Runs on MicroPython too.
"""

from typing import TYPE_CHECKING

from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.protocol import messages
from stimfw.telemetry import frames

from stimbench.fuzz.script import Dice, Script

if TYPE_CHECKING:
    from collections.abc import Generator

_P = (1 << 255) - 19
_HEARD = 8
_PAUSES_MS = (1, 20, 60, 200, 1000, 3000, 7000, 30_000, 0x1FFFFFFF)
_CLOCK = 0x3FFFFFFF


class _QuickCurve:
    """In place of X25519: multiplication modulo p commutes as well, and is quick."""

    BASE_POINT = b"\x09" + bytes(31)

    def steps(self, secret: bytes, u: bytes) -> "Generator[None, None, bytes]":
        yield
        product = int.from_bytes(secret, "little") * int.from_bytes(u, "little") % _P
        return product.to_bytes(32, "little")

    def shared_steps(self, secret: bytes, peer: bytes) -> "Generator[None, None, bytes]":
        product = yield from self.steps(secret, peer)
        if not any(product):
            raise ValueError("zero")
        return product


class _Couple:
    """A stimulator, a remote, the time, and what was in the air."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.now_ms = 0
        dice = Dice(3)
        curve = _QuickCurve()
        self.stimulator = PairingResponder(lambda: b"base", self._add, dice.take, curve)
        self.remote = PairingRequester(b"rmte", self._store, dice.take, curve)
        self.heard: list[bytes] = [bytes(frames.FRAME_BYTES)]
        self.full = False
        self.stimulator.open(0)
        self.remote.begin(0)

    def _add(self, peer_id: bytes, role: int, key: bytes) -> int:
        if self.full:
            raise OSError("the flash does not take it")
        assert len(peer_id) == 4 and len(key) == 32
        return self.script.below(messages.SLOTS)

    def _store(self, base: bytes, slot: int, role: int, key: bytes) -> None:
        if self.full:
            raise OSError("the flash does not take it")
        assert len(base) == 4 and len(key) == 32 and slot < messages.SLOTS

    def keep(self, frame: bytes) -> bytes:
        assert len(frame) == frames.FRAME_BYTES
        self.heard.append(frame)
        del self.heard[:-_HEARD]
        return frame

    def to_stimulator(self, frame: bytes) -> None:
        answer = self.stimulator.on_frame(memoryview(frame), self.now_ms)
        if answer is not None:
            self.remote.on_frame(memoryview(self.keep(answer)), self.now_ms)

    def genuine(self) -> None:
        """Some rounds in which nothing is wrong."""
        for _ in range(1 + self.script.below(8)):
            while self.stimulator.compute() or self.remote.compute():
                pass
            frame = self.remote.poll(self.now_ms)
            if frame is not None:
                self.to_stimulator(self.keep(frame))
            self.now_ms += 61

    def again(self) -> None:
        """Something that was heard, as it was or changed, to either side."""
        frame = self.heard[self.script.below(len(self.heard))]
        if self.script.below(3):
            frame = self.script.mutated(frame)
        self.either(frame)

    def invented(self) -> None:
        """A frame of a pairing's kind, or of any."""
        first = frames.first((frames.PAIR, frames.PAIR_REPLY)[self.script.below(2)])
        body = self.script.take(self.script.below(33))
        self.either(pk.pack(first & 0x0F, self.script.below(7), body[:30]) if self.script.below(4) else body)

    def either(self, frame: bytes) -> None:
        if self.script.below(2):
            self.to_stimulator(frame)
        else:
            self.remote.on_frame(memoryview(frame), self.now_ms)

    def people(self) -> None:
        """What the persons at both ends do, in any order."""
        how = self.script.below(8)
        if how == 0:
            self.remote.accept(self.now_ms)
        elif how == 1:
            self.remote.refuse()
        elif how == 2:
            self.stimulator.consent(self.now_ms)
        elif how == 3:
            self.stimulator.open(self.now_ms)
        elif how == 4:
            self.remote.begin(self.now_ms)
        elif how == 5:
            self.stimulator.close()
        elif how == 6:
            self.full = not self.full
        else:
            self.stimulator.awaits_consent(self.now_ms)

    def time(self) -> None:
        """It passes, now and then far."""
        self.now_ms = (self.now_ms + _PAUSES_MS[self.script.below(len(_PAUSES_MS))]) & _CLOCK

    def look(self) -> None:
        """What the loops ask between two frames."""
        assert self.stimulator.lit(self.now_ms) in (-1, 0, 1) and self.remote.lit(self.now_ms) in (-1, 0, 1)
        assert self.stimulator.wait_ms(self.now_ms) >= -1 and self.remote.wait_ms(self.now_ms) >= -1


def pairing(data: bytes) -> None:
    """A pairing by radio from its beginning to whatever end. Declared: nothing."""
    script = Script(data)
    couple = _Couple(script)
    what = (
        couple.genuine,
        couple.genuine,
        couple.again,
        couple.invented,
        couple.people,
        couple.people,
        couple.time,
    )
    while script.left():
        what[script.below(len(what))]()
        couple.look()


TARGETS = (("pairing", pairing),)
