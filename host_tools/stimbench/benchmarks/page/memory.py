"""What page, server and bench take more after half an hour at the fastest pace."""

from __future__ import annotations

from collections.abc import Sequence

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.page.browser import Opened, chromium, machine, memory_mb, opened

__all__ = ("PAGE_MEMORY",)

_MOST_MB = 20
_S, _QUICK_S = 1800, 180
_AFTER_S = 30
"""What is made once is made by then."""
_LOOK_MS = 500
_PARTS = ("server", "page", "bench")


def _work(case: tuple[int, int]) -> list[tuple[float, list[float]]]:
    """Emulated seconds, and the MB of each part, at the begin and at the end."""
    seed, seconds = case
    with chromium() as browser, opened(browser, seed) as one:
        one.start()
        one.show("all")
        one.page.evaluate("stimbench.bench.pace({speed: 0})")
        found = []
        for until_s in (_AFTER_S, _AFTER_S + seconds):
            while one.t_ns < until_s * 1e9:
                one.page.wait_for_timeout(_LOOK_MS)
            found.append((one.t_ns / 1e9, _sizes(one)))
    return found


def _sizes(one: Opened) -> list[float]:
    return [memory_mb(one.server), one.metrics()["JSHeapUsedSize"] / 1e6, memory_mb(one.bench)]


def _judge(found: Sequence[list[tuple[float, list[float]]]], options: Options) -> list[Line]:
    ((begun_s, before), (ended_s, after)) = found[0]
    grown = dict(zip(_PARTS, (now - then for now, then in zip(after, before, strict=True)), strict=True))
    told = (
        f"from {begun_s:.0f} to {ended_s:.0f} emulated s of a session, the whole session shown; "
        f"server {before[0]:.0f} MB, page's heap {before[1]:.1f} MB before; {machine()}"
    )
    both = grown["server"] + grown["page"]
    each = ", ".join(f"{name} {grown[name]:.1f} MB" for name in _PARTS)
    told = f"{each}; {told}"
    if options.quick:
        return [compared("growth of page and server", f"{both:.1f} MB", told)]
    return [reached("growth of page and server over 30 min", both, Relation.AT_MOST, _MOST_MB, "MB", told)]


PAGE_MEMORY = Row(
    "page-memory",
    "the page of `stimbench serve`: what it takes",
    lambda options: [(options.seed, _QUICK_S if options.quick else _S)],
    _work,
    _judge,
    weight=250,
    alone=True,
)
