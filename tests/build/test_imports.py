"""The contracts of pyproject.toml about who imports whom: they hold, and each notices a wrong import."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"stimbench": ROOT / "host_tools" / "stimbench", "stimfw": ROOT / "firmware" / "stimfw"}

FIRMWARE = "The firmware imports no host tool"
LAYERS = "The firmware's packages import downwards"
PURE = "The firmware's pure packages know no hardware"
DRIVERS = "Drivers know chips only"
HOST = "The host tools' packages import downwards"
CLIENT = "The client reaches the emulator through devices and bench only"
CIRCLES = "No two files import each other"

PLANTED = [
    (FIRMWARE, "stimfw/therapy/ranges", "import stimbench.errors"),
    (LAYERS, "stimfw/protocol/roles", "from stimfw.telemetry import frames"),
    (LAYERS, "stimfw/remote/modem", "from stimfw.stimulator import control"),
    (LAYERS, "stimfw/ui/button", "from stimfw.therapy import ranges"),
    (PURE, "stimfw/storage/layout", "import machine"),
    (PURE, "stimfw/pulses/waveform", "def late():\n    import rp2"),
    (PURE, "stimfw/telemetry/keys", "from stimfw.drivers import entropy"),
    (DRIVERS, "stimfw/drivers/led", "from stimfw.telemetry import frames"),
    (DRIVERS, "stimfw/drivers/nrf24l01", "from stimfw.protocol import roles"),
    (HOST, "stimbench/parts/pump", "from stimbench.bench import engine"),
    (HOST, "stimbench/capture/export", "if TYPE_CHECKING:\n    from stimbench.emulator import board"),
    (HOST, "stimbench/analysis/edges", "import stimbench.emulator.board"),
    (HOST, "stimbench/newcomer", ""),
    (CLIENT, "stimbench/client/radio", "from stimbench.emulator import board"),
    (CIRCLES, "stimbench/parts/trace", "from stimbench.parts import lead"),
    (CIRCLES, "stimfw/storage/blocks", "def late():\n    from stimfw.storage import areas"),
]

VERDICT = re.compile(r"^(.+) (KEPT|BROKEN)(?: \(.+\))?$", re.MULTILINE)


def contracts(folder):
    """Name of each contract to whether it is kept, for the packages in `folder`, and what was printed."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache", ROOT / "pyproject.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    told = {name: word == "KEPT" for name, word in VERDICT.findall(run.stdout)}
    assert (run.returncode == 0) == all(told.values()), run.stdout + run.stderr
    assert len(told) == 7, run.stdout + run.stderr
    return told, run.stdout


@pytest.fixture
def tree(tmp_path):
    """A copy of both packages' Python files."""
    for name, source in PACKAGES.items():
        shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.c"))
    return tmp_path


def test_every_contract_holds():
    told, printed = contracts(ROOT)
    assert all(told.values()), printed


@pytest.mark.parametrize(("contract", "module", "text"), PLANTED)
def test_a_wrong_import_breaks_its_contract(tree, contract, module, text):
    file = tree / f"{module}.py"
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(f"{before}\n{text}\n", encoding="utf-8")
    told, printed = contracts(tree)
    (kept,) = (kept for name, kept in told.items() if name.startswith(contract))
    assert not kept, printed
