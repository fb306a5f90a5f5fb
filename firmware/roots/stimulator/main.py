"""The stimulator's composition root: here alone it is known which part is on which pin."""

import sys
from time import sleep_ms, sleep_us, ticks_ms, ticks_us

import micropython
import rp2
from machine import ADC, SPI, Pin, reset_cause
from stimfw.drivers import entropy
from stimfw.drivers.adg714 import Adg714Pair
from stimfw.drivers.console import Console
from stimfw.drivers.mcp4922 import Mcp4922
from stimfw.drivers.nrf24l01 import NRF24L01
from stimfw.drivers.pulser import Pulser
from stimfw.drivers.sampler import Sampler
from stimfw.drivers.sense import Sense
from stimfw.drivers.stimulator_radio import StimulatorRadio, prepare
from stimfw.drivers.wake import Waiter, Wake
from stimfw.drivers.watchdog import Watchdog
from stimfw.logic import messages, program
from stimfw.logic.event_log import EventLog
from stimfw.logic.magnet import MagnetHold
from stimfw.logic.wall_clock import WallClock
from stimfw.stimulator import boot_test
from stimfw.stimulator.app import App
from stimfw.stimulator.clinic import Clinic
from stimfw.stimulator.commands import Commands
from stimfw.stimulator.control import Control
from stimfw.stimulator.measure import Measurements
from stimfw.stimulator.output import Output
from stimfw.stimulator.pairing_desk import PairingDesk
from stimfw.stimulator.readings import Readings
from stimfw.storage import layout
from stimfw.storage.broken import BrokenRecord
from stimfw.storage.epochs import EpochLog
from stimfw.storage.generator import Generator
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record
from stimfw.telemetry import channels
from stimfw.telemetry.responder import Responder

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from stimfw.storage.blocks import BlockDevice

_WATCHDOG_MS = 2000
_RADIO_RESET_MS = 100  # nRF24L01+: power-on reset (table 16)
# clk_peri is 48 MHz and is divided by an even number: both requests give 8 MHz.
_BRIDGE_DAC_HZ = 10_000_000  # of 20 MHz: the MCP4922, and two ADG714 in a chain (one alone takes 30 MHz)
_RADIO_HZ = 8_000_000  # of 10 MHz


def gpio(name: str) -> int:
    """The GPIO number of a signal; a pin prints as `Pin(GPIO2, ...)`."""
    return int(str(Pin(name))[8:].split(",")[0])


def make_output() -> Output:
    """The output stage, off."""
    spi = SPI(0, baudrate=_BRIDGE_DAC_HZ, sck=Pin("DAC_SCK"), mosi=Pin("DAC_MOSI"))
    dac = Mcp4922(spi, Pin("DAC_CS", Pin.OUT, value=1))
    matrix = Adg714Pair(spi, Pin("MATRIX_CS", Pin.OUT, value=1))
    pulser = Pulser(gpio("L_CATH"), gpio("R_CATH"), gpio("LDAC"))
    output = Output(pulser, Sampler(), dac, matrix, Pin("KEEPALIVE", Pin.OUT, value=0))
    output.off()
    return output


def read_flash() -> "tuple[PairingTable, int, Generator]":
    """Pairings, this start's epoch, random bytes. Epoch 0 if the flash does not work: nobody is paired then.

    The epoch is advanced on flash before anything can use it.
    """
    flash: "BlockDevice" = rp2.Flash()  # type: ignore[assignment]
    material = entropy.material()
    try:
        epoch, seed = EpochLog(flash, layout.EPOCHS).advance(material)
        random = Generator(seed)
        table = PairingTable(Record(flash, layout.PAIRINGS))
        if not table.base:
            table.create(channels.draw_base(random.take))
        return table, epoch, random
    except OSError:
        return PairingTable(BrokenRecord()), 0, Generator(material)


def build() -> "tuple[App, Waiter, Watchdog]":
    """Make everything and test it at rest; nothing is served yet. Tests with their own loop start here."""
    micropython.alloc_emergency_exception_buf(100)
    for analog in (Pin("V_LEFT"), Pin("V_RIGHT"), Pin("I_SENSE")):
        ADC(analog)
    sense = Sense()
    output = make_output()
    watchdog = Watchdog(_WATCHDOG_MS)
    wake = Wake()
    measurements = Measurements(output, sense)
    measurements.take_baseline()
    spi = SPI(1, baudrate=_RADIO_HZ, sck=Pin("RADIO_SCK"), mosi=Pin("RADIO_MOSI"), miso=Pin("RADIO_MISO"))
    radio = NRF24L01(spi, Pin("RADIO_CSN", Pin.OUT, value=1), Pin("RADIO_CE", Pin.OUT, value=0), sleep_us)
    magnet = Pin("MAGNET", Pin.IN, Pin.PULL_UP)
    table, epoch, random = read_flash()
    sleep_ms(max(0, _RADIO_RESET_MS - ticks_ms()))
    own = channels.stimulator_address(table.base) if epoch else None
    failed = boot_test.run(prepare(radio, own), sense.supply_mv(), measurements.base16)
    if not epoch:
        failed |= messages.PART_FILESYSTEM
    led = Pin("LED", Pin.OUT, value=0)
    control = Control(output, measurements, magnet, led, program.default(), failed)
    readings = Readings(control, output, measurements, sense)
    clock = WallClock(ticks_ms)
    log = EventLog(clock.uptime_s)
    log.add(messages.EVENT_STARTED, messages.FROM_NOBODY, reset_cause())
    commands = Commands(control, readings, log)
    clinic = Clinic(control, commands, log, clock)
    commands.add(clinic.handlers())
    responder = Responder(table, commands.execute, epoch, random.take, log.add)
    port = StimulatorRadio(radio, responder, own)
    desk = PairingDesk(control, table, responder, random.take, MagnetHold(not magnet()), led, log)
    desk.attach(port, commands, clinic.close)
    commands.add(desk.handlers())
    console = Console(sys.stdin.buffer, sys.stdout.buffer, commands.from_host, wake)
    app = App(control, output, wake, port, console, responder, desk)
    readings.attach(app, console, port, responder)
    Pin("RADIO_IRQ", Pin.IN, Pin.PULL_UP).irq(app.on_radio, Pin.IRQ_FALLING, hard=True)
    magnet.irq(app.on_magnet, Pin.IRQ_FALLING, hard=True)
    rp2.PIO(0).irq(app.on_period, rp2.PIO.IRQ_SM2, hard=True)  # type: ignore[arg-type]
    output.tell_periods(False)
    port.listen()
    waiter = Waiter(wake, sys.stdin)
    readings.refresh()
    readings.boot_us = ticks_us()
    return app, waiter, watchdog


def main() -> None:
    """Serve until Ctrl-C; one that comes before the loop must not leave a watchdog behind either."""
    sys.path[:] = ["", ".frozen", "/lib"]  # MicroPython's own, for who works at the REPL: see _boot
    try:
        app, waiter, watchdog = build()
    except KeyboardInterrupt:
        Watchdog.disable()
        raise
    app.run(waiter, watchdog)


if __name__ == "__main__":
    main()
