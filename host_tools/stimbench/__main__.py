"""The command `stimbench`, also as `python -m stimbench`. It loads the commands under process.run's care."""

from __future__ import annotations

from stimbench.process import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> NoReturn:
    """Entry point of the console script."""
    run(_load)


def _load() -> Callable[[], None]:
    from stimbench.cli.main import main as command

    return command


if __name__ == "__main__":
    main()
