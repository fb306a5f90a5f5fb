"""Colours and sizes of the wave pictures, and how they are written the same each time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

INK, MUTED = "#1f2933", "#8a94a0"
COLOURS = ("#0b6e99", "#c4572a", "#5b7f24", "#7a4a9e", "#a07d12", "#3b3f46")
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "stimbench",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 1.2,
    }
)


def canvas(columns: int, title: str) -> tuple[Any, Any]:
    """A row of axes under one title."""
    figure, axes = plt.subplots(1, columns, figsize=(3.6 * columns, 2.9), constrained_layout=True)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure, axes if columns > 1 else [axes]


def save(figure: Any, path: Path) -> None:
    """Writes the figure without a date."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    path.write_text(text, encoding="utf-8")
