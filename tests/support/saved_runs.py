"""Runs to be saved, without an emulator: a record of noise, and what is read back from a page."""

import base64
import json
import re
import zlib

import numpy as np
from stimbench.web.history import entries_of, patched
from stimbench.web.record import MEASURED, QUANTITIES, Record
from stimbench.web.run_file import Run
from stimbench.web.saved_run import SavedRun, unpacked

NO_TABLE = {"views": [], "actions": {}, "about": {}}
_BLOCK = re.compile(
    r'<script type="application/octet-stream" class="block" data-name="([^"]+)" '
    r'data-form="([^"]+)" data-count="(\d+)">([^<]*)</script>'
)
_ABOUT = re.compile(r'<script type="application/json" id="saved-about">([^<]*)</script>')


def noisy_record(seed, points=40_000, pulses=700, end_ns=40_000_000_000):
    """Lines of random points, jumps among them, and pulses that do not touch each other."""
    random, record = np.random.default_rng(seed), Record()
    for lead in record.leads.values():
        for quantity in QUANTITIES:
            times = np.sort(random.integers(0, end_ns, points))
            times[1::7] = times[:-1:7][: len(times[1::7])]  # jumps
            times = np.sort(np.append(times, (0, end_ns)))
            lead.lines[quantity].extend(times, random.normal(0, 900, len(times)).astype(np.float32))
        rows = np.zeros(pulses, MEASURED)
        rows["start_ns"] = np.sort(random.choice(end_ns // 2_000_000 - 1, pulses, replace=False)) * 2_000_000
        rows["period_ns"][1:] = np.diff(rows["start_ns"])
        for name in ("cathodic_ns", "anodic_ns"):
            rows[name] = random.integers(20_000, 900_000, pulses)
        rows["gap_ns"] = random.integers(-1, 100_000, pulses)
        for name in ("cathodic_ua", "anodic_ua", "cathodic_nc", "anodic_nc"):
            rows[name] = random.normal(0, 2000, pulses).astype(np.float32)
        lead._pulses.extend(rows)
    record.end_ns = end_ns
    return record


def saved_of(record, run=None, states=(), table=None, firmware=None):
    """A run of a record."""
    return SavedRun.of(run or Run(), record, list(states), table or NO_TABLE, firmware or {})


def states_of(packed):
    """Whole states, [t_ns, state], of History.packed."""
    found = []
    for chunk in map(entries_of, packed):
        for k, (t_ns, told) in enumerate(chunk):
            found.append((t_ns, patched(found[-1][1], told) if k else told))
    return found


def about_of(page):
    """The readable part of a page's bytes."""
    (text,) = _ABOUT.findall(page.decode())
    return json.loads(text)


def blocks_of(page):
    """The large parts of a page's bytes, by name."""
    found = {}
    for name, form, count, text in _BLOCK.findall(page.decode()):
        data = base64.b64decode(text, validate=True)
        if form == "json":
            found[name] = json.loads(zlib.decompress(data))
            assert len(zlib.decompress(data)) == int(count)
        else:
            found[name] = unpacked(form, int(count), data)
    return found
