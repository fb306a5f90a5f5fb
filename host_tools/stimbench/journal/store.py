"""A store: one SQLite file with the journals that were pulled, and what clinicians entered beside them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from platformdirs import user_data_path
from stimfw.protocol import journal_entries

from stimbench.journal import schema
from stimbench.journal.chain import Finding
from stimbench.journal.entries import Entry
from stimbench.journal.errors import StoreError

__all__ = ("Store", "default_path")

VARIABLE = "STIMBENCH_STORE"
_WAIT_S = 10.0
"""For another process that writes."""


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """What the environment variable STIMBENCH_STORE names, or a file in the user's folder for data."""
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    return user_data_path("stimbench", appauthor=False) / "journals.sqlite"


class Store:
    """Open for one process; used as a context. Every method raises StoreError if the file cannot be used.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path, create: bool = False) -> None:
        """Open a store.

        Args:
            path: of the file.
            create: make it if it is not there, with its folder.

        Raises:
            StoreError: it is not there, is no store, is damaged, or is of a later version.
        """
        self.path = path
        if not path.is_file() and (not create or path.exists()):
            raise StoreError(f"{path}: there is no such file.")
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            mode = "rwc" if create else "rw"
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", timeout=_WAIT_S, isolation_level=None, uri=True
            )
            try:
                self._check(create)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, create: bool) -> None:
        self._db.execute("PRAGMA foreign_keys = ON")
        if create and not self._value("PRAGMA schema_version"):
            # Whole or not at all: two processes may make it at once.
            self._db.executescript(f"BEGIN EXCLUSIVE;\n{schema.SCHEMA}COMMIT;")
        if self._value("PRAGMA application_id") != schema.APPLICATION_ID:
            raise StoreError(f"{self.path} is a database, but no store of journals.")
        version = self._value("PRAGMA user_version")
        if version > schema.VERSION:
            raise StoreError(f"{self.path} is of a later version of stimbench (format {version}).")
        state = self._value("PRAGMA quick_check(1)")
        if state != "ok":
            raise StoreError(f"{self.path} is damaged: {state}. Take a copy of it, and pull into a new one.")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise StoreError(f"{self.path}: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} is damaged, or no store of journals: {error}.") from error

    def _value(self, sql: str, *values: Any) -> Any:
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self._told():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block is written, or nothing of it."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def many_pages(self) -> Iterator[None]:
        """Many small transactions follow: each costs the disk less, and is whole or not there as ever.

        A power cut may undo the newest ones, not only the one that it hits. At the end the file is as usual,
        alone and durable; where others have it open, or the disk cannot do it, it stays so all the time.
        """
        self._try("PRAGMA journal_mode = WAL")
        self._try("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._try("PRAGMA journal_mode = DELETE")
            self._try("PRAGMA synchronous = FULL")

    def _try(self, pragma: str) -> None:
        with suppress(sqlite3.OperationalError):
            self._db.execute(pragma)

    # Journals.

    def devices(self) -> list[str]:
        """Ids of all devices that the store knows, in order."""
        tables = ("entries", "scores", "events")
        parts = " UNION ".join(f"SELECT device_id FROM {table}" for table in tables)
        sql = f"SELECT device_id FROM ({parts}) WHERE device_id <> '' ORDER BY 1"
        return [row[0] for row in self.rows(sql)]

    def journals(self, device_id: str | None = None) -> list[int]:
        """Numbers of the journals, or of those with entries of a device, as they were found."""
        if device_id is None:
            return [row[0] for row in self.rows("SELECT journal FROM journals ORDER BY 1")]
        sql = "SELECT DISTINCT journal FROM entries WHERE device_id = ? ORDER BY 1"
        return [row[0] for row in self.rows(sql, (device_id,))]

    def slots(self, journal: int, first: int = 0) -> Iterator[bytes]:
        """The slots of a journal from number `first` on, in order."""
        sql = "SELECT slot FROM entries WHERE journal = ? AND number >= ? ORDER BY number"
        with self._told():
            for (slot,) in self._db.execute(sql, (journal, first)):
                yield bytes(slot)

    def slot(self, journal: int, number: int) -> bytes | None:
        """One slot; None if the store has none of that number."""
        rows = self.rows("SELECT slot FROM entries WHERE journal = ? AND number = ?", (journal, number))
        return bytes(rows[0][0]) if rows else None

    def last(self, journal: int) -> bytes | None:
        """The newest slot of a journal; None if it has none."""
        rows = self.rows(
            "SELECT slot FROM entries WHERE journal = ? ORDER BY number DESC LIMIT 1", (journal,)
        )
        return bytes(rows[0][0]) if rows else None

    def entries(self, device_id: str | None = None) -> list[Entry]:
        """The entries of a device, or of all, journal by journal in the order of their numbers."""
        where, values = ("WHERE device_id = ?", (device_id,)) if device_id is not None else ("", ())
        sql = f"SELECT device_id, journal, slot FROM entries {where} ORDER BY journal, number"
        return [Entry.of(bytes(slot), device, journal) for device, journal, slot in self.rows(sql, values)]

    def findings(self, journal: int) -> list[Finding]:
        """What was wrong with a journal when it was pulled, in the order of the numbers."""
        sql = "SELECT number, what, text FROM findings WHERE journal = ? ORDER BY number, what"
        return [Finding(*row) for row in self.rows(sql, (journal,))]

    def begin_journal(self, now_s: int) -> int:
        """The number of a new journal."""
        with self.writing() as db:
            return int(db.execute("INSERT INTO journals (found_s) VALUES (?)", (now_s,)).lastrowid or 0)

    def owner(self, journal: int) -> str:
        """The device of a journal's newest entry; schema.UNKNOWN_DEVICE if the journal does not say."""
        sql = "SELECT device_id FROM entries WHERE journal = ? ORDER BY number DESC LIMIT 1"
        rows = self.rows(sql, (journal,))
        return str(rows[0][0]) if rows else schema.UNKNOWN_DEVICE

    def add_page(self, journal: int, slots: Sequence[bytes], findings: Iterable[Finding], now_s: int) -> str:
        """Write a page of slots and what is wrong with them, in one transaction; the device of the last one.

        Raises:
            StoreError: another process has written the same numbers meanwhile.
        """
        owner = self.owner(journal)
        with self.writing() as db:
            for slot in slots:
                entry = Entry.of(slot)
                if entry.readable and entry.kind == journal_entries.IMPLANTED:
                    if owner == schema.UNKNOWN_DEVICE:
                        self._claim(db, journal, entry.words["device_id"])
                    owner = entry.words["device_id"]
                db.execute(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?)", (owner, journal, entry.number, slot, now_s)
                )
            self._add_findings(db, journal, findings, now_s)
        return owner

    @staticmethod
    def _claim(db: sqlite3.Connection, journal: int, device_id: str) -> None:
        """Entries from before the first implantation that the journal names belong to it."""
        db.execute(
            "UPDATE entries SET device_id = ? WHERE journal = ? AND device_id = ''", (device_id, journal)
        )

    def add_findings(self, journal: int, findings: Iterable[Finding], now_s: int) -> None:
        """Keep what is wrong; what is known already stays as it is."""
        with self.writing() as db:
            self._add_findings(db, journal, findings, now_s)

    @staticmethod
    def _add_findings(
        db: sqlite3.Connection, journal: int, findings: Iterable[Finding], now_s: int
    ) -> None:
        db.executemany(
            "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?)",
            [(journal, each.number, each.what, each.text, now_s) for each in findings],
        )

    def add_pull(
        self, journal: int, device_id: str, firmware: str, now_s: int, oldest: int, end: int
    ) -> None:
        """Keep that a pull came to its end: then the device had nothing newer than entry `end` - 1."""
        columns = "(journal, device_id, firmware, at_s, oldest, next)"
        with self.writing() as db:
            db.execute(
                f"INSERT INTO pulls {columns} VALUES (?, ?, ?, ?, ?, ?)",
                (journal, device_id, firmware, now_s, oldest, end),
            )

    def last_pull(self, device_id: str) -> tuple[int, str] | None:
        """When a device was last pulled to the end, and its firmware then; None: never."""
        sql = "SELECT at_s, firmware FROM pulls WHERE device_id = ? ORDER BY pull DESC LIMIT 1"
        rows = self.rows(sql, (device_id,))
        return (rows[0][0], rows[0][1]) if rows else None

    def add_prescription(self, device_id: str, version: int, sender: int, set_s: int, payload: bytes) -> None:
        """Keep a prescription; one that is there already stays."""
        with self.writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO prescriptions VALUES (?, ?, ?, ?, ?)",
                (device_id, version, payload, sender, set_s),
            )

    def prescriptions(self, device_id: str) -> list[tuple[int, int, int, bytes]]:
        """Version, sender, when it was set, and payload of each that was pulled, by version."""
        sql = "SELECT version, sender, set_s, payload FROM prescriptions WHERE device_id = ? ORDER BY version"
        return [(row[0], row[1], row[2], bytes(row[3])) for row in self.rows(sql, (device_id,))]
