"""One interface for a board, wired or emulated."""
