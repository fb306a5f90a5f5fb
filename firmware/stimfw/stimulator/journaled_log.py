"""The log of an implanted stimulator: what it is told also goes to the journal, where that is its place."""

from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages
from stimfw.therapy.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable

# EVENT_... of the log -> `what` of a pairing entry (journal_entries.PAIRING_NAMES).
_PAIRINGS = (
    (messages.EVENT_PAIRED, 0),
    (messages.EVENT_FORGOTTEN, 1),
    (messages.EVENT_KEY_RETIRED, 2),
    (messages.EVENT_WINDOW_OPENED, 3),
    (messages.EVENT_WINDOW_CLOSED, 4),
    (messages.EVENT_FACTORY_RESET, 5),
    (messages.EVENT_PAIRING_EXPIRED, 6),
)


class JournaledLog(EventLog):
    """An EventLog that also tells the journal and the therapy.

    What strangers send never comes here: stimfw.therapy.stranger_log counts it.

    Attributes:
        note: `note(kind, sender, *fields)`, an entry of the journal; nobody yet.
        on_stopped: `on_stopped(cause, sender)`: what ran was ended.
        on_measured: a measurement of impedances ended by itself.
        has_ended_session: whether a session has ended, and nobody was told why: by the magnet that comes now.
    """

    def __init__(self, uptime_s: "Callable[[], int]", first: int = 0) -> None:
        """As EventLog."""
        super().__init__(uptime_s, first)
        self.note: "Callable[..., None]" = _nobody
        self.on_stopped: "Callable[[int, int], None]" = _nobody
        self.on_measured: "Callable[[], None]" = _nobody
        self.has_ended_session: "Callable[[], object]" = _nobody

    def add(self, kind: int, sender: int, detail: int) -> None:
        """An event of the log; see EventLog.add."""
        super().add(kind, sender, detail)
        if kind == messages.EVENT_STOPPED:
            self.on_stopped(detail, sender)
        elif kind == messages.EVENT_MEASURED:
            self.on_measured()
        elif kind == messages.EVENT_MAGNET:
            self.note(journal_entries.MAGNET, sender, 1 if self.has_ended_session() else 0)
        elif kind == messages.EVENT_FORBIDDEN:
            self.note(journal_entries.REFUSED, sender, detail, messages.FORBIDDEN, 1)
        else:
            self._note_part(kind, sender, detail)
            for event, what in _PAIRINGS:
                if event == kind:
                    self.note(journal_entries.PAIRING, sender, what, sender, detail)

    def _note_part(self, kind: int, sender: int, detail: int) -> None:
        """A part that was lost or works again; an entry has all bits, a log's detail is a u8."""
        if kind == messages.EVENT_PART_FAILED:
            self.note(journal_entries.PART_FAILED, sender, detail or messages.PART_RANDOM)
        elif kind == messages.EVENT_PART_MENDED:
            self.note(journal_entries.PART_MENDED, sender, detail)
        elif kind == messages.EVENT_LATER_PART_FAILED:
            self.note(journal_entries.PART_FAILED, sender, detail << messages.LATER_PARTS)
        elif kind == messages.EVENT_LATER_PART_MENDED:
            self.note(journal_entries.PART_MENDED, sender, detail << messages.LATER_PARTS)


def _nobody(*_what: object) -> None:
    """Who is not told."""
