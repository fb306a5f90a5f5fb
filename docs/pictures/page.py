"""Write docs/pictures/page/*.png, each view of `stimbench serve` while a session runs: `make screenshots`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

FOLDER = Path(__file__).parent / "page"
SIZE = {"width": 1280, "height": 900}
WAIT_MS = 60_000
DARK = "Boards"
"""This view is shown in the dark theme, the others in the light one."""


def begin(page: Page) -> None:
    """A session with 2 mA on both leads, in its hold."""
    page.get_by_role("tab", name="Clinician").click()
    page.get_by_role("button", name="Start a session").click()
    for lead in ("left", "right"):
        expect(page.locator(f"#scope-{lead}-width")).to_have_text("214.000 µs")
    expect(page.locator("#stimulator-state")).to_contain_text("hold")


def shoot(page: Page) -> None:
    """A picture of each view."""
    for tab in page.get_by_role("tab").all():
        name = tab.inner_text()
        page.emulate_media(color_scheme="dark" if name == DARK else "light")
        tab.click()
        page.mouse.move(0, 0)
        page.screenshot(path=FOLDER / f"{name.lower().replace(' ', '-')}.png")
        print(f"docs/pictures/page/{name.lower().replace(' ', '-')}.png")


def shoot_saved(page: Page, folder: Path) -> None:
    """A picture of the run as a saved page, opened from a disk."""
    page.get_by_role("tab", name="Run").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save this run as a page").click()
    waiting.value.save_as(folder / "run.html")
    page.goto(f"file://{folder / 'run.html'}")
    page.get_by_role("tab", name="Run").click()
    page.mouse.move(0, 0)
    page.screenshot(path=FOLDER / "saved.png")
    print("docs/pictures/page/saved.png")


def main() -> None:
    """Serve a bench of this run's own, and look at it."""
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=WAIT_MS)
    with tempfile.TemporaryDirectory() as runtime, sync_playwright() as playwright:
        server = subprocess.Popen(
            [sys.executable, "-m", "stimbench", "serve", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"XDG_RUNTIME_DIR": runtime},
        )
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            path = shutil.which("chromium-headless-shell")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)
            page.goto(url)
            begin(page)
            shoot(page)
            shoot_saved(page, Path(runtime))
            browser.close()
        finally:
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    main()
