"""What the documentation shows of the firmware's tables is what the firmware has."""

import pytest
from stimbench.docs_tables.command import TABLES
from stimbench.docs_tables.markers import filled
from stimbench.project import find_project_root

TEXT = "a\n<!-- x: made by `python -m stimbench.docs_tables` -->\nold\n<!-- end of x -->\nb\n"


@pytest.mark.parametrize(("name", "marker", "make"), TABLES, ids=[marker for _, marker, _ in TABLES])
def test_it_is_up_to_date(name, marker, make):
    text = (find_project_root() / name).read_text()
    assert filled(text, marker, make()) == text, "run: .venv/bin/python -m stimbench.docs_tables"


def test_only_what_is_between_the_comments_is_made():
    once = filled(TEXT, "x", "new\n")
    assert once == TEXT.replace("old", "\nnew\n") and filled(once, "x", "new") == once


@pytest.mark.parametrize("text", ["", TEXT + TEXT, TEXT.replace("end of x", "end of y")])
def test_comments_that_are_not_there_once_are_an_error(text):
    with pytest.raises(ValueError, match="around x"):
        filled(text, "x", "new")
