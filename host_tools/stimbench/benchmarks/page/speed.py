"""How fast emulated time passes with a page that shows it, against without one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import expect
from stimfw.therapy.program import FIELD_NAMES

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.harness.rig import Rig, programme
from stimbench.benchmarks.page.browser import Opened, chromium, cpu_s, machine, opened

__all__ = ("PAGE_SPEED",)

_LEAST = 90
_ROUNDS, _QUICK_ROUNDS = 9, 3
_TURN_S = 5.0
"""Of the wall's clock."""
_SETTLE_MS = 500
_STEP_MS = 100
_TIME = "stimbench.bench.state.t_ns"
_NO_PAGE = "static/icon.svg"
"""It has the server's origin, and no script."""
_HOLD = """
() => new Promise((held) => {
  const socket = (window.socket = new WebSocket(`ws://${location.host}/ws`));
  const say = (message) => socket.send(JSON.stringify(message));
  window.stimbench = { bench: { pace: (change) => say({ kind: "pace", ...change }) } };
  socket.onopen = () => {
    say({ kind: "hello", key: sessionStorage.getItem("stimbench-tab") });
    setInterval(() => say({ kind: "alive" }), 1000);
  };
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    if (told.kind !== "state") return;
    window.t_ns = told.t_ns;
    held();
  };
})
"""
"""Somebody has to hold the controls, or the bench stops: this one shows nothing."""
_PACE = "(change) => stimbench.bench.pace(change)"
_SET = "(fields) => stimbench.bench.do('program', { fields })"


def _work(case: tuple[int, int]) -> dict[str, Any]:
    """The three take turns, so that whatever else the machine does meets all of them alike."""
    seed, rounds = case
    found: dict[str, Any] = {"page": [], "alone": [], "bare": []}
    with Rig(seed, ("stimulator", "remote")) as rig, chromium() as browser, opened(browser, seed) as one:
        wanted = programme()
        rig.start(rig.connect(), wanted)
        one.page.evaluate(_SET, dict(zip(FIELD_NAMES, wanted.values, strict=True)))
        one.start()
        origin = one.page.url
        for _ in range(rounds):
            one.page.goto(origin)
            expect(one.page.locator("#who")).to_contain_text("You hold the controls")
            one.show("all")
            found["page"].append(_served(one, _TIME))
            one.page.goto(f"{origin}{_NO_PAGE}")
            one.page.evaluate(_HOLD)
            found["alone"].append(_served(one, "window.t_ns"))
            found["bare"].append(_bare(rig))
    return found


def _served(one: Opened, time_ns: str) -> tuple[float, float]:
    """Emulated seconds a second of the wall's clock, and one of the bench's processor time."""
    one.page.evaluate(_PACE, {"paused": False})
    one.page.evaluate(_PACE, {"speed": 0})
    one.page.wait_for_timeout(_SETTLE_MS)
    begun = one.page.evaluate(time_ns) / 1e9, time.perf_counter(), cpu_s(one.bench)
    one.page.wait_for_timeout(_TURN_S * 1000)
    ended = one.page.evaluate(time_ns) / 1e9, time.perf_counter(), cpu_s(one.bench)
    one.page.evaluate(_PACE, {"paused": True})
    one.page.wait_for_timeout(_SETTLE_MS)
    passed, wall, used = (now - then for now, then in zip(ended, begun, strict=True))
    return passed / wall, passed / used


def _bare(rig: Rig) -> tuple[float, float]:
    begun_ns, begun_s, begun_cpu_s = rig.bench.now_ns, time.perf_counter(), time.process_time()
    while time.perf_counter() - begun_s < _TURN_S:
        rig.run_ms(_STEP_MS)
        rig.forget()
    passed = (rig.bench.now_ns - begun_ns) / 1e9
    return passed / (time.perf_counter() - begun_s), passed / (time.process_time() - begun_cpu_s)


def _judge(found: Sequence[dict[str, Any]], options: Options) -> list[Line]:
    (one,) = found
    wall, used = (
        {name: statistics.median(speed[at] for speed in one[name]) for name in one} for at in (0, 1)
    )
    told = f"medians of {len(one['page'])} turns each, emulated s a second: {machine()}; "
    what = "emulated speed with a page on the whole session, against"
    compare = (
        f"{wall['page']:.1f} against {{:.1f}} by the wall's clock, "
        f"{used['page']:.1f} against {{:.1f}} by the bench's CPU"
    )
    share = 100 * wall["page"] / wall["alone"]
    alone, bare = (compare.format(wall[name], used[name]) for name in ("alone", "bare"))
    return [
        reached(f"{what} no page", share, Relation.AT_LEAST, _LEAST, "%", told + alone, **one),
        compared(
            f"{what} a bench that is not served", f"{100 * wall['page'] / wall['bare']:.0f} %", told + bare
        ),
    ]


PAGE_SPEED = Row(
    "page-speed",
    "the page of `stimbench serve`: what it costs the bench",
    lambda options: [(options.seed, _QUICK_ROUNDS if options.quick else _ROUNDS)],
    _work,
    _judge,
    weight=130,
    alone=True,
)
