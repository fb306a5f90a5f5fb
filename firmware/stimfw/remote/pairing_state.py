"""The remote's pairing: the one it has, and the one it is making."""

from typing import TYPE_CHECKING

from stimfw.pairing.remote_end import PairingRequester
from stimfw.telemetry import addresses
from stimfw.telemetry.frames import COPIES
from stimfw.telemetry.keys import next_key
from stimfw.telemetry.requester import Requester
from stimfw.ui import feedback

if TYPE_CHECKING:
    from stimfw.crypto.drbg import KeyRandom
    from stimfw.storage.pairings import RemotePairing


def step(record: "RemotePairing") -> None:
    """The key of the next generation in the place of the one on flash, before anything uses it.

    A flash that does not take it leaves the key as it was: the stimulator knows that one.
    """
    if record.may_step():
        try:
            record.step(next_key(record.key))
        except OSError:
            return


class PairingClient(PairingRequester):
    """A PairingRequester as a client of the FrameTransport: it repeats by itself what was not answered."""

    channel = addresses.PAIRING_CHANNEL
    copies = COPIES
    _given = _unsent = b""

    def begin(self, now_ms: int) -> None:
        """Begin again, with a new key pair."""
        self._given = self._unsent = b""
        super().begin(now_ms)

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame to send now, if one is due: first the one that did not go out."""
        if self._unsent:
            frame, self._unsent = self._unsent, b""
            return frame
        due = super().poll(now_ms)
        self._given = due or b""
        return due

    def sent(self, went: bool, now_ms: int) -> None:
        """A frame is out; or it is not, and is due again at once: it may be the one that ends a window."""
        if not went:
            self._unsent = self._given

    def wait_ms(self, now_ms: int) -> int:
        """Time until compute() or poll() has something to do or lit() changes; -1 never."""
        return 0 if self._unsent else super().wait_ms(now_ms)


class PairingState:
    """Keeps the Requester as the pairing on flash says.

    Attributes:
        requester: who speaks with the stimulator; None if this remote is not paired.
        usable: False if what is on flash cannot be used: then nothing is paired, and nothing can be.
        to, own: the stimulator's address and this remote's.
        client: makes a new pairing.
    """

    def __init__(
        self,
        record: "RemotePairing",
        own_id: bytes,
        epoch: int,
        random: "KeyRandom",
        usable: bool = True,
    ) -> None:
        """Args: record: what is on flash; epoch: of this start; random: for keys and handshakes."""
        self.usable = usable
        self._record = record
        self._epoch = epoch
        self._random = random
        self.own_id = own_id
        self.client = PairingClient(own_id, self.store, random.take)
        self.requester: "Requester | None" = None
        self._count = 0
        self._confirming = True  # not tried yet, with this requester
        self.to = self.own = b""
        self._renew()

    @property
    def record(self) -> "RemotePairing":
        """What is on flash."""
        return self._record

    @property
    def random_failed(self) -> bool:
        """Whether the random source has failed: nothing is paired then, and nothing but STOP is asked."""
        return self._random.failed

    def store(self, base: bytes, slot: int, role: int, key: bytes) -> None:
        """A new pairing in place of the old one; OSError if the flash does not take it: the old one stays."""
        self._record.store(self.own_id, base, slot, role, key)
        self._renew()

    def forget(self) -> None:
        """No pairing any more."""
        self._record.forget_all()
        self._renew()

    def to_confirm(self) -> bool:
        """Whether the key of this start had its first authentic answer, and that is not on flash yet."""
        requester = self.requester
        return self._confirming and requester is not None and requester.confirmed and self._record.steps > 0

    def confirm(self) -> None:
        """Note that on flash, once: the processor stands still meanwhile."""
        self._confirming = False
        try:
            self._record.confirmed()
        except OSError:
            return

    def accept(self, now_ms: int) -> bool:
        """The person says that the lights blink alike; whether that is taken."""
        return self.client.accept(now_ms)

    def refuse(self) -> None:
        """The person says that they do not, or wants no more."""
        self.client.refuse()

    def lit(self, now_ms: int) -> int:
        """The code's light now: 0 or 1; -1 if none is shown."""
        return self.client.lit(now_ms)

    def wait_ms(self, now_ms: int) -> int:
        """Time until the light changes or a frame is due."""
        return self.client.wait_ms(now_ms)

    def compute(self) -> bool:
        """A slice of the X25519 computation, up to 10 ms; whether there is more to do."""
        return self.client.compute()

    def under_way(self) -> bool:
        """Whether a pairing is neither made nor given up."""
        return self.client.state not in (self.client.STORED, self.client.FAILED)

    def paired(self) -> bool:
        """Whether it succeeded."""
        return self.client.state == self.client.STORED

    def pattern(self) -> "feedback.Pattern":
        """What to show at its end."""
        return (
            feedback.PAIRED if self.paired() else feedback.pairing_failed(self.client.BLINKS[self.client.why])
        )

    def _renew(self) -> None:
        record = self._record
        if self.requester is not None:
            # The count goes on, also over a time without a pairing: the same key may be given again.
            self._count = self.requester.count
        if not record.paired:
            self.requester = None
            return
        self._confirming = True
        self.requester = Requester(
            record.slot,
            record.role,
            record.key,
            self._epoch,
            self._random.take,
            self._count,
            record.generation,
        )
        self.to = addresses.stimulator_address(record.base)
        self.own = addresses.peer_address(record.base, record.slot)
