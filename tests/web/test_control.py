"""Who holds the controls."""

import pytest
from stimbench.bench.actions import ActionError
from stimbench.web.control import Controls


@pytest.fixture
def controls():
    made = Controls(grace_s=3.0)
    made.came(1, "key-one", 0.0)
    made.came(2, "key-two", 0.0)
    return made


def test_the_first_page_holds_them(controls):
    assert controls.holder == 1
    controls.require(1)
    with pytest.raises(ActionError, match="You look on: viewer 1 holds the controls"):
        controls.require(2)


def test_they_are_asked_for_and_given(controls):
    controls.ask(2)
    controls.ask(2)
    controls.ask(1)
    assert controls.asking == [2]
    controls.give(1, 2)
    assert (controls.holder, controls.asking) == (2, [])
    controls.require(2)


def test_only_the_holder_gives_and_refuses(controls):
    controls.ask(2)
    for verb in (controls.give, controls.refuse):
        with pytest.raises(ActionError, match="You look on"):
            verb(2, 2)
    assert (controls.holder, controls.asking) == (1, [2])
    controls.refuse(1, 2)
    assert (controls.holder, controls.asking) == (1, [])


def test_they_go_to_nobody_who_is_not_there(controls):
    with pytest.raises(ActionError, match="There is no viewer 9"):
        controls.give(1, 9)
    controls.went(2, 0.0)
    with pytest.raises(ActionError, match="There is no viewer 2"):
        controls.give(1, 2)
    assert controls.holder == 1


def test_nobody_takes_them_from_a_holder(controls):
    with pytest.raises(ActionError, match="Viewer 1 holds"):
        controls.take(2, 100.0)


def test_a_page_that_was_loaded_anew_has_them_again(controls):
    controls.went(1, 10.0)
    assert controls.holder is None
    with pytest.raises(ActionError, match="wait some seconds"):
        controls.take(2, 12.9)
    controls.came(3, "key-one", 12.9)
    assert controls.holder == 3


def test_after_the_grace_another_takes_them(controls):
    controls.went(1, 10.0)
    with pytest.raises(ActionError, match="Nobody holds"):
        controls.require(2)
    controls.take(2, 13.0)
    assert controls.holder == 2
    controls.came(3, "key-one", 13.1)
    assert controls.holder == 2


def test_a_page_that_comes_later_takes_them_if_nobody_has_them(controls):
    controls.went(1, 10.0)
    controls.came(3, "key-three", 11.0)
    assert controls.holder is None
    controls.came(4, "key-four", 13.0)
    assert controls.holder == 4


def test_who_asked_and_went_is_forgotten(controls):
    controls.ask(2)
    controls.went(2, 1.0)
    assert controls.asking == []


@pytest.fixture
def middle():
    """The third of five pages holds them; all others ask."""
    made = Controls(grace_s=3.0)
    for page, key in enumerate(("key-d", "key-b", "key-c", "key-e", "key-a"), 1):
        made.came(page, key, 0.0)
    made.give(1, 3)
    for page in (1, 2, 4, 5):
        made.ask(page)
    return made


def test_a_page_is_itself_alone(middle):
    middle.require(3)
    for page in (1, 2, 4, 5):
        with pytest.raises(ActionError, match="You look on"):
            middle.require(page)
        with pytest.raises(ActionError, match="Viewer 3 holds"):
            middle.take(page, 100.0)
    middle.ask(3)
    assert middle.asking == [1, 2, 4, 5]
    middle.refuse(3, 2)
    assert middle.asking == [1, 4, 5]
    for page in (1, 5):
        middle.went(page, 1.0)
    assert (middle.holder, middle.asking) == (3, [4])


def test_who_gets_them_asks_no_more(middle):
    middle.give(3, 4)
    assert (middle.holder, middle.asking) == (4, [1, 2, 5])


def test_they_wait_for_one_key_alone(middle):
    middle.went(3, 1.0)
    for page in (1, 2, 4, 5):  # with a lower key and with a higher one
        with pytest.raises(ActionError, match="wait some seconds"):
            middle.take(page, 3.9)
    middle.came(6, "key-c", 3.9)
    assert middle.holder == 6
    middle.went(6, 10.0)
    middle.take(2, 13.5)
    assert middle.holder == 2
