"""The command `stimbench`."""
