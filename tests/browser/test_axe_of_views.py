"""axe-core finds nothing in Leads, Boards and Break it, in both themes, with something in them to look at."""

import pytest
from playwright.sync_api import expect
from stimbench.project import find_project_root

pytestmark = pytest.mark.emulated

AXE = "build/web/node_modules/axe-core/axe.min.js"


def test_no_findings(opened):
    opened.evaluate("stimbench.bench.do('faults-break', {part: 'left.0', fault: 'open'})")
    opened.evaluate((find_project_root() / AXE).read_text(encoding="utf-8"))
    for name in ("Boards", "Break it", "Leads"):
        opened.get_by_role("tab", name=name).click()
        if name == "Leads":
            opened.get_by_role("button", name="Measure all 24 pairs").click()
            expect(opened.locator("#leads-measured")).to_contain_text("Measured by the board")
        for theme in ("light", "dark"):
            opened.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            found = opened.evaluate("axe.run('#panel', {preload: false})")["violations"]
            assert not found, [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
