"""Images and modules put on boards, and what this machine needs for it; see docs/flashing.md."""
