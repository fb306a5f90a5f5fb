"""On which line of a TOML text each of its keys stands."""

from __future__ import annotations

import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.rig.toml_lines import Lines

TEXT = '''# a comment with [brackets] and = signs
name = "x"   # ["not", "a", "table]

[program]
width_us = 214  # ]
left.amplitude_ua = 2000
"quoted key" = 1
'literal' = """a string
[program]
width_us = 5
"""
list = [  # [
    "a]",   # it's "one [
    "b",
]
after = { one = 1, two = [ 2, 3 ] }

[loads."500 ohm"]
resistance_ohm = 500
[ loads . saline ]   # spaces
resistance_ohm = 1

[[matrix]]
name = "a"
text = \'\'\'
[[matrix]]
\'\'\'
[matrix.limits]
width_ns = 8
[[matrix]]
name = "b"
[[matrix.inner]]
x = 1
[[matrix.inner]]
x = 2
[matrix.inner.deep]
y = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("program",), 4),
        (("program", "width_us"), 5),
        (("program", "left", "amplitude_ua"), 6),
        (("program", "left"), 6),
        (("program", "quoted key"), 7),
        (("program", "literal"), 8),
        (("program", "list"), 12),
        (("program", "after"), 16),
        (("program", "after", "two"), 16),
        (("loads", "500 ohm"), 18),
        (("loads", "500 ohm", "resistance_ohm"), 19),
        (("loads", "saline"), 20),
        (("loads", "saline", "resistance_ohm"), 21),
        (("matrix", 0), 23),
        (("matrix", 0, "name"), 24),
        (("matrix", 0, "text"), 25),
        (("matrix", 0, "limits"), 28),
        (("matrix", 0, "limits", "width_ns"), 29),
        (("matrix", 1), 30),
        (("matrix", 1, "name"), 31),
        (("matrix", 1, "inner", 0, "x"), 33),
        (("matrix", 1, "inner", 1, "x"), 35),
        (("matrix", 1, "inner", 1, "deep", "y"), 37),
        # What is not there stands where it should: at the nearest table around it.
        (("matrix", 1, "width_us"), 30),
        (("program", "list", 0), 12),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_the_line_of_a_key(path, line):
    assert Lines(TEXT).of(path) == line


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_line_ends_and_characters_that_look_like_some(end):
    text = end.join(["# \N{LINE SEPARATOR} and \x85", 'a = "\N{PARAGRAPH SEPARATOR}"', "b = 2"])
    assert tomllib.loads(text)["b"] == 2
    assert Lines(text).of(("b",)) == 3


def test_a_quoted_table_may_have_brackets_and_dots():
    text = '["a[b].c"]\nx = 1\n[a."]".b]\ny = 2\n["with \\" quote"]\nz = 3\n'
    assert tomllib.loads(text)["a[b].c"] == {"x": 1}
    lines = Lines(text)
    assert lines.of(("a[b].c", "x")) == 2
    assert lines.of(("a", "]", "b", "y")) == 4
    assert lines.of(('with " quote', "z")) == 6


def test_a_multi_line_string_may_end_on_a_line_with_more():
    text = 'a = ["""x\n[y]""", 1,\n2]\nb = """\\\n  c = 1 \\"""\n\nd = 2"""\ne = 1\n'
    assert list(tomllib.loads(text)) == ["a", "b", "e"]
    lines = Lines(text)
    assert (lines.of(("a",)), lines.of(("b",)), lines.of(("e",))) == (1, 4, 8)
    # Up to two quotes may stand before the three that end it.
    for quote in "\"'":
        text = f"a = {3 * quote}x\ny{5 * quote}\nb = {3 * quote}{4 * quote}\nc = 1\n"
        assert tomllib.loads(text) == {"a": f"x\ny{2 * quote}", "b": quote, "c": 1}
        assert [Lines(text).of((name,)) for name in "abc"] == [1, 3, 4]


keys = st.one_of(
    st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True),
    st.text("ab .#[]='\"\\=,", min_size=1, max_size=4),
)
scalars = st.one_of(
    st.integers(-99, 99), st.booleans(), st.text("ab#[]{}='\", \n\\", max_size=8), st.floats(-5, 5)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
tables = st.recursive(
    st.dictionaries(keys, values, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        keys, st.one_of(values, inner, st.lists(inner, min_size=1, max_size=2)), min_size=1, max_size=3
    ),
    max_leaves=6,
)


def paths_of(tree, path=()):
    """Every key of a tree, but for those in arrays of plain values."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            yield from paths_of(value, (*path, key))


@settings(max_examples=80)
@given(tables)
def test_the_line_of_every_key_of_any_text_holds_the_key(tree):
    text = tomlkit.dumps(tree)
    assert tomllib.loads(text) == tree
    lines, rows = Lines(text), text.split("\n")
    for path in paths_of(tree):
        name = next(part for part in reversed(path) if isinstance(part, str))
        row = rows[lines.of(path) - 1]
        assert name in row or tomlkit.key(name).as_string() in row, (path, row, text)
