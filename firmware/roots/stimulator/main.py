"""The stimulator's composition root: here alone it is known which part is on which pin."""

import sys

# What starts is what is frozen: no file can stand in for it, and the file system is not searched for each
# import, which takes 50 ms in all. The REPL has MicroPython's own path, whether or not this file ran before.
_path = sys.path[:]
sys.path[:] = [".frozen"]

import gc
from time import sleep_ms, sleep_us, ticks_ms, ticks_us
from typing import TYPE_CHECKING

import micropython
import rp2
from machine import ADC, SPI, Pin
from stimfw.clock.wall_clock import WallClock
from stimfw.crypto.drbg import Drbg, KeyRandom
from stimfw.crypto.health import CheckedBits
from stimfw.drivers import entropy, xip
from stimfw.drivers.adg1414 import Adg1414Pair
from stimfw.drivers.console import Console
from stimfw.drivers.gate_lines import GateLines
from stimfw.drivers.mcp4922 import Mcp4922
from stimfw.drivers.nrf24l01 import NRF24L01
from stimfw.drivers.pulser import Pulser
from stimfw.drivers.sampler import Sampler
from stimfw.drivers.sense import Sense
from stimfw.drivers.wake import Waiter, Wake
from stimfw.drivers.watchdog import Watchdog, restart_in
from stimfw.protocol import messages
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.radio.listener import RadioListener, prepare
from stimfw.stimulator.app import App
from stimfw.stimulator.cache_requests import CacheRequests
from stimfw.stimulator.clinician_requests import ClinicianRequests
from stimfw.stimulator.conditions import Conditions
from stimfw.stimulator.control import Control
from stimfw.stimulator.log_keeper import LogKeeper
from stimfw.stimulator.measure import Measurements
from stimfw.stimulator.output import Output
from stimfw.stimulator.output_test import OutputTest
from stimfw.stimulator.pairing_controller import PairingController
from stimfw.stimulator.pairing_requests import PairingRequests
from stimfw.stimulator.reading_requests import ReadingRequests
from stimfw.stimulator.session_requests import SessionRequests
from stimfw.storage import layout
from stimfw.storage.areas import Areas
from stimfw.storage.event_store import EventStore
from stimfw.storage.flash_requests import FlashRequests
from stimfw.storage.pairings import PairingTable
from stimfw.telemetry import addresses
from stimfw.telemetry.responder import Responder
from stimfw.therapy import program
from stimfw.therapy.event_log import EventLog
from stimfw.therapy.stranger_log import StrangerLog
from stimfw.ui.magnet import MagnetHold

sys.path[:] = _path
del _path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from stimfw.storage.blocks import BlockDevice

    SelfTest = Generator[int, None, int]

_WATCHDOG_MS = 2000
_RADIO_RESET_MS = 100  # nRF24L01+: power-on reset (table 16)
# clk_peri is 48 MHz and is divided by an even number: both requests give 8 MHz.
_BRIDGE_DAC_HZ = 10_000_000  # of 20 MHz: the MCP4922
_RADIO_HZ = 8_000_000  # of 10 MHz


def gpio(name: str) -> int:
    """The GPIO number of a signal; a pin prints as `Pin(GPIO2, ...)`."""
    return int(str(Pin(name))[8:].split(",")[0])


def make_parts() -> "tuple[Pulser, Mcp4922, Adg1414Pair, Pin]":
    """What the output stage is made of; also of stimfw.stimulator.statics."""
    spi = SPI(0, baudrate=_BRIDGE_DAC_HZ, sck=Pin("DAC_SCK"), mosi=Pin("DAC_MOSI"))
    dac = Mcp4922(spi, Pin("DAC_CS", Pin.OUT, value=1))
    matrix = Adg1414Pair(spi, Pin("MATRIX_CS", Pin.OUT, value=1), _BRIDGE_DAC_HZ)
    pulser = Pulser(gpio("L_CATH"), gpio("R_CATH"), gpio("LDAC"))
    return pulser, dac, matrix, Pin("KEEPALIVE", Pin.OUT, value=0)


def make_output() -> Output:
    """The output stage, off."""
    pulser, dac, matrix, keepalive = make_parts()
    output = Output(pulser, Sampler(), dac, matrix, keepalive)
    output.off()
    return output


def forget(*names: str) -> None:
    """Drop modules that a start alone needs; who still holds one keeps it."""
    for name in names:
        parent, own = name.rsplit(".", 1)
        delattr(sys.modules[parent], own)
        del sys.modules[name]


def make_sense() -> "tuple[Sense, Any, bool]":
    """The converter, its three pins analogue; stimfw.stimulator.boot_test; whether the clocks are right."""
    from stimfw.drivers import clock_tree
    from stimfw.stimulator import boot_test

    right = clock_tree.put_right()
    forget("stimfw.drivers.clock_tree", "stimfw.stimulator.boot_test")
    for analog in (Pin("V_LEFT"), Pin("V_RIGHT"), Pin("I_SENSE")):
        ADC(analog)
    return Sense(), boot_test, right


def make_radio() -> NRF24L01:
    """The radio, not configured yet: it has its own reset."""
    spi = SPI(1, baudrate=_RADIO_HZ, sck=Pin("RADIO_SCK"), mosi=Pin("RADIO_MOSI"), miso=Pin("RADIO_MISO"))
    return NRF24L01(spi, Pin("RADIO_CSN", Pin.OUT, value=1), Pin("RADIO_CE", Pin.OUT, value=0), sleep_us)


def open_flash(source: CheckedBits, output: Output) -> "tuple[BlockDevice, Areas, EventStore]":
    """Records and log, whatever lies on flash. The epoch is advanced before anything can use it."""

    def begin(table: PairingTable, random: Drbg) -> None:
        if not table.base:
            table.create(addresses.draw_base(random.take))

    flash: "BlockDevice" = rp2.Flash()  # type: ignore[assignment]
    load_calibration(flash, output)
    areas = Areas(flash, PairingTable, begin, bytes(source.start()) + entropy.noise())
    return flash, areas, EventStore(flash, layout.EVENTS)


def load_life(flash: "BlockDevice") -> "Any":
    """stimfw.stimulator.implanted, if the board is one; its modules take heap that one on the bench lacks.

    A record of it that is damaged was most likely an implant's: it is loaded, and lets nothing begin.
    """
    from stimfw.storage.record import Record

    try:
        record = Record(flash, layout.LIFE).peek()
        if record is None or record[1] == 0:  # stimfw.storage.life.BENCH: it was explanted
            return None
    except (OSError, IndexError):
        pass
    from stimfw.stimulator import implanted

    return implanted


def whole_test(output: Output, sense: Sense, base16: "list[int]") -> "Callable[[], SelfTest]":
    """What makes the output's whole self-test."""
    lines = GateLines(Pin("GATE_Q", Pin.IN, Pin.PULL_DOWN), gpio("MAGNET"))
    return lambda: OutputTest(output, sense, lines, base16).run()


def load_calibration(flash: "BlockDevice", output: Output) -> None:
    """Let the output go by the calibration on flash, if there is something in its place."""
    from stimfw.storage.record import Record

    try:
        if Record(flash, layout.CALIBRATION).peek() is None:
            return
    except OSError:
        pass
    from stimfw.stimulator import calibrating

    calibrating.use(flash, output)
    calibrating.unload()


def restart_with_log(app: App) -> "Callable[[int], None]":
    """`restart_in`, after what is new in the log has come to flash."""

    def restart(delay_ms: int) -> None:
        if app.log_keeper:
            app.log_keeper.flush()
        restart_in(delay_ms)

    return restart


def do_without_radio(works: bool, app: App, control: Control, console: Console) -> None:
    """Serve a host on USB although no radio `works`; what runs ends when that host falls silent."""
    if works:
        return
    from stimfw.stimulator.host_watch import HostWatch

    control.spare(messages.PART_RADIO)
    app.host_watch = HostWatch(control, lambda: console.receiver.frames)


def attach_interrupts(app: App, output: Output, magnet: Pin) -> None:
    """Radio, magnet and periods call the application; periods not yet."""
    app.interrupts = (
        Pin("RADIO_IRQ", Pin.IN, Pin.PULL_UP).irq(app.on_radio, Pin.IRQ_FALLING, hard=True),
        magnet.irq(app.on_magnet, Pin.IRQ_FALLING, hard=True),
        rp2.PIO(0).irq(app.on_period, rp2.PIO.IRQ_SM2, hard=True),  # type: ignore[arg-type]
    )
    output.tell_periods(False)


def build() -> "tuple[App, Waiter, Watchdog]":
    """Make everything and test it at rest; nothing is served yet. Tests with their own loop start here."""
    micropython.alloc_emergency_exception_buf(100)
    sense, boot_test, clocks_right = make_sense()
    output = make_output()
    watchdog = Watchdog(_WATCHDOG_MS)
    edges = entropy.EdgeTimes()
    wake = Wake(edges.note)
    measurements = Measurements(output, sense)
    boot_test.wait_for_rails(sense, sleep_ms)
    measurements.take_baseline()
    radio, magnet = make_radio(), Pin("MAGNET", Pin.IN, Pin.PULL_UP)
    source = CheckedBits(entropy.oscillator())
    flash, areas, store = open_flash(source, output)
    life = load_life(flash)
    table: PairingTable = areas.pairings
    keys = KeyRandom(areas.random, source, edges)
    sleep_ms(max(0, _RADIO_RESET_MS - ticks_ms()))
    # Without an epoch or pairings there is no base: nobody is heard but in a pairing window, and none opens.
    own = addresses.stimulator_address(table.base) if table.base else None
    failed = (
        boot_test.run(prepare(radio, own), sense.supply_mv(), measurements.base16)
        | messages.record_parts(not areas.epoch, areas.pairings_failed())
        | (messages.PART_RANDOM if source.failed else 0)
        | (0 if clocks_right else messages.PART_CLOCK)
    )
    led, clock = Pin("LED", Pin.OUT, value=0), WallClock(ticks_ms)
    make_log, make_conditions = (life.make_log, life.ImplantConditions) if life else (EventLog, Conditions)
    log, strangers = make_log(clock.uptime_s, store.next_number), StrangerLog(clock.uptime_s)
    log.add(messages.EVENT_STARTED, messages.FROM_NOBODY, watchdog.start_cause)
    control = Control(output, measurements, magnet, led, program.default(), failed, log.add)
    conditions = make_conditions(control, table)
    dispatcher = Dispatcher("stimulator", conditions, log, control.busy)
    keys.on_failure = lambda: control.fail(messages.PART_RANDOM)
    responder = Responder(table, dispatcher.execute, areas.epoch, keys.take, log.add, strangers.add)
    control.silent_ms, control.link.silent_ms = responder.last_authentic_ms, responder.silent_ms
    control.on_stop = responder.end_connections
    port = RadioListener(radio, responder, own)
    controller = PairingController(
        control, table, responder, port, keys.take, MagnetHold(not magnet()), led, log
    )
    console = Console(sys.stdin.buffer, sys.stdout.buffer, dispatcher.from_host, dispatcher.go_on, wake)
    app = App(control, output, wake, port, console, responder, controller, lambda: dispatcher.asked)
    keeper = app.log_keeper = LogKeeper(log, store, lambda: control.busy() or control.pairing, app.asked)
    restart = restart_with_log(app)
    clinician = ClinicianRequests(
        control, conditions, dispatcher, log, clock, keeper, strangers, flash, restart
    )
    groups, restore = (), clinician.restore
    if life:
        implant = life.Implant(
            flash, control, output, measurements, sense, clock, log, keeper, dispatcher, conditions, restart,
            watchdog.start_cause, app.is_called,
        )  # fmt: skip
        groups, restore, app.log_keeper = implant.groups, implant.restore, implant.polled
    readings = ReadingRequests(
        control, output, measurements, sense, dispatcher, app, console, port, responder
    )
    dispatcher.serve(
        *groups,
        SessionRequests(control, conditions, dispatcher, log),
        readings,
        clinician,
        PairingRequests(controller, table, conditions, responder, port, keys.take, log, restore),
        FlashRequests(areas, conditions, watchdog.feed, restart, lambda: bytes((keeper.state,))),
        CacheRequests(xip.read),
    )
    do_without_radio(port.works or life is not None, app, control, console)
    control.whole_test = whole_test(output, sense, measurements.base16)
    attach_interrupts(app, output, magnet)
    responder.warm()
    port.listen()
    readings.refresh()
    readings.start_cause, readings.boot_us = watchdog.start_cause, ticks_us()
    return app, Waiter(wake, sys.stdin), watchdog


def main() -> None:
    """Serve until Ctrl-C; one before the loop, or a second one, leaves no watchdog behind either."""
    try:
        app, waiter, watchdog = build()
        gc.threshold(-1)  # from here on a collection comes when it can be afforded: see heap.settle
        app.run(waiter, watchdog)
    except KeyboardInterrupt:
        Watchdog.disable()
        print("stimulator stopped: output off")


if __name__ == "__main__":
    main()
