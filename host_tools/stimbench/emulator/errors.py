"""What the emulated bench raises."""

__all__ = ("BenchError",)


class BenchError(Exception):
    """The bench cannot be built, or cannot do what was asked of it."""
