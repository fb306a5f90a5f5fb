"""A served bench for each file of tests, whole again before each test; and rigs on it."""

from __future__ import annotations

import pytest
from support.wired_rig import Plug, WiredRig


@pytest.fixture(scope="module")
def served():
    plug = Plug()
    yield plug
    plug.close()


@pytest.fixture
def plug(served):
    def mended():
        served.hands.do("mend")
        served.hands.do("magnet", {"state": "off"})
        served.bench.board("stimulator").power_on()

    if not served.ports:
        served.plug()
    served.do(mended)
    return served


@pytest.fixture
def wired(plug, tmp_path):
    """Makes rigs: `wired(bench_toml(...), person=...)`."""

    def make(text: str = "", person=None) -> WiredRig:
        return WiredRig(plug, tmp_path / "locks", text, person)

    return make
