"""The root's list of commands is right although nothing of them is imported for it."""

from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

import pytest
import typer
from stimbench.cli.lazy import Entry, LazyGroup
from stimbench.cli.main import COMMANDS, app
from typer.main import get_command
from typer.testing import CliRunner

LIBRARIES = ("numpy", "serial", "pydantic", "cryptography", "matplotlib", "rp2040py")
HEAVY = (*LIBRARIES, "stimbench.bench", "stimbench.client")
LOADED = """
import sys
from stimbench.cli.main import app
try:
    app()
except SystemExit:
    pass
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def loaded_by(*words: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", LOADED, *words], capture_output=True, text=True, timeout=60)
    assert "Usage" in done.stdout
    return set(done.stderr.split())


def first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_listed_text_is_the_commands_own(name: str) -> None:
    loaded = get_command(app).commands[name]
    assert loaded.name == name
    assert COMMANDS[name].help == first_paragraph(loaded.help)


def test_help_lists_every_command_and_imports_none() -> None:
    loaded = loaded_by("--help")
    assert not [name for name in HEAVY if name in loaded]
    commands = {entry.target.split(":")[0] for entry in COMMANDS.values()}
    assert not commands & loaded
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert all(f"│ {name} " in shown and COMMANDS[name].help in shown for name in COMMANDS)


def test_help_of_one_command_imports_that_one() -> None:
    loaded = loaded_by("program", "--help")
    assert "stimbench.cli.program" in loaded and "stimbench.cli.status" not in loaded


def test_a_typing_error_suggests_the_right_name() -> None:
    done = CliRunner().invoke(app, ["impedence"])
    assert done.exit_code == 2 and "Did you mean 'impedance'?" in done.output


def test_a_shell_completes_names_with_their_texts() -> None:
    fish = {"_STIMBENCH_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    typed = {**fish, "_TYPER_COMPLETE_ARGS": "stimbench impe"}
    done = CliRunner().invoke(app, env=typed, prog_name="stimbench")
    assert done.output == "impedance\tMeasure every electrode pair of both leads.\n"


def test_commands_added_in_the_usual_way_stay() -> None:
    class Group(LazyGroup):
        table: ClassVar = {"demo": Entry("stimbench.cli.demo:demo", "of the table")}

    mixed = typer.Typer(cls=Group)

    @mixed.command("usual")
    def usual() -> None:
        """Says hello."""
        typer.echo("hello")

    mixed.callback()(lambda: None)
    assert CliRunner().invoke(mixed, ["usual"]).output == "hello\n"
    shown = CliRunner().invoke(mixed, ["--help"]).output
    assert "of the table" in shown and "Says hello." in shown
