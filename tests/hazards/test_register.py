"""docs/hazards.toml is sound, and what is wrong with a register is told."""

import pytest
from stimbench.errors import InputError
from stimbench.hazards.register import HAZARDS_FILE, KINDS, SEVERITIES, Control, Hazard, Register, load
from stimbench.project import find_project_root

ROOT = find_project_root()
HAZARD = """
[[hazard]]
id = "H-01"
title = "Loud"
harm = "pain"
cause = "much current"
severity = "serious"
controls = ["C-01"]
"""
CONTROL = '\n[[control]]\nid = "C-01"\nkind = "design"\ndoes = "less"\n'


def written(tmp_path, text):
    path = tmp_path / "hazards.toml"
    path.write_text(text, encoding="utf-8")
    return path


def hazard(name="H-01", controls=("C-01",)):
    return Hazard(name, "t", "h", "c", "minor", controls)


def control(name="C-01", planned=False):
    return Control(name, "design", "does", planned)


def test_the_projects_own_register_is_sound():
    register = load(ROOT / HAZARDS_FILE)
    assert register.problems() == [] and len(register.hazards) >= 30 and len(register.controls) >= 60
    numbers = [int(one.id[2:]) for one in register.hazards]
    assert numbers == list(range(1, len(numbers) + 1)), "nobody looks for a number that never was"
    assert sorted(int(one.id[2:]) for one in register.controls) == list(range(1, len(register.controls) + 1))


def test_a_register_is_read_as_it_is_written(tmp_path):
    register = load(written(tmp_path, HAZARD + 'left = "some"\n' + CONTROL + 'status = "planned"\n'))
    assert register.hazards == (
        Hazard("H-01", "Loud", "pain", "much current", "serious", ("C-01",), "some"),
    )
    assert register.controls == (Control("C-01", "design", "less", True),)
    assert register.hazards_of("C-01") == ["H-01"] and register.known["C-01"].does == "less"


@pytest.mark.parametrize(
    ("register", "problem"),
    [
        (Register((hazard(controls=()),), ()), "H-01: a hazard without a control"),
        (Register((hazard(),), ()), "H-01: its control C-01 does not exist"),
        (Register((), (control(),)), "C-01: no hazard needs this control"),
        (Register((hazard(), hazard()), (control(),)), "H-01: there are 2 of this id"),
        (Register((hazard(),), (control(), control())), "C-01: there are 2 of this id"),
    ],
    ids=["hazard alone", "unknown control", "orphan", "hazard twice", "control twice"],
)
def test_what_is_wrong_with_a_register_is_told(register, problem):
    assert register.problems() == [problem]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('harm = "pain"', "", "H-01: harm is missing"),
        ('controls = ["C-01"]', "", "H-01: controls is missing"),
        ('controls = ["C-01"]', 'controls = "C-01"', "controls is a list of ids"),
        ('severity = "serious"', 'severity = "bad"', "severity is 'bad', not one of negligible, minor"),
        ('id = "H-01"', 'id = "H-1"', "H-1: an id looks like H-00"),
        ('id = "H-01"', "", "an entry without an id"),
        ('title = "Loud"', 'title = "Loud"\nlikelihood = "low"', "nobody knows 'likelihood'"),
        ('kind = "design"', 'kind = "hope"', "kind is 'hope', not one of design, protection, information"),
        ('does = "less"', "", "C-01: does is missing"),
        ('does = "less"', 'does = "less"\nstatus = "done"', "status is 'done', not one of planned"),
        ("[[control]]", "[[controls]]", "nobody knows a table 'controls'"),
        ('does = "less"', 'does = "less', "is no TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path, old, new, told):
    text = HAZARD + CONTROL
    assert text.count(old) == 1
    with pytest.raises(InputError) as raised:
        load(written(tmp_path, text.replace(old, new)))
    assert told in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none.toml")


def test_the_words_are_those_of_the_standard():
    assert SEVERITIES == ("negligible", "minor", "serious", "critical", "catastrophic")
    assert KINDS == ("design", "protection", "information")
