"""What both ends of a pairing share: its frames, one side's X25519 in slices, and the keys that come out.

The frames, formulas and states: docs/telemetry.md, section Pairing. The order "commitment, then the other's
random number, then one's own" is that of Bluetooth's numeric comparison (Core specification, volume 2 part H
7.2.1).
"""

from typing import TYPE_CHECKING

from stimfw.crypto import hkdf
from stimfw.crypto.equal import equal
from stimfw.crypto.primitives import sha256
from stimfw.telemetry import frames

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Protocol

    class Curve(Protocol):
        """What is used of stimfw.crypto.x25519."""

        BASE_POINT: bytes

        def steps(self, secret: bytes, u: bytes) -> "Generator[None, None, bytes]": ...
        def shared_steps(self, secret: bytes, peer: bytes) -> "Generator[None, None, bytes]": ...


PAIRING_WINDOW_MS = 30_000
"""The stimulator's pairing window, and the longest that a remote tries."""
BODY_BYTES = 30
PUBLIC_BYTES = 32
RANDOM_BYTES = 16
COMMITMENT_BYTES = 16
CONFIRMATION_BYTES = 8
ID_BYTES = 4
_STEPS = 5  # of X25519 in a slice: 1.5 ms each on the RP2040, and the main loop is held up as long
FIRST_PART = 26
"""Bytes of a public key in step 1; step 2 brings the other 6."""

# Steps.
BEGIN = 1
COMMIT = 2
REVEAL = 3
CONFIRM = 4
ACCEPT = 5
_CODE_MASK = 0xFFFFF  # stimfw.pairing.blink_code.BITS

# States in the stimulator's replies to CONFIRM and ACCEPT.
WORKING = 0
COMPARE = 1
WAITS_FOR_MAGNET = 2
STORED = 3
REFUSED = 4


def pack(kind: int, step: int, body: bytes) -> bytes:
    """A frame of frames.PAIR or PAIR_REPLY; `body` has up to 30 bytes, zeros fill the rest."""
    return bytes((frames.first(kind), step)) + body + bytes(BODY_BYTES - len(body))


def body_of(frame: bytes, length: int) -> "bytes | None":
    """The first `length` bytes of a frame's body; None if one of the others is not zero."""
    return frame[2 : 2 + length] if not any(frame[2 + length :]) else None


def commitment(stimulator_public: bytes, remote_public: bytes, stimulator_random: bytes) -> bytes:
    """C: what binds the stimulator to its random number before it knows the remote's."""
    digest = sha256(b"stimbench 3 commitment" + stimulator_public + remote_public + stimulator_random)
    return digest[:COMMITMENT_BYTES]


def transcript(
    peer_id: bytes,
    base: bytes,
    stimulator_public: bytes,
    remote_public: bytes,
    randoms: "tuple[bytes, bytes]",
) -> bytes:
    """T, 32 bytes: a hash of all that both sides sent. `randoms`: the stimulator's and the remote's."""
    sent = peer_id + base + stimulator_public + remote_public + randoms[0] + randoms[1]
    return sha256(b"stimbench 3 pairing" + sent)


class PairingKeys:
    """What Z and T give: `key` (32 bytes), `code` (20 bits), and the confirmations of both sides."""

    def __init__(self, shared: bytes, transcript: bytes) -> None:
        okm = hkdf.expand(hkdf.extract(transcript, shared), b"stimbench 3 pairing", 67)
        self.key = okm[:32]
        self.code = int.from_bytes(okm[64:], "little") & _CODE_MASK
        self._remote_key = okm[32:48]
        self._stimulator_key = okm[48:64]
        self._transcript = transcript

    def of_remote(self, step: int) -> bytes:
        """The remote's confirmation (CONFIRM) or answer (ACCEPT), 8 bytes."""
        word = b"confirm" if step == CONFIRM else b"accept"
        return hkdf.hmac_sha256(self._remote_key, word + self._transcript)[:CONFIRMATION_BYTES]

    def of_stimulator(self, step: int, state: int, slot: int) -> bytes:
        """The stimulator's confirmation (CONFIRM) or answer (ACCEPT) with its state and slot, 8 bytes."""
        word = (b"confirm" if step == CONFIRM else b"answer") + bytes((state, slot))
        return hkdf.hmac_sha256(self._stimulator_key, word + self._transcript)[:CONFIRMATION_BYTES]

    def remote_said(self, step: int, tag: bytes) -> bool:
        """Whether `tag` is the remote's for this step."""
        return equal(self.of_remote(step), tag)

    def stimulator_said(self, step: int, state: int, slot: int, tag: bytes) -> bool:
        """Whether `tag` is the stimulator's for this step, state and slot."""
        return equal(self.of_stimulator(step, state, slot), tag)


class Agreement:
    """One side's X25519: its own public key, then the shared secret, a slice at a time.

    Attributes:
        public: own public key, 32 bytes, once it is there.
        shared: the shared secret Z, once it is there.
        failed: the other's key was of small order (RFC 7748 section 6.1): there will be no Z.
    """

    def __init__(self, secret: bytes, curve: "Curve") -> None:
        """`secret`: 32 random bytes, used for this agreement only, gone when Z is there."""
        self._secret = secret
        self._curve = curve
        self._steps: "Generator[None, None, bytes] | None" = curve.steps(secret, curve.BASE_POINT)
        self.public: "bytes | None" = None
        self.shared: "bytes | None" = None
        self.failed = False

    def agree(self, peer_public: bytes) -> None:
        """Begin with Z; `public` must be there."""
        self._steps = self._curve.shared_steps(self._secret, peer_public)
        self._secret = b""

    def busy(self) -> bool:
        """Whether compute() has something to do."""
        return self._steps is not None

    def compute(self) -> bool:
        """A slice; whether more of them are due."""
        if self._steps is None:
            return False
        try:
            for _ in range(_STEPS):
                next(self._steps)
            return True
        except StopIteration as stop:
            self._steps = None
            if self.public is None:
                self.public = stop.value
            else:
                self.shared = stop.value
        except ValueError:
            self._steps = None
            self.failed = True
        return False
