"""What tests of flashing share: images of another build, a bench with a quick flash, a machine's sysfs."""

from __future__ import annotations

from pathlib import Path

from stimbench.bench import Bench, BenchConfig
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.emulator.flash import FlashTiming
from stimbench.firmware_build import uf2
from stimbench.firmware_build.uf2 import Uf2Image
from stimbench.flashing.emulated_target import EmulatedTarget
from stimbench.flashing.flasher import Flasher
from stimbench.flashing.writing import Progress

QUICK_FLASH = FlashTiming(sector_erase_ns=1_000_000, page_program_ns=20_000)
"""The order of operations is what these tests ask for, and not their times."""
BOOTED_NS = 600_000_000
OTHER_BUILD = "0123456789ab"


def built(board: str = "stimulator") -> Uf2Image:
    """The image that was built here."""
    return BenchConfig().firmware_image(board)


def relabelled(image: Uf2Image, build: str = OTHER_BUILD) -> Uf2Image:
    """The same firmware, which tells another content hash."""
    assert image.identity is not None
    return Uf2Image(image.name, image.payload.replace(image.identity.build.encode(), build.encode()))


def as_file(image: Uf2Image, path: Path) -> Path:
    """The image as a UF2 file."""
    path.write_bytes(b"".join(uf2.packed(image)))
    return path


class FlashBench:
    """A bench whose boards can be flashed, and what is asked of it."""

    def __init__(self, folder: Path, **fields: object) -> None:
        names = fields.pop("boards", ("stimulator",))
        config = BenchConfig(boards=names, flash_timing=QUICK_FLASH, trace=False, **fields)
        self.bench = Bench(config)
        self.bench.run_for(BOOTED_NS)
        self.targets = {name: EmulatedTarget(self.bench, name, folder / f"{name}-RPI-RP2") for name in names}
        self.said: list[str] = []

    @property
    def target(self) -> EmulatedTarget:
        return self.targets["stimulator"]

    def board(self, name: str = "stimulator"):
        return self.bench.board(name)

    def flasher(self, image: Uf2Image, progress: Progress | None = None, **fields) -> Flasher:
        return Flasher(image, self.said.append, progress or (lambda done, total: None), **fields)

    def device(self, name: str = "stimulator") -> EmulatedDevice:
        return EmulatedDevice(self.bench, name).open()

    def in_boot_rom(self, name: str = "stimulator"):
        """As with a finger on BOOTSEL while the cable is plugged in."""
        board = self.board(name)
        board.power_off()
        board.bootsel_held = True
        board.power_on()
        board.bootsel_held = False
        return board


def usb_disk(sysfs: Path, usb_path: str, name: str, partition: bool = True, ids: str = "2e8a 0003") -> None:
    """A disk of a USB device, as Linux shows it: links below class/block into the tree of devices."""
    socket = sysfs / "devices" / "pci0" / "usb1" / usb_path
    block = socket / f"{usb_path}:1.0" / "host0" / "target0" / "block" / name
    block.mkdir(parents=True, exist_ok=True)
    for file, text in zip(("idVendor", "idProduct"), ids.split(), strict=True):
        (socket / file).write_text(f"{text}\n")
    shown = [block]
    if partition:
        part = block / f"{name}1"
        part.mkdir()
        (part / "partition").write_text("1\n")
        shown.append(part)
    classes = sysfs / "class" / "block"
    classes.mkdir(parents=True, exist_ok=True)
    for one in shown:
        (classes / one.name).symlink_to(one)
