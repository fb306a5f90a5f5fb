"""What a board says of itself."""

from stimfw.protocol import identity
from stimfw.version import VERSION


def test_an_identity_comes_back_in_its_parts():
    board, version, source_hash = identity.parse(identity.body("stimulator"))
    assert (board, version) == ("stimulator", VERSION)
    assert source_hash == "unfrozen"  # here; a built image has its hash


def test_what_is_no_identity_is_refused():
    for wrong in (b"", b"stimulator", b"a\0b", b"a\0b\0c\0d"):
        try:
            identity.parse(wrong)
        except ValueError:
            continue
        assert False, wrong  # noqa: B011


def test_the_version_is_three_numbers():
    assert [part.isdigit() for part in VERSION.split(".")] == [True] * 3
