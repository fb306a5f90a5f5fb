"""How many frames the page draws, what its script costs, and how late a phase is on the screen."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.page.browser import Opened, chromium, machine, opened

__all__ = ("PAGE_FRAMES",)

_LEAST, _MOST_SCRIPT, _MOST_DELAY_MS = 50, 25, 150
_MODES = (("roll", "rolling"), ("all", "the whole session"), ("pulse", "the last pulse"))
_S, _QUICK_S = 15, 4

# Frames are counted where the scope says that it has drawn one. The clocks of bench and page have no common
# zero: the least time from the end of a frame's record to its drawing is taken for none. So a delay that all
# frames have is not in it. The least time of a question to the server and its answer is added for it.
_COUNT = """
async (ms) => {
  const bench = stimbench.bench, was = bench.drawn, late = new Map();
  let frames = 0, least = Infinity;
  bench.drawn = function (frame) {
    const now = performance.now();
    frames += 1;
    least = Math.min(least, now - frame.end / 1e6);
    frame.pulses.forEach((found, lead) => {
      const one = found.at(-1), key = `${lead} ${one?.start_ns}`;
      const end = one && one.start_ns + one.cathodic_ns + one.gap_ns + one.anodic_ns;
      if (one && !late.has(key)) late.set(key, now - end / 1e6);
    });
    return was.call(this, frame);
  };
  await new Promise((done) => setTimeout(done, ms));
  delete bench.drawn;
  return { frames, late: [...late.values()].slice(2).map((one) => one - least) };
}
"""
_ROUND = """
async () => {
  const found = [];
  for (let k = 0; k < 20; k += 1) {
    const begun = performance.now();
    await stimbench.bench.withRun("actions");
    found.push(performance.now() - begun);
  }
  return Math.min(...found);
}
"""


def _work(case: tuple[int, int]) -> dict[str, Any]:
    seed, seconds = case
    with chromium() as browser, opened(browser, seed) as one:
        one.start()
        found: dict[str, Any] = {mode: _watched(one, mode, seconds) for mode, _ in _MODES}
        found["round_ms"] = one.page.evaluate(_ROUND)
        found["elsewhere"] = [url for url in one.asked if not url.startswith("http://127.0.0.1:")]
    return found | {"load": os.getloadavg()[0]}


def _watched(one: Opened, mode: str, seconds: int) -> dict[str, Any]:
    one.show(mode)
    before, begun_s = one.metrics(), time.perf_counter()
    counted = one.page.evaluate(_COUNT, seconds * 1000)
    after, over_s = one.metrics(), time.perf_counter() - begun_s
    shares = {
        name: 100 * (after[f"{key}Duration"] - before[f"{key}Duration"]) / over_s
        for name, key in (("script", "Script"), ("all", "Task"))
    }
    return {"frames": counted["frames"] / seconds, "late_ms": sorted(counted["late"])} | shares


def _judge(found: Sequence[dict[str, Any]], options: Options) -> list[Line]:
    (one,) = found
    told = f"both leads at 20 Hz, full shape of each pulse; {machine()}"
    lines = []
    for mode, words in _MODES[:2]:
        seen = one[mode]
        lines.append(
            reached(f"frames a second, {words}", seen["frames"], Relation.AT_LEAST, _LEAST, "", told)
        )
        lines.append(
            reached(
                f"page's script, {words}", seen["script"], Relation.AT_MOST, _MOST_SCRIPT, "%",
                f"of one core; with layout and painting {seen['all']:.0f} %",
            )
        )  # fmt: skip
    pulse = one["pulse"]
    lines.append(compared("frames a second, the last pulse", f"{pulse['frames']:.0f}", "40 pulses a second"))
    late = pulse["late_ms"]
    lines.append(
        reached(
            "end of a phase -> drawn, 1x", late[-1] + one["round_ms"], Relation.AT_MOST, _MOST_DELAY_MS, "ms",
            f"worst of {len(late)} pulses, median {late[len(late) // 2] + one['round_ms']:.0f} ms; "
            f"{one['round_ms']:.1f} ms of each is a whole way to the server and back",
        )
    )  # fmt: skip
    elsewhere = one["elsewhere"]
    lines.append(
        reached(
            "requests to other hosts", len(elsewhere), Relation.AT_MOST, 0, "", ", ".join(elsewhere) or "none"
        )
    )
    return lines


PAGE_FRAMES = Row(
    "page-frames",
    "the page of `stimbench serve`: what it draws",
    lambda options: [(options.seed, _QUICK_S if options.quick else _S)],
    _work,
    _judge,
    weight=60,
    alone=True,
)
