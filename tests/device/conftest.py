"""Every test here runs on a board, and its heap is checked afterwards."""

import pytest
from support import device
from support.device import _switched_on, bench, board, heap_in_contact, peer, remote  # noqa: F401
from support.dut import console_path, dut, serial  # noqa: F401


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return device.call(pyfuncitem)
