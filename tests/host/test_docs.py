"""The tables of the documentation that come from code are up to date."""

import pytest
from stimbench import docs


def test_the_tables_of_requests_are_up_to_date():
    page = docs.PAGE.read_text(encoding="utf-8")
    assert docs.rewritten(page) == page, "run `make docs`"


def test_an_old_table_is_replaced_and_the_rest_stays():
    page = docs.PAGE.read_text(encoding="utf-8")
    assert "| AMPLITUDE | 0x0D | stimulator | left_ua u16, right_ua u16 | | |" in page
    assert docs.rewritten(page.replace("left_ua u16", "left_ua u8")) == page
    assert docs.rewritten("before\n" + page + "after\n") == "before\n" + page + "after\n"


def test_a_page_without_the_comments_is_refused():
    with pytest.raises(ValueError, match="no place for the table requests"):
        docs.rewritten("nothing")
