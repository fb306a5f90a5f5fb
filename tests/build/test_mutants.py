"""The tables of `make mutants`, and its sums. The run itself takes too long to be one of the tests."""

import pytest
from mutants import explained, sessions
from mutants.__main__ import report
from mutants.sessions import Mutant, tidy

FIRMWARE = sessions.ROOT / "firmware" / "stimfw"
PURE = (
    "clock",
    "crypto",
    "pairing",
    "protocol",
    "pulses",
    "storage",
    "telemetry",
    "therapy",
    "ui",
)
LEFT_OUT = {"ui/feedback", "ui/therapy_feedback", "storage/unavailable"}
"""Lights and sounds, and a record that refuses everything."""

ENTRY = explained.Entry("logic/a", "x = 1", ("x = 2", "x = 0"), "why")
KILLED = Mutant("", "y = 1", "y = 2", True)
SURVIVOR = Mutant("f", "x = 1", "x = 2", False)


def test_every_pure_module_is_in_the_table_or_left_out_by_name():
    pure = {f"{package}/{path.stem}" for package in PURE for path in (FIRMWARE / package).glob("*.py")}
    pure -= {f"{package}/__init__" for package in PURE}
    assert set(sessions.modules()) | LEFT_OUT == pure and not set(sessions.modules()) & LEFT_OUT


@pytest.mark.parametrize(("module", "tests"), sessions.modules().items())
def test_the_test_files_of_a_module_exist(module, tests):
    assert tests and len(set(tests)) == len(tests)
    assert all(sessions.test_file(name).is_file() for name in tests)


def test_every_explanation_has_a_reason_and_a_line_that_is_still_there():
    sources = {module: sessions.source_of(module) for module in sessions.modules()}
    texts = {module: tidy(path.read_text(encoding="utf-8")) for module, path in sources.items()}
    for entry in explained.entries():
        assert entry.reason.strip() and entry.becomes, entry
        module_texts = texts.values() if entry.module == "*" else [texts[entry.module]]
        assert any(entry.line in text for text in module_texts), entry


def test_no_mutant_is_explained_twice():
    seen = [(e.module, e.within, e.line, text) for e in explained.entries() for text in e.becomes]
    assert len(set(seen)) == len(seen)


def test_a_survivor_is_explained_by_its_own_entry_only():
    for mutant, is_explained in (
        (SURVIVOR, True),
        (Mutant("f", "x = 1", "x = 3", False), False),
        (Mutant("f", "x = 10", "x = 2", False), False),
    ):
        tally = explained.judge("logic/a", [KILLED, mutant], [ENTRY])
        assert (tally.mutants, tally.killed, tally.explained) == (2, 1, int(is_explained))
        assert tally.open == ([] if is_explained else [mutant])
    assert explained.judge("logic/b", [SURVIVOR], [ENTRY]).share == 0
    assert explained.judge("logic/a", [SURVIVOR], [ENTRY]).share == 1


def test_an_entry_that_no_survivor_needs_is_stale():
    killed = Mutant("f", "x = 1", "x = 0", True)
    assert explained.stale({"logic/a": [SURVIVOR, killed]}, [ENTRY]) == [(ENTRY, "x = 0")]
    assert explained.stale({"logic/b": []}, [ENTRY]) == [], "its module was not run"


def test_stale_low_and_missing_fail(capsys):
    good = explained.Tally("logic/a", 100, 95, 0, [SURVIVOR] * 5)
    assert report([good], [], []) == 0
    assert report([good], [(ENTRY, "x = 0")], []) == 1
    assert report([good], [], ["logic/b"]) == 1
    assert report([explained.Tally("logic/a", 100, 94, 0, [SURVIVOR] * 6)], [], []) == 1
    printed = capsys.readouterr().out
    assert "stale: logic/a" in printed and "below 95%: logic/a" in printed and "open: logic/a f" in printed


def test_a_diff_is_read_as_the_line_before_and_after():
    diff = "--- mutation diff ---\n--- a/m.py\n+++ b/m.py\n@@ @@\n def f():\n-    x = 1\n+    x =  2\n"
    assert sessions.changed(diff) == ("x = 1", "x = 2")
