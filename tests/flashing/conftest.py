"""Benches whose boards can be flashed. A stimulator boots once; tests go on in copies of the process."""

from __future__ import annotations

import pytest
from support.branches import branch
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


@pytest.fixture(scope="session")
def _booted(tmp_path_factory):
    return FlashBench(tmp_path_factory.mktemp("disks"))


@pytest.fixture
def flash_bench(_booted) -> FlashBench:
    """A stimulator that has booted. No test runs it but in a copy of this process: see below."""
    return _booted


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "flash_bench" not in pyfuncitem.fixturenames:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    branch(lambda: pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}) and None)
    return True
