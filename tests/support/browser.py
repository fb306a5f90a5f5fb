"""Debian's Chromium, for tests of pages."""

import shutil

import pytest

BROWSER = "chromium-headless-shell"


@pytest.fixture(scope="module")
def browser():
    path = shutil.which(BROWSER)
    if path is None:
        pytest.fail(f"{BROWSER} is not installed, which these tests need: run 'make setup'.", pytrace=False)
    from playwright.sync_api import sync_playwright  # every test process loads this file

    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to run as root.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()
