"""What holds for the whole tree: the path to `support`, the target, and Hypothesis alike everywhere."""

import pytest
from hypothesis import settings
from support import device
from support.device import idle_heap  # noqa: F401

settings.register_profile("stimbench", deadline=None, derandomize=True)
settings.load_profile("stimbench")


def pytest_configure(config):
    config.addinivalue_line("markers", "bench(**fields): BenchConfig of the test's own emulated bench")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    device.deselect_what_needs_the_emulator(config, items)


def pytest_report_collectionfinish(config):
    return device.deselection_report(config)
