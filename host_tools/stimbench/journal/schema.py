"""The tables of a store: journals as they were pulled, and what clinicians entered. No row ever changes."""

from __future__ import annotations

__all__ = ("APPLICATION_ID", "SCHEMA", "UNKNOWN_DEVICE", "VERSION")

APPLICATION_ID = 0x53424A31
"""Of the SQLite file's header: "SBJ1"."""
VERSION = 1
"""Of the tables; grows when an older reader would misunderstand them."""
UNKNOWN_DEVICE = ""
"""The device id of entries from before the first `implanted` entry of a journal that was pulled in part."""

_APPEND_ONLY = """
CREATE TRIGGER {table}_keeps BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
CREATE TRIGGER {table}_stays BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
"""

# The columns of a primary key come first: else SQLite's quick_check tells of NULL values that are not there.
# A journal is what one board's flash held. Usually a store has one for each device; a second one for the same
# device id means that the board's journal was erased, rolled back, or is another board's.
# An entry's device id may be set once: entries of a journal can come before the one that says whose they are.
SCHEMA = (
    """
CREATE TABLE journals (journal INTEGER PRIMARY KEY, found_s INTEGER NOT NULL);
CREATE TABLE entries (
    device_id TEXT NOT NULL, journal INTEGER NOT NULL REFERENCES journals, number INTEGER NOT NULL,
    slot BLOB NOT NULL CHECK (length(slot) = 32), pulled_s INTEGER NOT NULL,
    PRIMARY KEY (device_id, journal, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entries_of_journal ON entries (journal, number);
CREATE TABLE findings (
    journal INTEGER NOT NULL REFERENCES journals, number INTEGER NOT NULL, what TEXT NOT NULL,
    text TEXT NOT NULL, found_s INTEGER NOT NULL, PRIMARY KEY (journal, number, what)
) WITHOUT ROWID;
CREATE TABLE pulls (
    pull INTEGER PRIMARY KEY, journal INTEGER NOT NULL REFERENCES journals, device_id TEXT NOT NULL,
    firmware TEXT NOT NULL, at_s INTEGER NOT NULL, oldest INTEGER NOT NULL, next INTEGER NOT NULL
);
CREATE TABLE prescriptions (
    device_id TEXT NOT NULL, version INTEGER NOT NULL, payload BLOB NOT NULL, sender INTEGER NOT NULL,
    set_s INTEGER NOT NULL, PRIMARY KEY (device_id, version, payload)
) WITHOUT ROWID;
CREATE TABLE scores (
    score INTEGER PRIMARY KEY, device_id TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,
    on_date TEXT NOT NULL, baseline INTEGER NOT NULL, supersedes INTEGER UNIQUE REFERENCES scores,
    withdrawn INTEGER NOT NULL, entered_s INTEGER NOT NULL
);
CREATE TABLE events (
    event INTEGER PRIMARY KEY, device_id TEXT NOT NULL, code TEXT NOT NULL, on_date TEXT NOT NULL,
    severity TEXT NOT NULL, cause TEXT NOT NULL, supersedes INTEGER UNIQUE REFERENCES events,
    withdrawn INTEGER NOT NULL, entered_s INTEGER NOT NULL
);
CREATE TRIGGER entries_keep BEFORE UPDATE ON entries
WHEN OLD.device_id <> '' OR NEW.slot <> OLD.slot OR NEW.journal <> OLD.journal OR NEW.number <> OLD.number
BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END;
"""
    + "".join(
        _APPEND_ONLY.format(table=table)
        for table in ("findings", "pulls", "prescriptions", "scores", "events")
    )
    + f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {VERSION};\n"
)
