"""The marker `stimbench`, and the tests that the target cannot show."""

from __future__ import annotations

from typing import Any

import pytest

from stimbench.pytest_plugin.run import is_emulated, targets_of

__all__ = ("FIXTURES", "LACKING", "add_marker", "bench_fields", "ours", "skip_if_lacking")

LACKING = "stimbench: not run"
"""The property of a report that says why a test did not run."""

FIXTURES = {
    "bench": "bench",
    "capture": "capture",
    "device": "stimulator",
    "stimulator": "stimulator",
    "console_path": "stimulator",
    "remote": "remote",
}
"""What each fixture needs."""

_WHAT = {
    "bench": "faults and traces",
    "capture": "a capture",
    "power": "a switched supply",
    "radio": "a remote in radio contact",
}


def add_marker(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "stimbench(needs=(), **fields): what the target must have; fields of an emulated one's BenchConfig",
    )


def ours(item: pytest.Item) -> list[str]:
    """The fixtures of this plugin that a test uses; one of the same name elsewhere is not ours."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = info.name2fixturedefs if info else {}
    return [
        name
        for name in FIXTURES
        if name in definitions and definitions[name][-1].func.__module__.startswith("stimbench.pytest_plugin")
    ]


def bench_fields(item: pytest.Item) -> dict[str, Any]:
    """Fields of BenchConfig that the markers of a test name; the nearest one wins."""
    fields: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers("stimbench"))):
        fields.update(marker.kwargs)
    fields.pop("needs", None)
    return fields


def needed(item: pytest.Item) -> set[str]:
    """What a test needs of its target."""
    found = {FIXTURES[name] for name in ours(item)}
    for marker in item.iter_markers("stimbench"):
        needs = marker.kwargs.get("needs", ())
        found.update([needs] if isinstance(needs, str) else needs)
    return found


def skip_if_lacking(item: pytest.Item) -> None:
    """Skip a test if the targets lack what it needs, and note the reason for the summary.

    All targets of a run must have it: which of them a test meets is chance.
    """
    if is_emulated(item.config) and item.get_closest_marker("stimbench") is None:
        return
    wanted = needed(item)
    if not wanted:
        return
    for target in targets_of(item.config):
        lacking = sorted(wanted - target.capabilities)
        if lacking:
            what = " and ".join(_WHAT.get(word, word) for word in lacking)
            reason = f"{'the emulated bench' if target.is_emulated else target.name} has no {what}"
            item.user_properties.append((LACKING, reason))
            pytest.skip(f"stimbench: {reason}")
