"""Pairing by radio, the stimulator's side: a pairing window that the magnet opened, for one attempt.

Frames and the time go in, frames come out; the steps are those of docs/telemetry.md. Whatever is not as it
should be closes the window: an attacker has one guess at the code each time that a person holds the magnet.
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto import x25519
from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.protocol import roles
from stimfw.telemetry import frames

if TYPE_CHECKING:
    from collections.abc import Callable

LINGER_MS = 3000
"""After the end the remote may still ask how it ended: its answer was lost."""
_TOP_STEP = 6


class PairingResponder:
    """One window at a time; `open()` makes a new one.

    Attributes:
        outcome: NOTHING (no window since the start), OPEN, COMPARING (the code is shown), STORED (pending),
            REFUSED (no free slot, an id of another role, or the flash), BROKEN (one that was not in order),
            EXPIRED, or CLOSED (by the application).
        step: how far it got: 0 nobody came, 1 to 5 the last step that was taken, 6 stored.
        slot: of the pairing, once STORED.
    """

    NOTHING = 0
    OPEN = 1
    COMPARING = 2
    STORED = 3
    REFUSED = 4
    BROKEN = 5
    EXPIRED = 6
    CLOSED = 7

    def __init__(
        self,
        base: "bytes | Callable[[], bytes]",
        add: "Callable[[bytes, int, bytes], int]",
        take_random: "Callable[[int], bytes]",
        curve: "pk.Curve" = x25519,
    ) -> None:
        """Begin with no window.

        Args:
            base: the stimulator's, 4 bytes, or what gives it.
            add: `add(peer_id, role, key) -> slot` stores a pending pairing; an exception says that it
                could not.
            take_random: `take_random(n) -> n bytes`.
            curve: stimfw.crypto.x25519, or a quick one in tests.
        """
        self._get_base = base
        self._add = add
        self._random = take_random
        self._curve = curve
        self.outcome = self.NOTHING
        self.step = 0
        self.slot = 0
        self._opened_ms = 0
        self._end(self.NOTHING)

    def _end(self, outcome: int) -> None:
        """No window, and none of its secrets."""
        self.outcome = outcome
        self._agreement: "pk.Agreement | None" = None
        self._keys: "pk.PairingKeys | None" = None
        self._base = self._nonce = self._transcript = self._confirmation = b""
        self._peer_id = self._peer_public = b""
        self._taken: "list[bytes]" = []  # the frames of the steps so far: each may come again
        self._accepted = False
        self._first_ms = self._shown_ms = self._ended_ms = 0

    def open(self, now_ms: int) -> None:
        """Open a window of 30 s and begin with a new key pair; an earlier window is gone."""
        self._end(self.CLOSED)
        base = self._get_base
        self._base = bytes(base if isinstance(base, (bytes, bytearray)) else base())
        self._nonce = self._random(pk.RANDOM_BYTES)
        self._agreement = pk.Agreement(self._random(pk.PUBLIC_BYTES), self._curve)
        self._opened_ms = now_ms
        self.step = self.slot = 0
        self.outcome = self.OPEN

    def close(self) -> None:
        """Close the window, if there is one; how it ended stays in `outcome`."""
        if self._agreement is not None:
            self._end(self.CLOSED if self.outcome in (self.OPEN, self.COMPARING) else self.outcome)

    def is_open(self, now_ms: int) -> bool:
        """Whether there is a window. To be asked now and then: it is what ends it after 30 s."""
        if self._agreement is None:
            return False
        if self._left_ms(now_ms) > 0:
            return True
        self._end(self.EXPIRED if self.outcome in (self.OPEN, self.COMPARING) else self.outcome)
        return False

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        """Take a PAIR frame; the PAIR_REPLY, if one is due. None to anything while there is no window."""
        if not self.is_open(now_ms) or not len(frame) or frame[0] != frames.first(frames.PAIR):
            return None
        whole = bytes(frame)
        step = whole[1] if frames.kind_of(whole) == frames.PAIR else 0
        taken = self._taken
        agreement = self._agreement
        if agreement is None or not pk.BEGIN <= step <= min(pk.ACCEPT, len(taken) + 1):
            return self._broken()
        if agreement.public is None:
            return None  # the remote will ask again
        if step == pk.ACCEPT and step > len(taken):
            in_order = self._take_accept(whole, now_ms)
        elif step > len(taken):
            in_order = self._take(step, whole, agreement)
        else:
            in_order = whole == taken[step - 1]  # its answer was lost
        return self._reply(step, agreement.public, now_ms) if in_order else self._broken()

    def compute(self) -> bool:
        """A slice of the X25519 computation, up to 10 ms; whether there is more to do."""
        agreement = self._agreement
        if agreement is None or self._keys is not None:
            return False
        if agreement.compute():
            return True
        if agreement.failed:
            self._broken()
        elif self.step >= pk.REVEAL:
            self._make_keys(agreement)
        return False

    def awaits_consent(self, now_ms: int) -> bool:
        """Whether only the person here is missing: the code was shown whole, and the remote accepts."""
        return self.is_open(now_ms) and self._accepted and self.outcome == self.COMPARING

    def consent(self, now_ms: int) -> None:
        """The person at the stimulator says that the codes are alike: it is stored. Nothing if not awaited.

        The gesture that says so must have begun when it was awaited: stimfw.ui.magnet.Consent.
        """
        if self.awaits_consent(now_ms):
            self._store(now_ms)

    def lit(self, now_ms: int) -> int:
        """The light: 0 or 1 while the code is shown, else -1."""
        if not self.is_open(now_ms) or self.outcome != self.COMPARING or self._keys is None:
            return -1
        return blink_code.lit(self._keys.code, elapsed_ms(now_ms, self._shown_ms))

    def wait_ms(self, now_ms: int) -> int:
        """Time until compute() has something to do, lit() changes or the window ends; -1 without a window."""
        if not self.is_open(now_ms):
            return -1
        if self._agreement is not None and self._agreement.busy():
            return 0
        left_ms = self._left_ms(now_ms)
        if self.outcome == self.COMPARING and self._keys is not None:
            blink_ms = blink_code.wait_ms(self._keys.code, elapsed_ms(now_ms, self._shown_ms))
            return min(blink_ms, left_ms)
        return left_ms

    # The frames of the steps. False: it is not in order, so the window closes.

    def _take(self, step: int, frame: bytes, agreement: "pk.Agreement") -> bool:
        """The first frame of the step that is due, before ACCEPT."""
        body = pk.body_of(frame, _LENGTHS[step])
        if body is None:
            return False
        if step == pk.BEGIN:
            self._peer_id, self._peer_public = body[: pk.ID_BYTES], body[pk.ID_BYTES :]
        elif step == pk.COMMIT:
            self._peer_public += body
            agreement.agree(self._peer_public)
        elif step == pk.REVEAL:
            self._take_reveal(body, agreement)
        else:
            self._confirmation = body  # to be checked when Z is there
        self._taken.append(frame)
        self.step = max(self.step, step)
        return True

    def _take_reveal(self, body: bytes, agreement: "pk.Agreement") -> None:
        self._transcript = pk.transcript(
            self._peer_id, self._base, agreement.public or b"", self._peer_public, (self._nonce, body)
        )
        self._make_keys(agreement)

    def _take_accept(self, frame: bytes, now_ms: int) -> bool:
        """Before the code was shown whole here it is in order, but not taken: it must come again."""
        body = pk.body_of(frame, _LENGTHS[pk.ACCEPT])
        if body is None or self.outcome != self.COMPARING or self._keys is None:
            return False
        if not self._keys.remote_said(pk.ACCEPT, body):
            return False
        if blink_code.shown_whole(elapsed_ms(now_ms, self._shown_ms)):
            self._accepted = True
            self._taken.append(frame)
            self.step = pk.ACCEPT
        return True

    # The answers.

    def _reply(self, step: int, public: bytes, now_ms: int) -> "bytes | None":
        if step == pk.BEGIN:
            body = self._base + public[: pk.FIRST_PART]
        elif step == pk.COMMIT:
            body = public[pk.FIRST_PART :] + pk.commitment(public, self._peer_public, self._nonce)
        elif step == pk.REVEAL:
            body = self._nonce
        else:
            return self._state_reply(step, now_ms)
        return pk.pack(frames.PAIR_REPLY, step, body)

    def _state_reply(self, step: int, now_ms: int) -> "bytes | None":
        if self._keys is None:
            return pk.pack(frames.PAIR_REPLY, step, b"")  # pk.WORKING
        if self.outcome == self.OPEN:
            if not self._keys.remote_said(pk.CONFIRM, self._confirmation):
                return self._broken()
            self.outcome = self.COMPARING
            self._first_ms = now_ms
        state = _STATES[self.outcome]
        if state == pk.COMPARE:
            if self._accepted:
                state = pk.WAITS_FOR_MAGNET
            elif step == pk.CONFIRM and elapsed_ms(now_ms, self._first_ms) < blink_code.MARKER_MS:
                # The remote begins when it receives this: both begin at once. Not after a bit was shown: an
                # attacker who restarts the code at will chooses which parts of it are seen.
                self._shown_ms = now_ms
        return pk.pack(
            frames.PAIR_REPLY,
            step,
            bytes((state, self.slot)) + self._keys.of_stimulator(step, state, self.slot),
        )

    def _make_keys(self, agreement: "pk.Agreement") -> None:
        if agreement.shared is not None:
            self._keys = pk.PairingKeys(agreement.shared, self._transcript)
            agreement.shared = None

    def _store(self, now_ms: int) -> None:
        assert self._keys is not None
        try:
            self.slot = self._add(self._peer_id, roles.PATIENT, self._keys.key)
            self.outcome = self.STORED
            self.step = _TOP_STEP
        except Exception:  # no slot, another role's id, a worn flash: the remote is told
            self.outcome = self.REFUSED
        self._keys.key = b""
        self._ended_ms = now_ms

    def _left_ms(self, now_ms: int) -> int:
        if self.outcome in (self.STORED, self.REFUSED):
            return max(0, LINGER_MS - elapsed_ms(now_ms, self._ended_ms))
        return max(0, pk.PAIRING_WINDOW_MS - elapsed_ms(now_ms, self._opened_ms))

    def _broken(self) -> "bytes | None":
        """The window closes, and there is no answer."""
        self._end(self.BROKEN if self.outcome in (self.OPEN, self.COMPARING) else self.outcome)
        return None


_LENGTHS = {
    pk.BEGIN: pk.ID_BYTES + pk.FIRST_PART,
    pk.COMMIT: pk.PUBLIC_BYTES - pk.FIRST_PART,
    pk.REVEAL: pk.RANDOM_BYTES,
    pk.CONFIRM: pk.CONFIRMATION_BYTES,
    pk.ACCEPT: pk.CONFIRMATION_BYTES,
}
_STATES = {
    PairingResponder.COMPARING: pk.COMPARE,
    PairingResponder.STORED: pk.STORED,
    PairingResponder.REFUSED: pk.REFUSED,
}
