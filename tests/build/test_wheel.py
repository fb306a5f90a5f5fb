"""The wheel: what is in it, and what is said when something is missing. `make wheel-test` uses it."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from stimbench import project
from stimbench.errors import InputError
from stimbench.firmware_build import licences
from stimbench.firmware_build.errors import BuildError

pytestmark = pytest.mark.tools

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ("stimulator", "remote")
LARGEST = 4_000_000
"""Bytes of the wheel."""
HEAPTYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE, of a class that counts its objects."""
LICENCES = {
    "libgcc.txt": "RUNTIME LIBRARY EXCEPTION",
    "mbedtls.txt": "Apache License",
    "micropython.txt": "The little filesystem",
    "newlib.txt": "Red Hat",
    "pico-sdk.txt": "Raspberry Pi (Trading)",
    "tinyusb.txt": "Ha Thach",
}
JUNK = re.compile(r"(^|/)(tests?|__pycache__|\.git[^/]*|fuzz\.c)(/|$)|\.pyc$|\.o$|\.elf$|\.orig$")


def build(root: Path, into: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(into), str(root)]
    return subprocess.run(words, capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.iterdir()
    assert path.stat().st_size < LARGEST
    return zipfile.ZipFile(path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What a build needs, without a core, images or licences."""
    for name in ("boards", "firmware", "host_tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_the_wheel_has_what_is_no_python(wheel: zipfile.ZipFile) -> None:
    for board in BOARDS:
        image = wheel.read(f"stimbench/_resources/build/{board}.uf2")
        assert image == (ROOT / "build" / f"{board}.uf2").read_bytes()
        pins = f"boards/STIMBENCH_{board.upper()}/pins.csv"
        assert wheel.read(f"stimbench/_resources/{pins}") == (ROOT / pins).read_bytes()
    for name, words in LICENCES.items():
        assert words in wheel.read(f"stimbench/_resources/build/licences/{name}").decode()
    names = wheel.namelist()
    assert "stimbench/report/templates/report.html.j2" in names
    for drawing in (ROOT / "docs" / "circuit").glob("stimulator-*.svg"):
        assert wheel.read(f"stimbench/bringup/pictures/{drawing.name}") == drawing.read_bytes()
    assert any(re.fullmatch(r"stimbench-[\d.]+\.dist-info/licenses/LICENSE", name) for name in names)


def test_the_wheel_has_all_of_our_python_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for folder, package in (("host_tools", "stimbench"), ("firmware", "stimfw")):
        files = (ROOT / folder / package).rglob("*.py")
        found = {path.relative_to(ROOT / folder).as_posix() for path in files}
        assert {name for name in names if name.startswith(f"{package}/") and name.endswith(".py")} == found
    assert {PurePosixPath(name).parts[0].split("-")[0] for name in names} == {"stimbench", "stimfw"}
    assert not [name for name in names if JUNK.search(name)]


def test_the_wheel_is_of_the_python_that_its_core_is_compiled_for(wheel: zipfile.ZipFile) -> None:
    (core,) = [name for name in wheel.namelist() if name.endswith(".so")]
    assert core == f"stimbench/emulator/native/cortex_m0{sysconfig.get_config_var('EXT_SUFFIX')}"
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{tag}-{tag}-" in Path(str(wheel.filename)).name
    told = next(wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/WHEEL"))
    assert "Root-Is-Purelib: false" in told


def test_its_core_may_stand_on_the_emulator_as_it_was_installed(wheel: zipfile.ZipFile) -> None:
    """Classes of the stable ABI uncount an object's class when it goes; one that did not count is freed then.

    So after a dozen benches the process crashed. In a checkout rp2040py is compiled for this Python, too, and
    counts nothing; so the class itself is asked whether it counts.
    """
    folder = Path(str(wheel.filename)).parent / "unpacked"
    wheel.extractall(folder)
    code = "from stimbench.emulator.native.cortex_m0 import NativeCore; print(NativeCore.__flags__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) & HEAPTYPE


def test_it_says_how_it_is_used(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    entries = next(wheel.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    assert "stimbench = stimbench.__main__:main" in entries
    assert "[pytest11]\nstimbench = stimbench.pytest_plugin" in entries
    metadata = next(wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/METADATA"))
    assert re.search(r"^Requires-Dist: rp2040py==[\d.]+$", metadata, re.MULTILINE)


def test_without_images_there_is_no_wheel_and_one_sentence(tree: Path) -> None:
    done = build(tree, tree / "out")
    assert done.returncode != 0
    told = "build/stimulator.uf2 and build/remote.uf2 missing: run `make firmware` first"
    assert told in done.stdout + done.stderr
    assert not list(tree.glob("out/*.whl"))


def test_the_page_is_in_it_with_the_licence_of_what_draws_it(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "stimbench/web/static/index.html" in names
    vendor = "stimbench/_resources/build/web/vendor/uplot"
    assert "Copyright" in wheel.read(f"{vendor}/LICENSE").decode()
    assert f"{vendor}/uPlot.esm.js" in names


def test_without_the_page_s_library_there_is_no_wheel_and_one_sentence(tree: Path) -> None:
    (tree / "build").mkdir()
    for board in BOARDS:
        shutil.copy(ROOT / "build" / f"{board}.uf2", tree / "build")
    done = build(tree, tree / "out")
    assert done.returncode != 0
    assert "build/web/vendor/uplot/LICENSE missing: run `make setup` first" in done.stdout + done.stderr


def test_what_is_linked_without_a_known_licence_is_named(tmp_path: Path) -> None:
    linked = (
        "Linker script and memory map\n"
        " .text.one      0x10000100       0x20 CMakeFiles/firmware.dir/main.c.o\n"
        " .text.two      0x10000120       0x20 /opt/elsewhere/libsecret.a(one.o)\n"
        " .text.three    0x00000000       0x20 /opt/elsewhere/dropped.o\n"
    )
    with pytest.raises(BuildError, match=r"^/opt/elsewhere/libsecret\.a\(one\.o\) is linked"):
        licences.texts(linked, ROOT / "build" / "sources")
    with pytest.raises(BuildError, match=r"a licence text is missing: .*micropython/LICENSE"):
        licences.texts(linked.replace("/opt/elsewhere/libsecret.a", "CMakeFiles/firmware.dir/x.a"), tmp_path)


# Where files are looked for.


def test_a_checkout_has_its_own_files() -> None:
    assert project.image_path("remote") == ROOT / "build" / "remote.uf2"
    assert project.pins_path("remote").is_relative_to(ROOT)
    assert not project.RESOURCES.exists()


def test_outside_a_checkout_they_are_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site-packages" / "stimbench"
    pins = installed / "_resources" / "boards" / "STIMBENCH_STIMULATOR" / "pins.csv"
    pins.parent.mkdir(parents=True)
    pins.touch()
    monkeypatch.setattr(project, "__file__", str(installed / "project.py"))
    monkeypatch.setattr(project, "RESOURCES", installed / "_resources")
    monkeypatch.chdir(tmp_path)
    assert project.pins_path("stimulator") == pins
    assert project.image_path("remote") == installed / "_resources" / "build" / "remote.uf2"
    with pytest.raises(InputError, match=r"^This needs a checkout of stimbench, and no folder above"):
        project.find_project_root()
    monkeypatch.chdir(ROOT / "docs")
    assert project.image_path("remote") == ROOT / "build" / "remote.uf2"
