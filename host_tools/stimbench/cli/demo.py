"""`stimbench demo`."""

import typer


def demo() -> None:
    """TODO."""
    raise typer.Exit(1)
