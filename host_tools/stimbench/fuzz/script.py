"""Decisions out of a byte string: what a fuzzed input means to its target. Runs on MicroPython too."""

_MASK = 0xFFFFFFFF


class Dice:
    """Random numbers, the same for the same seed on every interpreter (xorshift, Marsaglia 2003)."""

    def __init__(self, seed: int) -> None:
        """Args: seed: any number."""
        self._state = (seed * 2654435761 + 0x9E3779B9) & _MASK or 1

    def word(self) -> int:
        """32 bits."""
        state = self._state
        state ^= state << 13 & _MASK
        state ^= state >> 17
        state ^= state << 5 & _MASK
        self._state = state
        return state

    def below(self, limit: int) -> int:
        """From 0 to `limit` - 1."""
        return self.word() % limit

    def take(self, count: int) -> bytes:
        """So many bytes."""
        return bytes([self.word() >> 11 & 0xFF for _ in range(count)])


class Script:
    """Reads a byte string piece by piece; behind its end everything is 0."""

    def __init__(self, data: bytes) -> None:
        """Args: data: the fuzzed input."""
        self._data = data
        self._at = 0

    def left(self) -> bool:
        """Whether there is something left to decide by."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        at = self._at
        self._at = at + 1
        return self._data[at] if at < len(self._data) else 0

    def below(self, limit: int) -> int:
        """From 0 to `limit` - 1; `limit` at most 256."""
        return self.byte() % limit

    def number(self, width: int) -> int:
        """So many bytes, little endian."""
        value = 0
        for place in range(width):
            value |= self.byte() << 8 * place
        return value

    def take(self, count: int) -> bytes:
        """So many bytes."""
        found = self._data[self._at : self._at + count]
        self._at += count
        return found + bytes(count - len(found))

    def chunk(self, most: int) -> bytes:
        """Some bytes, at most so many: the next byte tells how many."""
        return self.take(self.byte() % (most + 1))

    def mutated(self, data: bytes) -> bytes:
        """`data` with some bytes changed, cut off or added, as the next bytes tell."""
        changed = bytearray(data)
        for _ in range(1 + self.below(3)):
            how = self.byte()
            at = self.byte() % len(changed) if changed else 0
            if how < 160 and changed:
                changed[at] = self.byte()
            elif how < 200 and changed:
                changed[at] ^= 1 << (how & 7)
            elif how < 220:
                changed = changed[:at]
            elif how < 240:
                changed = changed[:at] + self.chunk(8) + changed[at:]
            else:
                changed = changed[at:]
        return bytes(changed)
