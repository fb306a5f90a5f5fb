"""How long it takes from the command until there is something to see."""

from __future__ import annotations

import time
from collections.abc import Sequence

from playwright.sync_api import expect

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.page.browser import chromium, machine, opened

__all__ = ("PAGE_FIRST",)

_MOST_S = 2
_RUNS, _QUICK_RUNS = 6, 2


def _work(case: tuple[int, int]) -> list[tuple[float, float]]:
    """Wall seconds until the page is there, and until it says what the stimulator says."""
    seed, runs = case
    found = []
    with chromium() as browser:
        for _ in range(runs + 1):
            with opened(browser, seed) as one:
                expect(one.page.locator("#scope-left-width")).to_be_attached()
                page_s = time.perf_counter() - one.begun_s
                expect(one.page.locator("#stimulator-state")).to_contain_text("ready")
                found.append((page_s, time.perf_counter() - one.begun_s))
    return found[1:]  # the first one fills the caches of the disk


def _judge(found: Sequence[list[tuple[float, float]]], options: Options) -> list[Line]:
    (runs,) = found
    lines = []
    for at, what in enumerate(("page is there", "the stimulator says that it is ready")):
        times = sorted(one[at] for one in runs)
        told = f"worst of {len(times)}, median {times[len(times) // 2]:.2f} s; {machine()}"
        name = f"`stimbench serve` -> {what}"
        lines.append(reached(name, times[-1], Relation.AT_MOST, _MOST_S, "s", told))
    return lines


PAGE_FIRST = Row(
    "page-first",
    "the page of `stimbench serve`: its start",
    lambda options: [(options.seed, _QUICK_RUNS if options.quick else _RUNS)],
    _work,
    _judge,
    weight=40,
    alone=True,
)
