"""Servers of the page, and pages on them, in Debian's Chromium."""

import json
import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

SLOW_MS = 30_000
"""So long a condition may take on a busy machine; nothing waits for longer than it has to."""


class Served:
    """A server of its own process."""

    def __init__(self, process, url):
        self.process, self.url = process, url

    def end(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def serve(tmp_path):
    """Starts servers: `serve("--seed", "3")`; all end with the test."""
    started = []
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}  # where a server keeps its run

    def start(*arguments):
        words = [sys.executable, "-m", "stimbench", "serve", "--json", *arguments]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        served = Served(process, "")
        started.append(served)
        served.url = json.loads(process.stdout.readline())["url"]
        return served

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()
        one.process.stdout.close()


@pytest.fixture
def open_page(browser):
    """Opens pages, each in a browser of its own (cookies, storage), or with a `context`."""
    expect.set_options(timeout=SLOW_MS)
    contexts = []

    def open_one(url, context=None, **options):
        if context is None:
            context = browser.new_context(viewport={"width": 1400, "height": 900}, **options)
            contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def opened(serve, open_page):
    """A page on a server of its own, whose bench is ready."""
    page = open_page(serve().url)
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    return page
