"""Every test here runs the firmware of an implanted stimulator on an emulated bench.

One that begins with the usual implant goes on in a copy of this process: it boots once for all of them.
"""

from functools import cache

import pytest
from support.branches import branch
from support.implant_bench import ImplantBench


@cache
def booted() -> ImplantBench:
    """Never run again here: only in copies."""
    return ImplantBench().begin()


@pytest.fixture
def implant():
    """An implant with a prescription, which knows the time and is ready."""
    return booted()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "implant" not in pyfuncitem.fixturenames:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    branch(lambda: pyfuncitem.obj(**arguments) and None)
    return True
