"""Benches whose boards can be flashed."""

from __future__ import annotations

import pytest
from support.flashing import FlashBench


@pytest.fixture
def make(tmp_path):
    made = []

    def make(**fields) -> FlashBench:
        made.append(FlashBench(tmp_path, **fields))
        return made[-1]

    yield make
    for one in made:
        one.bench.close()


@pytest.fixture
def flash_bench(make) -> FlashBench:
    return make()
