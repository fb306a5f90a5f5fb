"""Changed modules on a board: which, in what order, what the board then tells, and each way to fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from stimbench.client.stimulator import connect
from stimbench.errors import InputError
from stimbench.firmware_build.build import Layout
from stimbench.flashing import deployed
from stimbench.flashing.deployed import Deployed
from stimbench.flashing.deployer import Deployer
from stimbench.flashing.errors import FlashError
from stimbench.flashing.modules import Compiler, Mpy, Sources, require_loadable
from stimbench.flashing.state import Doing, look
from stimbench.project import find_project_root
from stimfw.storage import layout as layout_of_flash
from stimfw.storage.blocks import BLOCK_BYTES
from support.file_system import file_system
from support.flashing import built

pytestmark = pytest.mark.emulated

FILES_AT = 640 * 1024
LEFT_BLOCKS = 10
BOARD_MPY = 0x1306
"""sys.implementation._mpy of the boards: version 6.3 for the RP2040's ARMv6-M."""
IMAGE = built()


@pytest.fixture
def layout(tmp_path) -> Layout:
    """A copy of the sources that a test may change, with the build of this tree."""
    real, root = find_project_root(), tmp_path / "project"
    root.mkdir()
    shutil.copytree(real / "firmware", root / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("boards", "build"):
        (root / name).symlink_to(real / name)
    return Layout(root)


@pytest.fixture
def sources(layout) -> Sources:
    return Sources(layout, "stimulator")


@pytest.fixture
def compiler() -> Compiler:
    return Compiler(find_project_root() / "build" / "mpy-cross" / "mpy-cross")


@pytest.fixture
def deploy(flash_bench, layout, compiler):
    """`deploy("therapy/ranges")` on the emulated stimulator."""

    def run(*names):
        with flash_bench.device() as device:
            return Deployer(device).deploy(lambda role: Sources(layout, role), compiler, names)

    return run


def edit(layout: Layout, module: str, old: str, new: str) -> None:
    path = layout.firmware / "stimfw" / f"{module}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def identity_of(flash_bench):
    with flash_bench.device() as device:
        return connect(device.console).identity


def files_of(flash_bench) -> list[str]:
    with flash_bench.device() as device:
        repl = device.enter_repl()
        found = [one.name for one in repl.fs_listdir("/")]
        if "deploy" in found:
            found += [one.name for one in repl.fs_listdir("/deploy")]
        device.reset()
    return sorted(found)


def test_what_differs_from_the_image_is_deployed_and_taken_back(flash_bench, layout, deploy):
    edit(layout, "version", "0.1.0", "9.9.9")
    done = deploy()
    assert done.modules == ("stimfw.version",) and done.written == 1
    identity = identity_of(flash_bench)
    assert identity == done.identity and identity.version == "9.9.9", "the module of the file system runs"
    assert identity.build.startswith(f"{IMAGE.identity.build}+1.") and identity.deployed == 1
    assert "deployed modules (1)" in identity.warning and "--remove" in identity.warning

    again = deploy("version")
    assert again.written == 0 and again.identity == identity, "only what is new is copied"

    edit(layout, "version", "9.9.9", "0.1.0")
    assert deploy().identity.build == IMAGE.identity.build, "nothing differs any more"
    assert files_of(flash_bench) == []


def test_named_modules_come_beside_those_that_are_there(flash_bench, layout, deploy):
    deploy("therapy/ranges")
    done = deploy("stimfw.storage.blocks")  # MicroPython's _boot has imported it before
    assert done.identity.deployed == 2
    with flash_bench.device() as device:
        found = Deployer(device).found()
        repl = device.enter_repl()
        modules = repl.eval("[__import__('sys').modules[n].__name__ for n in ('stimfw.therapy.ranges',)]")
        device.reset()
        state = connect(device.console).status()
    assert [one.name for one in found] == ["stimfw.storage.blocks", "stimfw.therapy.ranges"]
    assert modules == ["stimfw.therapy.ranges"] and state.state_name == "ready" and not state.failed_parts
    with flash_bench.device() as device:
        assert Deployer(device).remove() == found
    assert identity_of(flash_bench).deployed == 0 and files_of(flash_bench) == []


def test_flash_takes_deployed_modules_away(flash_bench, deploy, layout):
    edit(layout, "version", "0.1.0", "9.9.9")
    deploy()
    done = flash_bench.flasher(IMAGE).flash(flash_bench.target)
    assert done.removed == ("stimfw.version",) and done.after.endswith(IMAGE.identity.build)
    assert any("Took deployed modules away" in text and "stimfw.version" in text for text in flash_bench.said)
    assert files_of(flash_bench) == []


def test_a_module_that_does_not_load_is_told_and_taken_away(flash_bench, layout, deploy):
    edit(
        layout,
        "therapy/ranges",
        "LEADS",
        "raise_here = 1 // 0\nLEADS",
    )
    with pytest.raises(FlashError, match=r"is at the MicroPython prompt.*Its output is off.*--remove"):
        deploy("therapy/ranges")
    state = look(flash_bench.target)
    assert state.doing is Doing.PROMPT and state.identity.deployed == 1
    with flash_bench.device() as device:
        assert [one.name for one in Deployer(device).remove()] == ["stimfw.therapy.ranges"]
    assert identity_of(flash_bench).build == IMAGE.identity.build


def test_a_source_with_an_error_reaches_no_board(flash_bench, layout, deploy):
    edit(layout, "therapy/ranges", "LEADS", "def (:\nLEADS")
    resets = len(flash_bench.board().resets)
    with pytest.raises(InputError, match=r"stimfw/therapy/ranges\.py cannot be compiled: .*SyntaxError"):
        deploy("therapy/ranges")
    assert len(flash_bench.board().resets) == resets and identity_of(flash_bench).deployed == 0


def nearly_full() -> bytes:
    """A file system with a few blocks left, made by MicroPython's unix port."""
    return file_system("fill", bytes((layout_of_flash.FILESYSTEM_BLOCKS - LEFT_BLOCKS) * BLOCK_BYTES))


def test_a_full_flash_leaves_what_was_there(flash_bench, deploy):
    board = flash_bench.board()
    board.power_off()
    board.flash.write(FILES_AT, nearly_full())
    board.power_on()
    before = deploy("protocol/roles").identity
    assert before.deployed == 1
    many = ["telemetry/responder", "telemetry/requester", "therapy/machine", "storage/record"]
    with pytest.raises(FlashError, match=r"file system is full\. It has the modules that it had before"):
        deploy(*many)
    assert identity_of(flash_bench) == before
    assert len([name for name in files_of(flash_bench) if name.endswith((".mpy", ".part"))]) == 1


def test_power_that_goes_while_files_are_copied_leaves_what_was_there(
    flash_bench, layout, compiler, monkeypatch
):
    real = deployed._put

    def cut(repl, path, data):
        if path == deployed.BOOT_FILE:
            flash_bench.board().power_off()
            raise OSError("gone")
        real(repl, path, data)

    monkeypatch.setattr(deployed, "_put", cut)
    with flash_bench.device() as device, pytest.raises(FlashError):
        deployed.write(device.enter_repl(), [(Deployed("stimfw.version", "0" * 12), b"half")])
    flash_bench.board().power_on()
    assert identity_of(flash_bench).build == IMAGE.identity.build


def test_a_boot_py_of_somebody_else_is_left_alone(flash_bench, deploy):
    with flash_bench.device() as device:
        device.enter_repl().write_file("/boot.py", b"mine = 1")
        device.reset()
    for action in (lambda: deploy("therapy/ranges"), lambda: deploy_remove(flash_bench)):
        with pytest.raises(FlashError, match=r"/boot\.py that is not from `stimbench deploy`"):
            action()
    with flash_bench.device() as device:
        assert device.enter_repl().read_file("/boot.py") == b"mine = 1"
        device.reset()


def deploy_remove(flash_bench):
    with flash_bench.device() as device:
        Deployer(device).remove()


def test_another_image_than_the_one_built_here_asks_for_names(flash_bench, layout, deploy, monkeypatch):
    monkeypatch.setattr(Sources, "built_hash", "feedfeedfeed")
    with pytest.raises(
        InputError, match=rf"runs the image {IMAGE.identity.build}, and the one .* is feedfeedfeed"
    ):
        deploy()


def test_names_of_modules(sources, layout):
    path = str(layout.firmware / "stimfw/therapy/ranges.py")
    known = ("stimfw.therapy.ranges", "therapy/ranges", "therapy/ranges.py", "ranges", path)
    for name in (*known, "firmware/stimfw/therapy/ranges.py"):
        assert sources.named([name]) == ["stimfw.therapy.ranges"], name
    for name in ("nonsense", "stimfw", "main", "remote/app", "_boot", "therapy/__init__"):
        with pytest.raises(InputError, match="no module"):
            sources.named([name])
    with pytest.raises(InputError, match=r"button may be stimfw.drivers.button or stimfw.ui.button: say"):
        sources.named(["button"])


def test_a_module_is_loaded_after_what_it_imports_also_through_others(sources):
    assert sources.in_order(["stimfw.therapy.program", "stimfw.therapy.ranges"]) == [
        "stimfw.therapy.ranges",
        "stimfw.therapy.program",
    ]
    assert sources.in_order(["stimfw.therapy.contraction", "stimfw.therapy.ranges"]) == [
        "stimfw.therapy.ranges",
        "stimfw.therapy.contraction",
    ], "it imports program, which imports ranges"


def test_compiled_as_the_image_was(sources, compiler):
    assert sources.changed(compiler) == [], "the image that was built last is of these sources"


@pytest.mark.control("C-41")
@pytest.mark.parametrize(
    ("head", "loads"),
    [("4d06001f", True), ("4d06131f", True), ("4d05001f", False), ("4d06171f", False), ("4d06121f", False)],
    ids=["bytecode", "native, 6.3, armv6m", "version 5", "native, another chip", "native, 6.2"],
)
def test_a_file_for_another_micropython_is_refused(head, loads):
    module = Mpy("stimfw.x", bytes.fromhex(head))
    if loads:
        require_loadable(module, BOARD_MPY)
    else:
        with pytest.raises(FlashError, match=r"loads \.mpy files of version 6\.3, and mpy-cross makes"):
            require_loadable(module, BOARD_MPY)


def test_the_compiler_is_missing():
    with pytest.raises(InputError, match="is missing: `make firmware` builds it"):
        Compiler(Path("/nowhere/mpy-cross"))


def test_the_mark_tells_sets_apart_and_not_their_order():
    one, two = Deployed("stimfw.a", "1" * 12), Deployed("stimfw.b", "2" * 12)
    assert deployed.mark_of([one, two]) == deployed.mark_of([two, one]) != deployed.mark_of([one])
    assert deployed.mark_of([one]) != deployed.mark_of([Deployed("stimfw.a", "2" * 12)])
    assert deployed.parse_boot(deployed.boot_text([two, one])) == (two, one)
