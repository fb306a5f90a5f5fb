"""How far a campaign is: a bar on a terminal, else a line every half a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, TextColumn

from stimbench.cli.terminal import err

if TYPE_CHECKING:
    from rich.console import Console

    from stimbench.campaign.run import Progress as Campaign

__all__ = ("CampaignProgress", "in_words")

_SAY_EVERY_S = 30.0


class CampaignProgress:
    """Takes what stimbench.campaign.run tells, and shows it on stderr."""

    def __init__(self, console: Console = err, now_s: Callable[[], float] = time.monotonic) -> None:
        """Args: console: where it goes. now_s: the clock, s from any origin."""
        self._console, self._now_s = console, now_s
        self._said_s = now_s()
        columns = (BarColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, told: Campaign) -> None:
        """Show it; without a terminal every 30 s."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=told.done, total=told.total, description=in_words(told))
        elif self._now_s() - self._said_s >= _SAY_EVERY_S:
            self._said_s = self._now_s()
            self._console.print(in_words(told), soft_wrap=True)


def in_words(told: Campaign) -> str:
    """`120/500 done, 3.2/s, 1 min 59 s left, 2 workers`."""
    words = [f"{told.done}/{told.total} done"]
    if told.errors:
        words.append(f"{told.errors} errors")
    if told.rate_per_s is not None:
        words.append(f"{told.rate_per_s:.3g}/s")
    if told.left_s is not None:
        words.append(f"{_time(told.left_s)} left")
    words.append({0: "waiting for a worker", 1: "1 worker"}.get(told.workers, f"{told.workers} workers"))
    return ", ".join(words)


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
