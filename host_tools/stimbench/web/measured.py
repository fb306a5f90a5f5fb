"""What the record keeps of a pulse."""

from __future__ import annotations

import numpy as np

__all__ = ("LEADS", "MEASURED", "QUANTITIES")

LEADS = ("left", "right")
QUANTITIES = ("current", "voltage")
MEASURED = np.dtype(
    [
        ("start_ns", np.int64),
        ("cathodic_ns", np.int32),
        ("gap_ns", np.int32),
        ("anodic_ns", np.int32),
        ("period_ns", np.int64),
        ("cathodic_ua", np.float32),
        ("anodic_ua", np.float32),
        ("cathodic_nc", np.float32),
        ("anodic_nc", np.float32),
    ]
)
"""One pulse, of stimbench.analysis.PULSE and SHAPE. `period_ns` is 0 for the first one of a run or a capture;
what was not measured of the current is NaN."""
