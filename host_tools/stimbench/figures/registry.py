"""Every row of the benchmark, in the order of the table."""

from __future__ import annotations

from stimbench.figures import (
    cores,
    current,
    hanging,
    impedance,
    naive,
    quiet,
    resources,
    speed,
    stopping,
    telemetry_attacks,
    telemetry_flood,
    telemetry_forgery,
    telemetry_heap,
    telemetry_loss,
    telemetry_modem,
    telemetry_pairing,
    telemetry_reply,
    telemetry_stop,
    timing,
)
from stimbench.figures.model import Row

__all__ = ("ROWS", "chosen")

ROWS: tuple[Row, ...] = (
    timing.TIMING,
    current.AMPLITUDE,
    current.NET_DC,
    impedance.IMPEDANCE,
    stopping.STOP,
    stopping.MAGNET,
    hanging.HANG,
    quiet.QUIET,
    resources.READY,
    resources.HEAP,
    resources.CPU,
    telemetry_reply.REPLY,
    telemetry_stop.STOP_RADIO,
    telemetry_pairing.PAIRING,
    telemetry_loss.LOSS,
    telemetry_forgery.FORGERY,
    telemetry_flood.FLOOD,
    telemetry_attacks.ATTACK_SUITE,
    telemetry_heap.HEAP_CHANNEL,
    telemetry_modem.MODEM,
    cores.COMPARISONS,
    speed.SPEED,
    cores.RATIOS,
    naive.NAIVE,
)


def chosen(names: list[str]) -> list[Row]:
    """The rows of these names, or all.

    Raises:
        ValueError: there is no such row.
    """
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            raise ValueError(f"There is no figure '{name}'; there are: {', '.join(known)}.")
    return [row for row in ROWS if not names or row.name in names]
