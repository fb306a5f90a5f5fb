"""What a person reads when the build cannot go on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from stimbench.firmware_build import sizes, sources, toolchain
from stimbench.firmware_build.apt import choose_mirror, require_version
from stimbench.firmware_build.errors import BuildError
from stimbench.firmware_build.steps import run_logged

ROOT = Path(__file__).resolve().parents[2]


def run_build(**env: str) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "stimbench.firmware_build"]
    return subprocess.run(words, capture_output=True, text=True, env={**os.environ, **env}, check=False)


def test_missing_toolchain_is_named_with_the_command_that_installs_it(tmp_path):
    result = run_build(PATH=str(tmp_path))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    first, second = result.stderr.splitlines()
    for program in ("arm-none-eabi-gcc", "cmake", "ninja", "g++", "dpkg-source"):
        assert program in first
    assert second.startswith("install with: apt-get update && apt-get install ")
    packages = set(second.split("--no-install-recommends ")[1].split())
    assert packages >= {"gcc-arm-none-eabi", "cmake", "ninja-build", "build-essential", "dpkg-dev"}
    assert packages >= {"libnewlib-arm-none-eabi", "libstdc++-arm-none-eabi-newlib"}


def test_a_step_of_make_names_what_it_works_on(tmp_path):
    """The shell's variables in a label are filled in, in the line of the step and in that of its failure."""
    recipe = "@packages='cmake ninja'; $(call step,packages: $$packages,step.log,{})"
    failed = f"error: packages: cmake ninja: see {tmp_path}/step.log\n"
    for command, told in (("true", ""), ("false", failed)):
        text = f"include Makefile\nstep:\n\t{recipe.format(command)}\n"
        result = subprocess.run(
            ["make", "-f", "-", "step", f"LOGS={tmp_path}"],
            input=text, capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        assert result.stdout == "setup      packages: cmake ninja\n"
        assert told in result.stderr and (result.returncode != 0) == bool(told)


def test_every_target_of_make_says_what_it_takes():
    shown = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for target in ("setup", "firmware", "demo", "bench", "test", "types", "pytest", "mutants", "sanitize"):
        (line,) = [line for line in shown.splitlines() if line.startswith(f"  make {target} ")]
        assert re.search(r"\[.*(\d+ (s|min)|an hour).*\]$", line), line
    assert max(map(len, shown.splitlines())) <= 130


def test_one_missing_program_asks_for_its_package_only():
    def which(name: str) -> str | None:
        return None if name == "ninja" else f"/usr/bin/{name}"

    assert toolchain.find_missing(which) == {"ninja": "ninja-build"}


def test_setup_asks_for_what_tests_run_and_a_build_does_not():
    programs = ("sigrok-cli", "chromium-headless-shell")
    assert toolchain.missing_for_tests(lambda _name: None) == {name: name for name in programs}
    assert toolchain.missing_for_tests(lambda name: f"/usr/bin/{name}") == {}
    assert not set(programs) & set(toolchain.find_missing(lambda _name: None))


def test_an_interpreter_without_headers_asks_for_its_package(tmp_path):
    assert "Python.h" not in toolchain.missing_for_python()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert toolchain.missing_for_python(tmp_path)["Python.h"] == f"libpython{version}-dev"


def test_old_archive_keyring_counts_as_missing(tmp_path):
    keys = tmp_path / "usr/share/keyrings/debian-archive-keyring.gpg"
    keys.parent.mkdir(parents=True)
    keys.touch()
    assert "debian-archive-keyring" in toolchain.find_missing(root=tmp_path).values()


def test_version_that_is_gone_names_package_wanted_and_available():
    with pytest.raises(BuildError) as caught:
        require_version("mbedtls", "3.6.0-1", ["3.6.5-0.1", "3.6.6-0.1"])
    assert str(caught.value) == (
        "the archive has no mbedtls 3.6.0-1 (available: 3.6.5-0.1, 3.6.6-0.1); "
        "change its version in boards/sources.toml"
    )


def test_version_that_is_there_passes():
    require_version("mbedtls", "3.6.6-0.1", ["3.6.5-0.1", "3.6.6-0.1"])


@pytest.mark.parametrize(
    ("targets", "mirror"),
    [
        ("http://a/debian trixie main\nhttp://b/security trixie-security main", "http://a/debian"),
        ("http://b/security trixie-security main\nhttp://a/debian trixie main", "http://a/debian"),
        ("http://tool/deb nodistro main\nhttp://a/debian bookworm main", "http://a/debian"),
        (
            "http://tool/debian stable main\nhttp://a/d bookworm main\nhttp://a/d bookworm-updates main",
            "http://a/d",
        ),
        ("mirror+file:/etc/apt/mirrors bookworm main", "mirror+file:/etc/apt/mirrors"),
    ],
)
def test_mirror_is_debians_own(targets, mirror):
    assert choose_mirror(targets) == mirror


def test_no_mirror_is_said():
    with pytest.raises(BuildError, match="knows no Debian mirror"):
        choose_mirror("http://b/security trixie-security main\n")


def test_pins_are_exact_and_complete():
    pins = sources.read_pins(ROOT / "boards" / "sources.toml")
    versions = {package.name: package.version for package in pins.packages}
    assert versions.keys() == {"micropython", "mbedtls", "pico-sdk-source", "tinyusb-source"}
    assert all("-" in version for version in versions.values()), "a Debian revision pins the patches as well"
    assert versions["micropython"].startswith(pins.micropython_tag.removeprefix("v"))


def test_unknown_kind_of_package_is_refused(tmp_path):
    text = (ROOT / "boards" / "sources.toml").read_text().replace('kind = "binary"', 'kind = "wheel"', 1)
    path = tmp_path / "sources.toml"
    path.write_text(text)
    with pytest.raises(BuildError, match='pico-sdk-source has kind "wheel"'):
        sources.read_pins(path)


def test_micropython_dir_that_is_no_checkout(tmp_path):
    result = run_build(MICROPYTHON_DIR=str(tmp_path))
    assert result.returncode == 2
    assert result.stderr == f"error: MICROPYTHON_DIR={tmp_path} is not a checkout of MicroPython\n"


def test_checkout_without_submodules_names_the_command(tmp_path):
    for name in ("ports/rp2/CMakeLists.txt", "mpy-cross/Makefile", "tools/uf2conv.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    with pytest.raises(BuildError, match=r"submodule update --init .*lib/pico-sdk lib/tinyusb lib/mbedtls$"):
        sources.checkout(tmp_path)


def test_failed_step_shows_the_end_of_its_log(tmp_path):
    words = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(BuildError, match=r"failed \(3\)") as caught:
        run_logged(words, tmp_path / "log")
    assert str(caught.value).endswith("the reason")


def test_image_that_reaches_into_the_filesystem_is_refused():
    sizes.require_fit(sizes.Sizes(640, 640, 0, 0, (0, 0, 0)), Path("firmware.elf"))
    with pytest.raises(BuildError, match="takes 641 bytes; the filesystem leaves 640"):
        sizes.require_fit(sizes.Sizes(641, 640, 0, 0, (0, 0, 0)), Path("firmware.elf"))
