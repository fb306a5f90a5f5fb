"""What an eavesdropper hears on the bench's air, and what the pairing's keys open of it.

An eavesdropper has time, channel, address and bytes of each packet, and no more. Whoever has the key of a
pairing can do what stimfw.telemetry does: recognise a HELLO and its CHALLENGE, make the connection's keys
from their nonces, find a frame's counter by its token, and open it (docs/telemetry.md). The keys are read
from the emulated stimulator's flash, as whoever steals the chip could.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stimfw.crypto.ccm import NotAuthenticError
from stimfw.protocol import messages, requests, roles
from stimfw.storage import layout
from stimfw.storage.blocks import StorageError
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record
from stimfw.telemetry import addresses, fragments, frames, keys
from stimfw.telemetry.connection import Connection

from stimbench.bench.provision import BlockView
from stimbench.client.access_records import OPCODE_NAMES
from stimbench.emulator.flash import FlashChip
from stimbench.parts.radio import Sniffed

__all__ = ("Ear", "Frame", "SlotKey", "keys_on")

_COPY_NS = 5_000_000
"""A packet with the same bytes that begins so soon after the last one is its copy."""
_MOST_FRAMES = 500
_MOST_NONCES = 8
_MOST_KEYS = 4
_MOST_CONNECTIONS = 4
_TOKENS_AHEAD = 64
KIND_NAMES = ("", "HELLO", "CHALLENGE", "REQUEST", "REPLY", "PAIR", "PAIR REPLY")
_WANTS = {frames.WANTS_CONNECTION: "a connection", frames.WANTS_STOP: "a STOP"}
NOT_OPENED = "no key here opens it"


@dataclass(frozen=True)
class SlotKey:
    """A pairing's key, of one generation."""

    role: int
    key: bytes = field(repr=False)
    generation: int = 0


@dataclass
class Frame:
    """A frame on the air; its copies are counted.

    Attributes:
        number: counts up from 0.
        t_ns: when its first packet began.
        end_ns: when its last copy ended.
        kind: of stimfw.telemetry.frames; 0: none of this protocol.
        opens: what the keys make of it, in words.
        opened: whether they do.
        is_injected: a page sent it.
    """

    number: int
    t_ns: int
    end_ns: int
    channel: int
    address: bytes
    payload: bytes
    kind: int
    copies: int = 1
    opens: str = ""
    opened: bool = False
    is_injected: bool = False

    @property
    def slot(self) -> int | None:
        """That it says it is of; None for a frame without one."""
        return self.payload[1] if frames.HELLO <= self.kind <= frames.REPLY else None


def keys_on(flash: FlashChip) -> tuple[bytes, dict[int, SlotKey]]:
    """The base and the pairings' keys by slot, as they lie on a stimulator's flash; b"" and none without."""
    try:
        table = PairingTable(Record(BlockView(flash), layout.PAIRINGS))
    except StorageError:
        return b"", {}
    found = {}
    for slot in table.slots():
        one = table.get(slot)
        if one is not None:
            found[slot] = SlotKey(one.role, one.key, one.generation)
    return table.base, found


class _Opened:
    """A connection whose keys are known."""

    def __init__(self, triple: tuple[bytes, bytes, bytes], slot: int) -> None:
        self._connection = Connection(triple, slot, 0)
        self._counters: dict[tuple[int, bytes], int] = {}
        self._known = 0
        self._expect(0)

    def _expect(self, counter: int) -> None:
        end = min(counter + _TOKENS_AHEAD, 0x10000)
        for one in range(self._known, end):
            for kind in (frames.REQUEST, frames.REPLY):
                self._counters[kind, bytes(self._connection.token(kind, one))] = one
        self._known = max(self._known, end)

    def open(self, kind: int, frame: bytes) -> tuple[int, bytes] | None:
        """Its counter and its 19 bytes; None if it is not of this connection."""
        counter = self._counters.get((kind, frame[2 : frames.HEADER_BYTES]))
        if counter is None:
            return None
        try:
            plain = self._connection.open(kind, counter, frame)
        except NotAuthenticError:
            return None
        self._expect(counter)
        return counter, plain


class Ear:
    """Hears the tap of the air from its beginning, and opens what the keys open."""

    def __init__(self, read_keys: Callable[[], tuple[bytes, Mapping[int, SlotKey]]]) -> None:
        """Begin.

        Args:
            read_keys: the base of the bench's addresses (4 bytes, or empty) and the keys by slot, as they
                are now. Asked first, and again when a HELLO is of no key that is known: of a new pairing.
        """
        self.frames: deque[Frame] = deque(maxlen=_MOST_FRAMES)
        self.total = 0
        """Frames heard, copies counted once."""
        self.injected: set[tuple[int, bytes]] = set()
        """Begin and bytes of packets that a page sent."""
        self._read_keys = read_keys
        self._base = b""
        self._keys: dict[int, list[SlotKey]] = {}
        self._hellos: dict[int, deque[tuple[bytes, SlotKey]]] = {}
        self._connections: dict[int, deque[_Opened]] = {}
        self._learn()

    @property
    def slot_keys(self) -> dict[int, SlotKey]:
        """The key of each slot that was used last, or is kept."""
        return {slot: known[0] for slot, known in self._keys.items()}

    def _learn(self) -> None:
        self._base, found = self._read_keys()
        for slot, one in found.items():
            self._prefer(slot, one)

    def _prefer(self, slot: int, one: SlotKey) -> None:
        """Of the keys of a slot, this one is tried first."""
        others = [known for known in self._keys.get(slot, []) if known != one]
        self._keys[slot] = [one, *others][:_MOST_KEYS]

    def hear(self, packets: Iterable[Sniffed]) -> None:
        """What was sent since."""
        for packet in packets:
            if not self._is_copy(packet):
                self._take(packet)

    def _is_copy(self, packet: Sniffed) -> bool:
        for one in reversed(self.frames):
            if packet.t_start_ns - one.end_ns > _COPY_NS:
                return False
            if (one.payload, one.address, one.channel) == (packet.payload, packet.address, packet.channel):
                one.copies += 1
                one.end_ns = packet.t_end_ns
                return True
        return False

    def _take(self, packet: Sniffed) -> None:
        frame = Frame(
            self.total, packet.t_start_ns, packet.t_end_ns, packet.channel, packet.address, packet.payload,
            frames.kind_of(packet.payload),
            is_injected=(packet.t_start_ns, packet.payload) in self.injected,
        )  # fmt: skip
        self.total += 1
        frame.opens, frame.opened = self._opened(frame)
        self.frames.append(frame)

    def to_text(self, address: bytes) -> str:
        """Whose address it is."""
        if address == addresses.PAIRING_STIMULATOR:
            return "stimulator, pairing"
        if address == addresses.PAIRING_REMOTE:
            return "remote, pairing"
        if not self._base or address[1:] != self._base:
            return "unknown"
        if address == addresses.stimulator_address(self._base):
            return "stimulator"
        slot = address[0] - addresses.peer_address(self._base, 0)[0]
        return f"peer {slot}" if 0 <= slot < messages.SLOTS else "unknown"

    # What the keys open.

    def _opened(self, frame: Frame) -> tuple[str, bool]:
        if frame.kind == 0:
            return "no frame of this protocol", False
        if frame.kind == frames.HELLO:
            return self._hello(frame.payload)
        if frame.kind == frames.CHALLENGE:
            return self._challenge(frame.payload)
        if frame.kind in (frames.REQUEST, frames.REPLY):
            return self._sealed(frame.kind, frame.payload)
        return "a pairing: it has a key of its own, which only its two ends have", False

    def _hello(self, payload: bytes) -> tuple[str, bool]:
        found = self._key_of(payload)
        if found is None:
            self._learn()
            found = self._key_of(payload)
        if found is None:
            return NOT_OPENED, False
        slot, nonce = payload[1], bytes(frames.nonce_of(payload))
        self._prefer(slot, found)
        self._hellos.setdefault(slot, deque(maxlen=_MOST_NONCES)).append((nonce, found))
        wants = _WANTS.get(frames.wants_of(payload), "what has no meaning yet")
        epoch, count = int.from_bytes(nonce[:4], "little"), int.from_bytes(nonce[4:8], "little")
        return f"wants {wants}; epoch {epoch}, count {count}, key generation {found.generation}", True

    def _key_of(self, hello: bytes) -> SlotKey | None:
        """The key, in its generation, that a HELLO was made with."""
        slot, low = hello[1], hello[2]
        for known in self._keys.get(slot, ()):
            one = known
            for _ in range(keys.MOST_GENERATIONS + 1):
                if one.generation & 0xFF == low:
                    tag = keys.HelloTag(keys.handshake_keys(one.key, slot, one.role)[0])
                    if tag.proves(frames.nonce_of(hello), frames.tag_of(hello)):
                        return one
                    break
                one = SlotKey(one.role, keys.next_key(one.key), one.generation + 1)
        return None

    def _challenge(self, payload: bytes) -> tuple[str, bool]:
        slot, nonce = payload[1], bytes(frames.nonce_of(payload))
        for peer_nonce, one in reversed(self._hellos.get(slot, ())):
            _, challenge_key = keys.handshake_keys(one.key, slot, one.role)
            if keys.ChallengeTag(challenge_key).proves(peer_nonce, nonce, bytes(frames.tag_of(payload))):
                triple = keys.connection_keys(one.key, peer_nonce, nonce, slot, one.role)
                self._connections.setdefault(slot, deque(maxlen=_MOST_CONNECTIONS)).append(
                    _Opened(triple, slot)
                )
                role = roles.ROLE_NAMES[one.role] if one.role < len(roles.ROLE_NAMES) else str(one.role)
                return f"answers that HELLO: a connection of a {role}", True
        return NOT_OPENED, False

    def _sealed(self, kind: int, payload: bytes) -> tuple[str, bool]:
        for connection in reversed(self._connections.get(payload[1], ())):
            found = connection.open(kind, payload)
            if found is not None:
                return f"{_piece(kind, found[1])}; number {found[0]}", True
        return NOT_OPENED, False


def _piece(kind: int, plain: bytes) -> str:
    """What the 19 bytes of a frame say."""
    try:
        _, flags, number, data = fragments.parse(plain)
    except ValueError:
        return "a piece of an impossible length"
    if kind == frames.REQUEST and flags & fragments.ASK:
        return f"asks for piece {number + 1} of the reply"
    if number:
        return f"piece {number + 1}: {data.hex(' ') or 'empty'}"
    if not data:
        return "empty"
    more = "" if flags & fragments.LAST else ", and there is more"
    name = OPCODE_NAMES.get(data[0] & ~messages.REPLY, f"request 0x{data[0] & ~messages.REPLY:02x}")
    if kind == frames.REQUEST:
        return f"{name}{_body(data[1:])}{more}"
    code = messages.CODE_NAMES[data[1]] if len(data) > 1 and data[1] < len(messages.CODE_NAMES) else "?"
    return f"{name}: {code}{_state(data)}{_body(data[2:])}{more}"


def _state(data: bytes) -> str:
    """What a reply to STATUS begins with."""
    if data[0] & ~messages.REPLY != requests.STATUS or data[1:2] != b"\0" or len(data) < 3:
        return ""
    return f", {messages.STATE_NAMES[data[2]]}" if data[2] < len(messages.STATE_NAMES) else ""


def _body(data: bytes) -> str:
    return f" {data.hex(' ')}" if data else ""
