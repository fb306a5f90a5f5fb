"""The emulator runs as compiled for this interpreter."""

import importlib
import sysconfig

import pytest
from stimbench import emulator_build

SOURCES = emulator_build.sources()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_module_that_is_loaded_is_the_compiled_one(source):
    loaded = importlib.import_module(f"rp2040py.native.{source.stem}").__file__
    assert loaded == str(source.with_name(source.stem + sysconfig.get_config_var("EXT_SUFFIX")))


def test_the_inner_loop_is_among_them():
    names = {path.stem for path in SOURCES}
    assert {"_simulator", "_cortex_m0_core", "_rp2040", "_simulation_clock"} <= names


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "_one.c"
    path.write_text("#include <Python.h>\nint one(void) { return 1; }\n")
    return path


def modules(source):
    return {path.name: path for path in source.parent.iterdir() if path != source}


def test_a_file_is_compiled_and_compiled_again(source):
    assert emulator_build.build(source) == ""
    (name,) = modules(source)
    assert name == "_one" + sysconfig.get_config_var("EXT_SUFFIX")
    first = modules(source)[name].read_bytes()
    source.write_text(source.read_text().replace("return 1", "return 2"))
    assert emulator_build.build(source) == ""
    assert modules(source)[name].read_bytes() != first


def test_what_the_compiler_says_is_passed_on_and_the_old_module_stays(source):
    emulator_build.build(source)
    before = {name: path.read_bytes() for name, path in modules(source).items()}
    source.write_text("nonsense\n")
    assert "_one.c" in emulator_build.build(source)
    assert {name: path.read_bytes() for name, path in modules(source).items()} == before
