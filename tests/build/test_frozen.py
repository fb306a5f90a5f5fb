"""What a board freezes, and the hash that names it."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from stimbench.firmware_build import frozen
from stimbench.firmware_build.build import Layout, sources
from stimbench.firmware_build.errors import BuildError

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
COMMON_PACKAGES = (
    "clock",
    "crypto",
    "drivers",
    "pairing",
    "protocol",
    "pulses",
    "radio",
    "storage",
    "telemetry",
    "therapy",
    "ui",
)
"""Packages that both boards freeze."""
COMMON = {"modules/_boot.py": "", "modules/typing.py": "", "stimfw/__init__.py": "", "stimfw/version.py": ""}
COMMON |= {f"stimfw/{package}/__init__.py": "" for package in COMMON_PACKAGES}
SHARED = (
    "manifest_common.py", "sources.toml", "stimbench_common.cmake", "stimbench_common.h", "stimbench_port.h",
)  # fmt: skip
OWN = ("manifest.py", "mpconfigboard.cmake", "mpconfigboard.h", "pins.csv")
SMALL = {"main.py": "print(1)", "stimfw/therapy/x.py": "X = 1"}


def tree(folder: Path, files: dict[str, str]) -> list[Path]:
    """Writes files of a small firmware folder; returns their paths."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return [folder / name for name in files]


def manifest(board: str) -> Path:
    return ROOT / "boards" / f"STIMBENCH_{board.upper()}" / "manifest.py"


def test_hash_is_of_the_documented_form(tmp_path):
    files = tree(tmp_path, {"main.py": "a", "stimfw/therapy/x.py": "b"})
    expected = hashlib.sha256(b"main.py\0a\0stimfw/therapy/x.py\0b\0").hexdigest()[:12]
    assert frozen.source_hash(files, tmp_path) == expected


def test_hash_ignores_order_time_and_place(tmp_path):
    here = tree(tmp_path / "here", SMALL)
    there = tree(tmp_path / "there", SMALL)
    os.utime(there[0], (0, 0))
    digest = frozen.source_hash(here, tmp_path / "here")
    assert frozen.source_hash(there[::-1], tmp_path / "there") == digest


@pytest.mark.parametrize(
    "change",
    [
        {"main.py": "print(2)", "stimfw/therapy/x.py": "X = 1"},
        {"main.py": "print(1)", "stimfw/therapy/y.py": "X = 1"},
        {"main.py": "print(1)"},
        {"main.py": "X = 1", "stimfw/therapy/x.py": "print(1)"},
    ],
    ids=["contents", "name", "file gone", "contents swapped"],
)
def test_hash_changes_with_the_sources(tmp_path, change):
    before = tree(tmp_path / "before", SMALL)
    after = tree(tmp_path / "after", change)
    assert frozen.source_hash(before, tmp_path / "before") != frozen.source_hash(after, tmp_path / "after")


@pytest.mark.parametrize(("board", "other"), [("stimulator", "remote"), ("remote", "stimulator")])
def test_board_freezes_what_it_runs_and_nothing_of_the_other(board, other):
    names = {path.relative_to(FIRMWARE).as_posix() for path in frozen.frozen_files(manifest(board), FIRMWARE)}
    on_disk = {path.relative_to(FIRMWARE).as_posix() for path in FIRMWARE.rglob("*.py")}
    packages = [f"stimfw/{package}/" for package in (*COMMON_PACKAGES, board)]
    shared = (*packages, f"roots/{board}/main.py")
    expected = {name for name in on_disk if name.startswith(shared)}
    common = {name for name in COMMON if not name.endswith("/__init__.py")} | {"stimfw/__init__.py"}
    assert names == expected | common
    assert not any(f"/{other}/" in name for name in names)


def test_new_files_are_picked_up(tmp_path):
    tree(tmp_path, COMMON | {"roots/remote/main.py": ""})
    before = frozen.frozen_files(manifest("remote"), tmp_path)
    new = tree(
        tmp_path,
        {"stimfw/drivers/lamp.py": "", "stimfw/remote/keys/debounce.py": "", "stimfw/stimulator/x.py": ""},
    )
    after = frozen.frozen_files(manifest("remote"), tmp_path)
    assert set(after) - set(before) == set(new[:2])


def test_missing_root_is_named(tmp_path):
    tree(tmp_path, COMMON)
    with pytest.raises(BuildError, match=r"roots/remote/main\.py, which does not exist"):
        frozen.frozen_files(manifest("remote"), tmp_path)


def test_version_comes_from_the_firmware():
    import stimfw.version

    assert frozen.read_version(FIRMWARE) == stimfw.version.VERSION


def test_build_module_says_board_version_and_hash():
    namespace: dict[str, object] = {}
    exec(frozen.build_module("remote", "1.2.3", "0123456789ab"), namespace)
    told = {name: namespace[name] for name in ("BOARD", "VERSION", "SOURCE_HASH")}
    assert told == {"BOARD": "remote", "VERSION": "1.2.3", "SOURCE_HASH": "0123456789ab"}


@pytest.mark.parametrize("board", ["stimulator", "remote"])
def test_an_image_of_another_build_has_another_hash(board, tmp_path):
    """Each file in boards/ that it is made of: the same Python with another stack is another image."""
    for folder in ("boards", "firmware"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    layout = Layout(tmp_path)
    before = frozen.source_hash(sources(board, layout), tmp_path)
    assert before == frozen.source_hash(sources(board, Layout(ROOT)), ROOT)
    folder = layout.board_dir(board)
    made_of = [layout.boards / name for name in SHARED] + [folder / name for name in OWN]
    assert {path for path in sources(board, layout) if path.is_relative_to(layout.boards)} == set(made_of)
    for path in made_of:
        text = path.read_bytes()
        path.write_bytes(text + b"\n")
        assert frozen.source_hash(sources(board, layout), tmp_path) != before, path.name
        path.write_bytes(text)
    for path in layout.boards.glob("*/pins.csv"):
        if path.parent != folder:
            path.write_text("another board's")
    assert frozen.source_hash(sources(board, layout), tmp_path) == before
