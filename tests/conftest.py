"""What holds for the whole tree: the path to `support`, the target, and Hypothesis alike everywhere."""

import signal

import pytest
from hypothesis import settings
from support import targets
from support.browser import browser  # noqa: F401
from support.device import idle_heap  # noqa: F401
from support.stack_room import room_on_each_stack  # noqa: F401

settings.register_profile("stimbench", deadline=None, derandomize=True)
settings.load_profile("stimbench")


def pytest_addoption(parser):
    targets.add_option(parser)


def pytest_configure(config):
    config.addinivalue_line("markers", "bench(**fields): BenchConfig of the test's own emulated bench")
    targets.choose(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    return len(targets.choose(config)) or None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts it in the background like that
        signal.signal(signal.SIGINT, signal.default_int_handler)  # and what a test starts would inherit it
    targets.take_boards(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    targets.leave_boards(session.config)


def pytest_itemcollected(item):
    """Each control that a test shows becomes a property of it in JUnit XML: `stimbench hazards check`."""
    shown = {control for mark in item.iter_markers("control") for control in mark.args}
    item.user_properties += [("control", control) for control in sorted(shown)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    targets.deselect(config, items)


def pytest_report_collectionfinish(config):
    return targets.deselection_report(config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    targets.take_from_worker(node.config, getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter):
    if terminalreporter.config.getoption("numprocesses", None):  # the processes collected, and told nobody
        for line in targets.deselection_report(terminalreporter.config):
            terminalreporter.line(line)
