"""What the documents name exists, their links lead somewhere, and the listings for strangers run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TUTORIAL = sorted((DOCS / "tutorial").glob("*.md"))
PAGES = [*sorted([ROOT / "README.md", *DOCS.glob("*.md")]), *TUTORIAL]
"""Decisions are left out: they are never rewritten, so they name files as they were."""

LONGEST_LINE = 120
WIDEST_ROW = 150
"""On GitHub's page of 900 px a row of so many characters takes two lines."""
FOR_STRANGERS = ("README.md", "for-hardware.md", "for-test-benches.md", "for-educators.md")

PLACE = re.compile(r"`((?:boards|docs|firmware|host_tools|tests)/[A-Za-z0-9_./-]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def names_of(pages: list[Path]) -> list[str]:
    return [page.name for page in pages]


def headings_of(text: str) -> set[str]:
    """The anchors that a page offers, by GitHub's rule: lower case, no punctuation, dashes for spaces."""
    titles = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue  # elsewhere on the web: nobody asks the network here
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in headings_of(file.read_text(encoding="utf-8"))):
            yield target


def missing_places(text: str) -> list[str]:
    return [place for place in PLACE.findall(text) if not (ROOT / place).exists()]


def long_lines(text: str) -> list[int]:
    """Numbers of the lines that are too long. A row of a table may be: Markdown cannot wrap it."""
    lines = enumerate(text.splitlines(), 1)
    return [number for number, line in lines if len(line) > LONGEST_LINE and not line.startswith("|")]


def wide_rows(text: str) -> list[int]:
    """Numbers of the rows of tables that are too wide to read as a row, as a reader sees them."""
    shown = re.sub(r"\]\([^)]*\)|[`*\[]", "", FENCED.sub(lambda listing: "\n" * listing[0].count("\n"), text))
    lines = enumerate(shown.splitlines(), 1)
    return [number for number, line in lines if line.startswith("|") and len(line) > WIDEST_ROW]


LISTING = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
"""A listing and, if a block of text follows, what it prints. A `python fragment` is none: not whole."""


def listings(page: Path) -> list[tuple[str, str]]:
    return LISTING.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_relative_links_lead_to_a_file_and_its_heading(page):
    assert not list(broken_links(page))


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_every_named_file_and_folder_exists(page):
    assert not missing_places(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_lines_are_short_enough_to_read(page):
    assert not long_lines(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_rows_of_tables_are_narrow_enough_to_read(page):
    assert not wide_rows(page.read_text(encoding="utf-8"))


def test_a_stranger_finds_ten_things_by_one_file_each():
    text = (DOCS / "contributing.md").read_text(encoding="utf-8")
    section = text.split("## Where is ...?")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "`" in line]
    files = [PLACE.findall(row) for row in rows]
    assert len(rows) == 10
    assert all(len(found) == 1 and (ROOT / found[0]).is_file() for found in files)


def test_the_tree_in_contributing_names_folders_that_exist():
    text = (DOCS / "contributing.md").read_text(encoding="utf-8")
    tree = re.search(r"^```\n(firmware/.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert tree
    parent, checked = "", 0
    for line in tree.group(1).splitlines():
        words = re.split(r" {3,}", line.strip())[0].split()
        if not line.startswith(" "):
            parent = words[0]
        for word in words:
            folder = word if word == parent else parent + word
            assert list(ROOT.glob(folder.replace("<board>", "*"))), folder
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_pages_for_strangers_name_no_missing_target_of_make(name):
    page = next(page for page in PAGES if page.name == name)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = set(re.findall(r"^    make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert asked <= targets


def test_the_checks_notice_what_is_wrong(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One thing\n[a](no.md) [b](#one-thing) [c](#another) [d](page.md#one-thing)\n", "utf-8")
    assert list(broken_links(page)) == ["no.md", "#another"]
    assert missing_places("`tests/build/test_docs.py`, `tests/nothing.py`") == ["tests/nothing.py"]
    assert long_lines("short\n" + 121 * "x" + "\n| " + 200 * "x" + " |") == [2]
    assert wide_rows("```\n|\n```\n| [a](" + 200 * "x" + ") |\n| " + 150 * "x" + " |") == [5]


WITH_LISTINGS = [page for page in PAGES if listings(page) and page not in TUTORIAL]
"""The tutorial's listings run in tests/lessons, with what is measured and drawn from them."""


@pytest.mark.emulated
@pytest.mark.parametrize("page", WITH_LISTINGS, ids=names_of(WITH_LISTINGS))
def test_listings_run_as_they_stand_and_print_what_the_page_says(page, capsys, monkeypatch, tmp_path):
    (tmp_path / "build").mkdir()
    monkeypatch.chdir(tmp_path)  # what they write stays out of the tree
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # and a bench of somebody else is not seen
    for number, (listing, says) in enumerate(listings(page), 1):
        exec(compile(listing, f"{page.name}, listing {number}", "exec"), {})
        printed = capsys.readouterr().out
        assert printed == says, f"{page.name}, listing {number}"


def test_a_page_of_python_has_twenty_things_and_only_a_list_of_names_is_not_run():
    assert len(listings(DOCS / "python.md")) >= 20
    fragments = [page.name for page in PAGES if "```python fragment" in page.read_text(encoding="utf-8")]
    assert fragments == ["bench.md"]
