"""Pairing by radio, the remote's side: it asks, compares with its person's help, and stores last.

Frames and the time go in, frames come out; the steps are those of docs/telemetry.md. The remote's old pairing
stays until the stimulator has confirmed that it has stored the new one.
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto import x25519
from stimfw.crypto.equal import equal
from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.protocol import messages, roles
from stimfw.telemetry import frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Store(Protocol):
        """stimfw.storage.pairings.RemotePairing.store."""

        def __call__(self, *, base: bytes, slot: int, role: int, key: bytes) -> object: ...


RETRY_MS = 60
"""Without an answer."""
AGAIN_MS = 200
"""After an answer that tells to ask again: the stimulator computes, shows its code, or waits for a magnet."""
SILENCE_MS = 3000
"""So long without any answer: there is no pairing window, or none any more."""


class PairingRequester:
    """One pairing at a time; `begin()` makes a new one.

    Attributes:
        state: IDLE, WORKING (frames and computing), COMPARING (the code is shown: accept() or refuse()),
            WAITING_MAGNET (accepted here; the code is still shown), STORED or FAILED.
        why: when FAILED: NO_WINDOW (no answer at all), MISMATCH (commitment, confirmation, or a key that is
            none: somebody is in between), REFUSED_BY_PERSON, REFUSED (the stimulator or this remote could not
            store it), TIMEOUT (answers ceased, or 30 s are over). BLINKS is for
            feedback.pairing_failed.
    """

    IDLE = 0
    WORKING = 1
    COMPARING = 2
    WAITING_MAGNET = 3
    STORED = 4
    FAILED = 5

    NO_WINDOW = 1
    MISMATCH = 2
    REFUSED_BY_PERSON = 3
    REFUSED = 4
    TIMEOUT = 5
    BLINKS = (0, 1, 2, 2, 3, 1)

    def __init__(
        self,
        own_id: bytes,
        store: "Store",
        take_random: "Callable[[int], bytes]",
        curve: "pk.Curve" = x25519,
    ) -> None:
        """Begin with no pairing under way.

        Args:
            own_id: this remote's, 4 bytes.
            store: `store(base=, slot=, role=, key=)` puts the pairing in place of the old one; an
                exception says that it could not.
            take_random: `take_random(n) -> n bytes`.
            curve: stimfw.crypto.x25519, or a quick one in tests.
        """
        self._id = bytes(own_id)
        self._store = store
        self._random = take_random
        self._curve = curve
        self._end(self.IDLE, 0)

    def _end(self, state: int, why: int) -> None:
        """A state without secrets."""
        self.state = state
        self.why = why
        self._agreement: "pk.Agreement | None" = None
        self._keys: "pk.PairingKeys | None" = None
        self._public = self._nonce = self._transcript = self._commitment = b""
        self._base = self._peer_public = b""
        self._step = 0
        self._frame = b""  # of the present step; empty while a computation or the person is waited for
        self._abort_frame = b""
        self._answered = False
        self._began_ms = self._heard_ms = self._sent_ms = self._shown_ms = 0
        self._pause_ms = 0

    def begin(self, now_ms: int) -> None:
        """Begin again, with a new key pair; an earlier attempt is gone. poll() and compute() go on."""
        self._end(self.WORKING, 0)
        self._nonce = self._random(pk.RANDOM_BYTES)
        self._agreement = pk.Agreement(self._random(pk.PUBLIC_BYTES), self._curve)
        self._began_ms = now_ms

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame to send now, if one is due. It is also what ends an attempt that took too long."""
        if self._abort_frame:
            frame, self._abort_frame = self._abort_frame, b""
            return frame
        if not self._under_way():
            return None
        if elapsed_ms(now_ms, self._began_ms) >= pk.PAIRING_WINDOW_MS:
            self._fail(self.TIMEOUT if self._answered else self.NO_WINDOW)
            return None
        self._prepare(now_ms)
        if not self._frame:
            return None
        if elapsed_ms(now_ms, self._heard_ms) >= SILENCE_MS:
            self._fail(self.TIMEOUT if self._answered else self.NO_WINDOW)
            return None
        if elapsed_ms(now_ms, self._sent_ms) < self._pause_ms:
            return None
        self._sent_ms = now_ms
        self._pause_ms = RETRY_MS
        return self._frame

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> None:
        """Take a received frame, whatever it is. What is no answer to the present step is passed over."""
        if not self._frame or not self._under_way() or frames.kind_of(frame) != frames.PAIR_REPLY:
            return
        whole = bytes(frame)
        if whole[1] != self._step:
            return
        body = pk.body_of(whole, _LENGTHS[self._step])
        if body is None:
            return
        self._heard_ms = now_ms
        self._answered = True
        if self._step == pk.BEGIN:
            self._base, self._peer_public = body[: pk.ID_BYTES], body[pk.ID_BYTES :]
            self._next(pk.COMMIT)
        elif self._step == pk.COMMIT:
            self._on_commitment(body)
        elif self._step == pk.REVEAL:
            self._on_reveal(body)
        else:
            self._on_state(body, now_ms)

    def compute(self) -> bool:
        """A slice of the X25519 computation, up to 10 ms; whether there is more to do."""
        agreement = self._agreement
        if agreement is None:
            return False
        if agreement.compute():
            return True
        if agreement.failed:
            self._fail(self.MISMATCH)
        elif agreement.shared is not None and self._transcript:
            self._keys = pk.PairingKeys(agreement.shared, self._transcript)
            self._agreement = None
        return False

    def accept(self, now_ms: int) -> bool:
        """The person at the remote says that the codes are alike; whether that is taken, or was before.

        Not before the code was shown whole: nobody can have compared it.
        """
        if self.state == self.WAITING_MAGNET:
            return True
        if self.state != self.COMPARING or not blink_code.shown_whole(elapsed_ms(now_ms, self._shown_ms)):
            return False
        self.state = self.WAITING_MAGNET
        self._heard_ms = now_ms
        self._next(pk.ACCEPT)
        return True

    def refuse(self) -> None:
        """The person says that they are not, or wants no more; poll() has a frame that closes the window."""
        if self._under_way():
            self._fail(self.REFUSED_BY_PERSON)

    def lit(self, now_ms: int) -> int:
        """The light: 0 or 1 while the code is shown, else -1."""
        if self._keys is None or self.state not in (self.COMPARING, self.WAITING_MAGNET):
            return -1
        return blink_code.lit(self._keys.code, elapsed_ms(now_ms, self._shown_ms))

    def wait_ms(self, now_ms: int) -> int:
        """Time until compute() or poll() has something to do or lit() changes; -1 never."""
        if self._abort_frame or (self._agreement is not None and self._agreement.busy()):
            return 0
        if not self._under_way():
            return -1
        wait_ms = max(0, pk.PAIRING_WINDOW_MS - elapsed_ms(now_ms, self._began_ms))
        if self._frame or self._can_prepare():
            wait_ms = min(wait_ms, self._pause_left_ms(now_ms))
        if self.lit(now_ms) >= 0 and self._keys is not None:
            blink_ms = blink_code.wait_ms(self._keys.code, elapsed_ms(now_ms, self._shown_ms))
            wait_ms = min(wait_ms, blink_ms)
        return wait_ms

    # Answers.

    def _on_commitment(self, body: bytes) -> None:
        rest = pk.PUBLIC_BYTES - pk.FIRST_PART
        self._peer_public += body[:rest]
        self._commitment = body[rest:]
        if self._agreement is not None:
            self._agreement.agree(self._peer_public)
        self._next(pk.REVEAL)

    def _on_reveal(self, body: bytes) -> None:
        if not equal(pk.commitment(self._peer_public, self._public, body), self._commitment):
            self._fail(self.MISMATCH)
            return
        self._transcript = pk.transcript(
            self._id, self._base, self._peer_public, self._public, (body, self._nonce)
        )
        self._next(pk.CONFIRM)
        self._frame = b""  # to be made when the keys are there

    def _on_state(self, body: bytes, now_ms: int) -> None:
        """An answer to CONFIRM or ACCEPT."""
        state, slot, tag = body[0], body[1], body[2:]
        self._pause_ms = AGAIN_MS
        self._sent_ms = now_ms
        if state == pk.WORKING:
            return
        if self._keys is None or not self._keys.stimulator_said(self._step, state, slot, tag):
            self._fail(self.MISMATCH)
        elif self._step == pk.CONFIRM:
            self._on_confirmed(state, now_ms)
        elif state == pk.STORED and slot < messages.SLOTS:
            self._keep(slot)
        elif state not in (pk.COMPARE, pk.WAITS_FOR_MAGNET):
            # COMPARE: the stimulator has not shown its code whole yet. The answer is asked for again.
            self._fail(self.REFUSED)

    def _on_confirmed(self, state: int, now_ms: int) -> None:
        if state != pk.COMPARE:
            self._fail(self.MISMATCH)
            return
        self.state = self.COMPARING
        self._shown_ms = now_ms
        self._frame = b""  # nothing to ask until the person has compared

    def _keep(self, slot: int) -> None:
        assert self._keys is not None
        try:
            self._store(base=self._base, slot=slot, role=roles.PATIENT, key=self._keys.key)
        except Exception:  # whatever it is, the old pairing is still there
            self._fail(self.REFUSED)
        else:
            self._end(self.STORED, 0)

    # Frames.

    def _can_prepare(self) -> bool:
        """Whether what the next frame waited for is there."""
        if self._step == 0:
            return self._agreement is not None and self._agreement.public is not None
        return self._step == pk.CONFIRM and self.state == self.WORKING and self._keys is not None

    def _prepare(self, now_ms: int) -> None:
        """Make the frame that waited for a computation."""
        if self._frame or not self._can_prepare():
            return
        if self._step == 0 and self._agreement is not None:
            self._public = self._agreement.public or b""
        self._heard_ms = now_ms
        self._next(self._step or pk.BEGIN)

    def _next(self, step: int) -> None:
        """Go on with a step; its frame is due at once."""
        self._step = step
        self._pause_ms = 0
        if step == pk.BEGIN:
            body = self._id + self._public[: pk.FIRST_PART]
        elif step == pk.COMMIT:
            body = self._public[pk.FIRST_PART :]
        elif step == pk.REVEAL:
            body = self._nonce
        else:
            body = self._keys.of_remote(step) if self._keys is not None else b""
        self._frame = pk.pack(frames.PAIR, step, body)

    def _pause_left_ms(self, now_ms: int) -> int:
        if not self._frame:
            return 0
        return max(0, self._pause_ms - elapsed_ms(now_ms, self._sent_ms))

    def _under_way(self) -> bool:
        return self.state in (self.WORKING, self.COMPARING, self.WAITING_MAGNET)

    def _fail(self, why: int) -> None:
        answered = self._answered
        self._end(self.FAILED, why)
        if answered and why in (self.MISMATCH, self.REFUSED_BY_PERSON):
            self._abort_frame = pk.pack(frames.PAIR, pk.ACCEPT, b"")  # not authentic: it closes the window


_LENGTHS = {
    pk.BEGIN: pk.ID_BYTES + pk.FIRST_PART,
    pk.COMMIT: pk.PUBLIC_BYTES - pk.FIRST_PART + pk.COMMITMENT_BYTES,
    pk.REVEAL: pk.RANDOM_BYTES,
    pk.CONFIRM: 2 + pk.CONFIRMATION_BYTES,
    pk.ACCEPT: 2 + pk.CONFIRMATION_BYTES,
}
