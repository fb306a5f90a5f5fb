"""All that a board keeps on flash: opened so that the board always starts, and repaired on request.

Three areas: the epoch log, the limit of the epochs, the pairings. Each is opened through one function, which
turns whatever goes wrong into a state of that area; the board then goes on with a record that is not
available. A damaged area stays as it is until a person asks for a repair. Only the limit is renewed at once
from a log that is sound.
"""

from typing import TYPE_CHECKING

from stimfw.crypto.drbg import Drbg
from stimfw.crypto.primitives import sha256
from stimfw.storage import layout
from stimfw.storage.blocks import DamagedError, LaterError, StorageError, UsedUpError
from stimfw.storage.epoch_limit import EpochLimit, value_of
from stimfw.storage.epochs import EpochLog
from stimfw.storage.record import Record
from stimfw.storage.unavailable import UnavailableRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from stimfw.storage.blocks import BlockDevice

EPOCHS = 0
LIMIT = 1
PAIRINGS = 2
AREA_NAMES = ("epochs", "epoch limit", "pairings")

SOUND = 0
EMPTY = 1
ONE_BIT = 2
DAMAGED = 3
LATER = 4
UNUSABLE = 5
USED_UP = 6
STATE_TEXTS = (
    "sound",
    "empty",
    "damaged: one bit is wrong, and it is known which",
    "damaged, or erased by something else",
    "written by a later firmware",
    "the flash does not take it",
    "used up",
)

KEYS_GO = 0x80
"""In a plan, beside the areas: the keys of pairings that are sound go as well."""


def plan(states: "list[int] | tuple[int, ...]", overwrite_later: bool) -> int:
    """What a repair rewrites: bit 1 << area of each, and KEYS_GO. 0: there is nothing that it can do.

    A board that has lost its epochs goes on above their limit. If that is lost too, it begins again at 1, and
    the keys that have met those epochs must go: a key must never meet an epoch twice. What the flash does not
    take is no matter of a repair: each start tries again.

    Args:
        states: of EPOCHS, LIMIT and PAIRINGS.
        overwrite_later: also what a later firmware has written.
    """
    areas = 0
    for area, state in enumerate(states):
        if state in (ONE_BIT, DAMAGED, USED_UP) or (state == LATER and overwrite_later):
            areas |= 1 << area
    if not areas & 1 << EPOCHS or is_limit_known(states):
        return areas
    if LATER in (states[LIMIT], states[PAIRINGS]) and not overwrite_later:
        return areas & ~(1 << EPOCHS)
    areas |= 1 << LIMIT
    return areas if states[PAIRINGS] in (EMPTY, DAMAGED, LATER) else areas | KEYS_GO


def is_limit_known(states: "list[int] | tuple[int, ...]") -> bool:
    """Whether the limit tells what epochs were used. A later firmware may not have kept it."""
    return states[LIMIT] in (SOUND, ONE_BIT) and states[EPOCHS] not in (LATER, USED_UP)


def holds_something(device: "BlockDevice") -> bool:
    """Whether any area has a record that can be read: the board had this firmware before."""
    for block in (layout.EPOCH_LIMIT, layout.PAIRINGS):
        try:
            if Record(device, block).peek() is not None:
                return True
        except LaterError:
            return True
        except StorageError:
            continue
    return EpochLog(device, layout.EPOCHS).is_there()


class Areas:
    """Opened once a start, before anything that needs an epoch. Keeps no key but in `pairings`.

    Attributes:
        epoch: of this start; 0: none may be used, so there is no radio.
        random: random bytes for this start; without an epoch not good enough for keys.
        pairings: what `read` made of the record; without an epoch, or if it cannot be used, of none.
        states: of each area as it was found: SOUND, EMPTY, ...
    """

    def __init__(
        self,
        device: "BlockDevice",
        read: "Callable[[Record], Any]",
        begin: "Callable[[Any, Drbg], None]",
        material: bytes,
    ) -> None:
        """Open everything. Raises nothing, whatever is on flash.

        Args:
            device: layout.BLOCKS blocks.
            read: PairingTable or RemotePairing.
            begin: writes the first pairings record if there is none yet.
            material: random bytes, as good as the board has them, any number of them.
        """
        self._read = read
        self._begin = begin
        self._log = EpochLog(device, layout.EPOCHS)
        self._limit = EpochLimit(device, layout.EPOCH_LIMIT)
        self._record = Record(device, layout.PAIRINGS)
        self.states = [SOUND, SOUND, SOUND]
        self.epoch = 0
        self.random = Drbg(sha256(material))
        self.pairings = read(UnavailableRecord())
        self._open(material)
        if not self.epoch or self.states[PAIRINGS] == DAMAGED:
            self._diagnose_records(self.states)

    def pairings_failed(self) -> bool:
        """Whether there are pairings on flash that cannot be used, whatever the epochs are worth."""
        return self.states[PAIRINGS] not in (SOUND, EMPTY)

    def _opened(self, area: int, action: "Callable[[], Any]") -> "Any":
        """What `action` gives; None if it fails, and then the area's state says why."""
        try:
            return action()
        except LaterError:
            self.states[area] = LATER
        except UsedUpError:
            self.states[area] = USED_UP
        except DamagedError:
            self.states[area] = DAMAGED
        except OSError:
            self.states[area] = UNUSABLE
        except Exception:  # none is known: but a board that does not start can be neither asked nor repaired
            self.states[area] = DAMAGED
        return None

    def _open(self, material: bytes) -> None:
        limit = self._opened(LIMIT, self._limit.read)
        if self.states[LIMIT] == LATER:
            return
        # A limit that is there but cannot be read tells as well that this is no new board, and so do keys.
        least = 1 if limit is None else limit or self._holds_keys()
        told = self._opened(EPOCHS, lambda: self._log.advance(material, least))
        if told is None:
            return
        epoch, seed = told
        self.random = Drbg(seed)
        # A new board's pairings come before its limit: where there is a limit, there were pairings.
        pairings = self._opened(PAIRINGS, lambda: self._open_pairings(least))
        if limit is None or epoch > limit:
            # The limit covers the epoch before anybody can use it.
            if self._opened(LIMIT, lambda: self._limit.renew(epoch)) is None:
                return
            self.states[LIMIT] = SOUND
        self.epoch = epoch
        if pairings is not None:
            self.pairings = pairings

    def _holds_keys(self) -> int:
        """1 if keys lie on flash, or something that cannot be read lies in their place; else 0."""
        try:
            payload = self._record.peek()
            return 1 if payload is not None and self._read(UnavailableRecord(payload)).holds_keys() else 0
        except Exception:
            return 1

    def _open_pairings(self, limit: int) -> "Any":
        if limit and self._record.peek() is None:
            raise DamagedError("pairings erased")
        pairings = self._read(self._record)
        self._begin(pairings, self.random)
        return pairings

    def diagnose(self) -> "list[int]":
        """The state of each area now. Writes nothing. Takes up to 0.1 s where something is damaged."""
        states = self.states[:]
        least = self._diagnose_records(states)
        try:
            epoch = self._log.check(least)
            if states[EPOCHS] != UNUSABLE:
                states[EPOCHS] = SOUND if epoch > 1 else EMPTY
        except LaterError:
            states[EPOCHS] = LATER
        except UsedUpError:
            states[EPOCHS] = USED_UP
        except Exception:
            states[EPOCHS] = DAMAGED
        return states

    def _diagnose_records(self, states: "list[int]") -> int:
        """Put the states of LIMIT and PAIRINGS in; 0 if no epoch was ever used, as far as the limit tells."""
        limit = self._look_into(states, LIMIT, self._limit.record, value_of)
        least = 1 if limit is None else limit
        self._look_into(
            states, PAIRINGS, self._record, lambda payload: self._read(UnavailableRecord(payload))
        )
        if least and states[PAIRINGS] == EMPTY:
            states[PAIRINGS] = DAMAGED
        return int(least or self._holds_keys())

    def _look_into(
        self, states: "list[int]", area: int, record: Record, parse: "Callable[[bytes], Any]"
    ) -> "Any":
        """What `parse` makes of a record's payload; 0 if there is none, None if it cannot be used.

        What only a write can tell, UNUSABLE, was seen at the start and stays.
        """
        try:
            payload = record.peek()
            parsed = 0 if payload is None else parse(payload)
            if states[area] != UNUSABLE:
                states[area] = EMPTY if payload is None else SOUND
            return parsed
        except LaterError:
            states[area] = LATER
        except Exception:
            states[area] = self._damage(record)
        return None

    def _damage(self, record: Record) -> int:
        try:
            return ONE_BIT if record.can_mend() else DAMAGED
        except LaterError:  # with a wrong bit in it
            return LATER

    def repair(self, overwrite_later: bool = False, feed: "Callable[[], None]" = lambda: None) -> int:
        """Rewrite what is damaged, as `plan` says, and nothing else: the plan. The board must restart then.

        Writes flash: with the output off only. Cut short, it can be asked for again.

        Args:
            overwrite_later: as of `plan`.
            feed: feeds the watchdog. Called before each area, which takes 3 erases of up to 0.4 s.

        Raises:
            StorageError: the flash did not take it.
        """
        states = self.diagnose()
        todo = plan(states, overwrite_later)
        feed()
        # Keys go before epochs begin again, and the limit before the log that it vouches for.
        if todo & 1 << PAIRINGS:
            _renew(self._record, states[PAIRINGS])
            self._begin(self._read(self._record), self.random)
        if todo & KEYS_GO:
            self._read(self._record).forget_all()
        feed()
        if todo & 1 << LIMIT:
            _renew(self._limit.record, states[LIMIT] if is_limit_known(states) else DAMAGED)
        feed()
        if todo & 1 << EPOCHS:
            self._log.restart(self._limit.read(), self.random.take(32))
        return todo


def _renew(record: Record, state: int) -> None:
    if state == ONE_BIT:
        record.mend()
    else:
        record.forget()
