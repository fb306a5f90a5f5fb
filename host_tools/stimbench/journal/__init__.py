"""Journals of implanted stimulators: pulled into SQLite exactly once, verified, shown, exported."""
