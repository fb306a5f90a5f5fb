"""One emulated board: an RP2040 with its flash, its nets, its buses and its USB console."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rp2040py.irq import IRQ
from rp2040py.peripherals.vreg_and_chip_reset import HAD_POR, HAD_RUN
from rp2040py.peripherals.watchdog import FORCE, REASON
from rp2040py.rp2040 import RP2040

from stimbench.emulator import boot_rom, clocks, pio
from stimbench.emulator.adc import AdcModel, BoardAdc
from stimbench.emulator.bootsel import BootselDisk
from stimbench.emulator.chip import Core, default_core, make_chip
from stimbench.emulator.cpu import BoardScheduler, CpuRunner
from stimbench.emulator.flash import FlashChip, FlashTiming
from stimbench.emulator.native.cortex_m0 import NativeCore
from stimbench.emulator.nets import Net
from stimbench.emulator.rosc import BoardRosc, RandomBit
from stimbench.emulator.spi import SpiBus
from stimbench.emulator.ssi import BoardSsi
from stimbench.emulator.usb import ConsolePort
from stimbench.emulator.xip import BoardXipCtrl
from stimbench.firmware_build import uf2

if TYPE_CHECKING:
    from stimbench.emulator.chip import XipConfig
    from stimbench.parts.interfaces import AnalogSource

__all__ = ("EmulatedBoard", "ResetCause")

_FLASH_START = 0x10000000
_FLASH_SIZE = 2 * 1024 * 1024
_RAM_NOISE = b"\x00\xff\x55\xaa"


class ResetCause(Enum):
    """What reset the chip, as the firmware can find out."""

    POWER_ON = "power on"
    RUN_PIN = "RUN pin"
    WATCHDOG = "watchdog"
    """Its timer ran out."""
    SOFTWARE = "software"
    """The watchdog's TRIGGER bit: `machine.reset()`."""


class _Log:
    """Keeps the emulator's messages: an unknown register is worth a message, and does not end the run."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.bus_errors: list[str] = []
        """Contentions, and SPI frames that a part could not take: errors of the design or of the firmware."""

    def debug(self, component_name: str, message: str) -> None:
        """Dropped: the emulator writes many."""

    def info(self, component_name: str, message: str) -> None:
        """Dropped."""

    def warning(self, component_name: str, message: str) -> None:
        """Kept, up to a limit."""
        if len(self.messages) < 1000:
            self.messages.append(f"{component_name}: {message}")

    error = warning

    def bus_error(self, where: str, text: str, time_ns: int) -> None:
        """Kept, up to a limit: `where` is a net or a bus."""
        if len(self.bus_errors) < 1000:
            self.bus_errors.append(f"{where}: {text} (at {time_ns} ns)")


class EmulatedBoard:
    """A board's connectors (the BoardPorts of the parts), and what a person at the bench does to it."""

    def __init__(
        self,
        name: str,
        pins: dict[str, int],
        seed: int,
        timing: FlashTiming | None = None,
        core: Core | None = None,
        xip: XipConfig = "cache",
    ) -> None:
        """Make a board without power.

        Args:
            name: its name on the bench.
            pins: GPIO number by signal name.
            seed: seeds what is random about it.
            timing: how long its flash takes.
            core: which CPU core runs its firmware.
            xip: what the flash costs the CPU; see BenchConfig.
        """
        self.name = name
        self.parts: Any = None
        """What is soldered to it: the wiring function's StimulatorParts or RemoteParts."""
        self.powered = False
        self.hung = False
        self.bootsel_held = False
        """Whether a finger is on the BOOTSEL button: the boot ROM looks at each reset."""
        self.checks_boot2 = False
        """Whether the boot ROM's check of the flash is done. Off, the CPU starts whatever lies there."""
        self.bootsel: BootselDisk | None = None
        """The disk that the boot ROM shows on USB while it waits for an image; None while firmware runs."""
        self.log = _Log()
        self.resets: list[tuple[int, ResetCause]] = []
        """Every reset with its time, power on included."""
        self.on_power: list[Callable[[bool, int], None]] = []
        """Told `(on, time_ns)` when the board's supply comes or goes."""
        self.mcu = make_chip(default_core() if core is None else core)
        self.mcu.logger = self.log
        self._replace_peripherals(seed)
        self.runner = CpuRunner(self.mcu)
        self._scheduler = BoardScheduler(self.runner)
        memory = memoryview(self.mcu.flash)[:_FLASH_SIZE]
        memory[:] = b"\xff" * _FLASH_SIZE
        now_ns = lambda: self.runner.now_ns  # noqa: E731
        self.flash = FlashChip(memory, now_ns, timing or FlashTiming(), seed)
        ssi = BoardSsi(self.mcu, self.flash, self.runner.stall_until)
        self.mcu.ssi = self.mcu.peripherals[0x18000] = ssi
        cpu = self.mcu.core
        if xip != "ideal" and isinstance(cpu, NativeCore) and not cpu.follow_reference:
            cache = BoardXipCtrl(self.mcu, cpu, None if xip == "cache" else xip)
            self.mcu.xip_ctrl = self.mcu.peripherals[0x14000] = cache
            ssi.on_setup = cache.on_ssi
        self._buses = [SpiBus(self.mcu, index, self.log) for index in range(2)]
        self.console = ConsolePort(self.mcu)
        self.mcu.watchdog.on_watchdog_trigger = self._watchdog_fired
        self._nets = {signal: Net(self, signal, self.mcu.gpio[gpio]) for signal, gpio in pins.items()}
        for bus in self._buses:
            bus.connect({gpio: self._nets[signal] for signal, gpio in pins.items()})

    def _replace_peripherals(self, seed: int) -> None:
        mcu = self.mcu
        self._pio = pio.install(mcu, (IRQ.PIO0_IRQ0, IRQ.PIO1_IRQ0))
        self.adc = BoardAdc(mcu)
        mcu.adc = self.adc
        mcu.peripherals[0x4004C] = self.adc
        clocks.install(mcu)
        self._rosc = mcu.peripherals[0x40060] = BoardRosc(mcu, seed)

    @property
    def scheduler(self) -> BoardScheduler:
        """The board's clock."""
        return self._scheduler

    @property
    def now_ns(self) -> int:
        """The board's time in ns, exact inside a callback."""
        return self.runner.now_ns

    @property
    def nets(self) -> dict[str, Net]:
        """Every named signal's net."""
        return dict(self._nets)

    def pin(self, signal: str) -> Net:
        """The net of a signal; KeyError if pins.csv has none of that name."""
        return self._nets[signal]

    def spi(self, index: int) -> SpiBus:
        """SPI peripheral 0 or 1."""
        return self._buses[index]

    def wire_adc(self, channel: int, source: AnalogSource) -> None:
        """Connect ADC input 0-4 to a source of volts."""
        self.adc.sources[channel] = source

    @property
    def random_bit(self) -> RandomBit:
        """What its ring oscillator's random bit reads; may be set at any time, to plant a fault."""
        return self._rosc.random_bit

    @random_bit.setter
    def random_bit(self, source: RandomBit) -> None:
        self._rosc.random_bit = source

    def set_adc_model(self, model: AdcModel) -> None:
        """Give the converter its errors; it has none otherwise."""
        self.adc.model = model

    @property
    def pio_watches_pins(self) -> bool:
        """Whether some state machine ever stalled on a GPIO level."""
        return any(block.watches_pins for block in self._pio)

    @property
    def cpu_awake_ns(self) -> int:
        """Time that the CPU was not sleeping, flash operations and waits for the flash cache included."""
        return self.runner.awake_ns

    @property
    def usb_connected(self) -> bool:
        """Whether the firmware has enumerated on USB."""
        return self.console.connected

    def read_word(self, address: int) -> int:
        """A 32-bit word on the chip's bus, as a debug probe reads it."""
        return int(RP2040.read_uint32(self.mcu, address))

    def write_word(self, address: int, value: int) -> None:
        """Write a 32-bit word on the chip's bus, as a debug probe does."""
        RP2040.write_uint32(self.mcu, address, value)

    def load_firmware(self, path: Path) -> None:
        """Put a UF2 file into the flash, as BOOTSEL would; the rest of the chip stays as it is.

        Raises:
            Uf2Error: it is not a whole UF2 file for an RP2040; the flash stays as it was.
        """
        self.load_image(uf2.read(path))

    def load_image(self, image: uf2.Uf2Image) -> None:
        """Put a checked image into the flash."""
        self.flash.write(0, image.payload)

    def __repr__(self) -> str:
        running = "in BOOTSEL" if self.bootsel else "hung" if self.hung else "on"
        state = running if self.powered else "off"
        return f"<EmulatedBoard {self.name}, {state}, at {self.now_ns / 1e9:.6f} s>"

    def power_on(self) -> None:
        """The supply comes: the chip boots. Nothing if it is on."""
        if self.powered:
            return
        self.powered = True
        self._rosc.power_on()
        self._reset_chip(ResetCause.POWER_ON)
        for action in self.on_power:
            action(True, self.now_ns)

    def power_off(self) -> None:
        """The supply goes, at this instant, whatever is under way: RAM is lost, flash half written."""
        if not self.powered:
            return
        self.flash.cut_power()
        self.powered = False
        self._reset_chip(None)
        self.mcu.sram[:] = (_RAM_NOISE * (len(self.mcu.sram) // 4 + 1))[: len(self.mcu.sram)]
        self.console.drop()
        for action in self.on_power:
            action(False, self.now_ns)

    def reset(self) -> None:
        """RUN goes low and high: the chip starts again; the parts notice only its pins."""
        if self.powered:
            self._reset_chip(ResetCause.RUN_PIN)

    def hang(self) -> None:
        """The CPU stops executing, as in an endless loop with interrupts off; everything else goes on."""
        self.hung = True
        self._update_halt()

    def unhang(self) -> None:
        """The CPU goes on where it was."""
        self.hung = False
        self._update_halt()

    def _update_halt(self) -> None:
        self.runner.halted = self.hung or not self.powered or self.bootsel is not None
        self.runner.interrupt()

    def _watchdog_fired(self) -> None:
        # REASON (RP2040 datasheet 4.7.6) has a bit for the timer and one for TRIGGER.
        forced = self.mcu.watchdog.read_uint32(REASON) & FORCE
        self._reset_chip(ResetCause.SOFTWARE if forced else ResetCause.WATCHDOG)

    def _reset_chip(self, cause: ResetCause | None) -> None:
        mcu = self.mcu
        self.runner.note_reset()
        from_watchdog = cause in (ResetCause.WATCHDOG, ResetCause.SOFTWARE)
        for channel in mcu.dma.channels:
            channel.abort()  # rp2040py's own reset leaves BUSY, and such a channel never starts again
        mcu.enter_reset(from_watchdog=from_watchdog)
        for bus in self._buses:
            bus.cancel()
        mcu.watchdog.timer.enable = False
        mcu.watchdog.alarm.enable = False
        if not from_watchdog:
            mcu.watchdog.reset()
            mcu.vreg_and_chip_reset.record_reset_cause(HAD_RUN if cause is ResetCause.RUN_PIN else HAD_POR)
        mcu.core.pc = _FLASH_START
        self.hung = False
        stays = cause is not None and self._stays_in_boot_rom(from_watchdog)
        self.bootsel = BootselDisk(self) if stays else None
        self._update_halt()
        if cause is not None:
            self.resets.append((self.now_ns, cause))
        for net in self._nets.values():
            net.refresh()

    def _stays_in_boot_rom(self, from_watchdog: bool) -> bool:
        """Whether the boot ROM waits for an image on USB after this reset (RP2040 datasheet 2.8.1)."""
        if from_watchdog and boot_rom.take_usb_boot_vector(self):
            return True
        return self.bootsel_held or (self.checks_boot2 and not boot_rom.boot2_is_whole(self.flash.memory))
