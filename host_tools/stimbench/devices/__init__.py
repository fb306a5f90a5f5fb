"""One interface for a board, `Device`, whether it is emulated, wired or behind a pty."""
