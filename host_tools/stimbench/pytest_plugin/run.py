"""What a run of pytest has: its targets, and the one that this process holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from stimbench.pytest_plugin.options import EMULATED, targets_file

if TYPE_CHECKING:
    from stimbench.devices.claims import TargetPool
    from stimbench.devices.targets import Target

__all__ = (
    "begin",
    "choose_targets",
    "claimed",
    "end",
    "is_emulated",
    "pool_of",
    "targets_of",
    "worker_count",
)

_TARGETS = pytest.StashKey["tuple[Target, ...]"]()
_POOL = pytest.StashKey["TargetPool"]()


def is_emulated(config: pytest.Config) -> bool:
    """Whether each test has an emulated bench of its own; costs nothing to ask."""
    return bool(config.getoption("stimbench_target") == EMULATED)


def ports_of_this_machine() -> Sequence[Any]:
    """As pyserial lists them."""
    import serial.tools.list_ports  # type: ignore[import-untyped, unused-ignore]

    found: Sequence[Any] = serial.tools.list_ports.comports()
    return found


def targets_of(config: pytest.Config) -> tuple[Target, ...]:
    """The targets of the run.

    Raises:
        pytest.UsageError: the option or the file makes no sense.
    """
    if _TARGETS not in config.stash:
        from stimbench.devices.targets import emulated_target, read_targets, resolve
        from stimbench.errors import StimbenchError

        if is_emulated(config):
            found: tuple[Target, ...] = (emulated_target(),)
        else:
            path = targets_file(config)
            try:
                known = read_targets(path) if path else ()
                found = resolve(config.getoption("stimbench_target"), known, ports_of_this_machine())
            except StimbenchError as error:
                raise pytest.UsageError(f"--stimbench-target: {error} No test was run.") from error
        config.stash[_TARGETS] = found
    return config.stash[_TARGETS]


def worker_count(config: pytest.Config) -> int | None:
    """How many processes `-n auto` means; None if that does not hang on boards."""
    return None if is_emulated(config) else len(targets_of(config))


def begin(config: pytest.Config) -> None:
    """At the start of a session.

    Raises:
        pytest.UsageError: there are more processes than targets, or the targets cannot be had.
    """
    if is_emulated(config) or config.option.collectonly:
        return
    targets = targets_of(config)
    workers = config.getoption("numprocesses", None) or 0
    if workers > len(targets):
        boards = "one board" if len(targets) == 1 else f"{len(targets)} boards"
        raise pytest.UsageError(
            f"{workers} processes share {boards}: give -n {len(targets)}. No test was run."
        )
    _open_pool(config, targets)


def _open_pool(config: pytest.Config, targets: Sequence[Target]) -> None:
    """A process of pytest-xdist begins with the target of its number.

    The number is this run's own: a run that a test of another one starts inherits that one's
    PYTEST_XDIST_WORKER, and is no worker of it.
    """
    from stimbench.devices.claims import TargetPool

    of_xdist = getattr(config, "workerinput", {})
    worker = of_xdist.get("workerid", "gw0").removeprefix("gw")
    config.stash[_POOL] = TargetPool(targets, ports_of_this_machine, first=int(worker))


def choose_targets(config: pytest.Config, targets: Sequence[Target]) -> None:
    """Take these instead of those that the options name; before the session starts."""
    config.stash[_TARGETS] = tuple(targets)
    config.option.stimbench_target = ",".join(target.name for target in targets)


def pool_of(config: pytest.Config) -> TargetPool | None:
    """The wired targets of this process; None if it has none."""
    return config.stash.get(_POOL, None)


def claimed(config: pytest.Config) -> Target:
    """The target that this process holds, with its ports as they are now.

    Raises:
        BoardLostError: none is left.
        PortError: none can be had.
    """
    pool = pool_of(config)
    if pool is None:
        raise RuntimeError("the run has no wired target")
    return pool.claim()


def end(config: pytest.Config) -> None:
    """At the end of a session."""
    pool = pool_of(config)
    if pool is not None:
        pool.release()
