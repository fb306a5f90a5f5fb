"""axe-core on a page as it is now, in both themes."""

from stimbench.project import find_project_root

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def findings_in_both_themes(page):
    """What axe-core finds: rule and elements."""
    page.evaluate((find_project_root() / "build/web/node_modules/axe-core/axe.min.js").read_text("utf-8"))
    found = []
    for _ in range(2):
        page.get_by_role("button", name="Dark").click()
        told = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)
        found += [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in told["violations"]]
    return found
