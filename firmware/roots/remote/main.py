"""The remote's composition root: the one place that knows its pins. Ctrl-C ends it and gives the REPL."""

import sys

# What starts is what is frozen: no file can stand in for it, and the file system is not searched for each
# import, which takes 50 ms in all. The REPL has MicroPython's own path, whether or not this file ran before.
_path = sys.path[:]
sys.path[:] = [".frozen"]

import gc
import time
from typing import TYPE_CHECKING

import rp2
from machine import ADC, PWM, SPI, Pin
from stimfw.crypto.drbg import Drbg, KeyRandom
from stimfw.crypto.health import CheckedBits
from stimfw.drivers import entropy, interrupts
from stimfw.drivers.button import Button
from stimfw.drivers.buzzer import Buzzer
from stimfw.drivers.console import Console
from stimfw.drivers.led import Leds
from stimfw.drivers.nrf24l01 import NRF24L01
from stimfw.drivers.wake import Waiter, Wake
from stimfw.drivers.watchdog import Watchdog, restart_in
from stimfw.protocol import messages, requests
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.pulses import calibration
from stimfw.radio.searcher import RadioSender
from stimfw.remote.app import App
from stimfw.remote.frame_transport import FrameTransport
from stimfw.remote.modem import Modem
from stimfw.remote.pairing_state import PairingState, step
from stimfw.remote.panel import Display, Key
from stimfw.remote.requests import Conditions, ModemRequests, PairingRequests, ReadingRequests
from stimfw.remote.watch import Watch
from stimfw.storage.areas import Areas
from stimfw.storage.flash_requests import FlashRequests
from stimfw.storage.pairings import RemotePairing
from stimfw.ui import feedback

sys.path[:] = _path
del _path

if TYPE_CHECKING:
    from typing import Any

    from stimfw.storage.blocks import BlockDevice

_WATCHDOG_MS = 2000
_CALM_MS = 50  # nothing is due for so long: time for a collection
_RADIO_RESET_MS = 100  # nRF24L01+: power-on reset (table 16)
_VSYS_GPIO = 29  # a third of VSYS


def make_radio(wake: Wake, carrier: FrameTransport) -> "tuple[RadioSender, Any]":
    """The radio, asleep."""
    sck, mosi, miso = Pin("RADIO_SCK"), Pin("RADIO_MOSI"), Pin("RADIO_MISO")
    bus = SPI(1, baudrate=8_000_000, sck=sck, mosi=mosi, miso=miso)
    csn = Pin("RADIO_CSN", Pin.OUT, value=1)
    ce = Pin("RADIO_CE", Pin.OUT, value=0)
    radio = NRF24L01(bus, csn, ce, time.sleep_us, time.ticks_us)
    time.sleep_ms(max(0, _RADIO_RESET_MS - time.ticks_ms()))
    irq = Pin("RADIO_IRQ", Pin.IN, Pin.PULL_UP).irq(wake.set, Pin.IRQ_FALLING, hard=True)
    end = RadioSender(radio, carrier)
    carrier.attach(end)
    end.revive()
    return end, irq


def make_keys(wake: Wake) -> "tuple[Key, ...]":
    """The buttons, STOP first, STATUS last."""
    wiring = (("STOP", requests.STOP), ("START", requests.START), ("STATUS", requests.STATUS))
    return tuple([Key(Button(Pin(name, Pin.IN, Pin.PULL_UP), wake.set), opcode) for name, opcode in wiring])


def make_display() -> Display:
    """The LEDs and the buzzer, dark and silent."""
    leds = Leds(*[Pin(name, Pin.OUT, value=0) for name in ("LED_GREEN", "LED_AMBER", "LED_RED")])
    return Display(leds, Buzzer(PWM(Pin("BUZZER"), freq=2000, duty_u16=0)))


def open_flash(source: CheckedBits) -> Areas:
    """Epochs and pairing, whatever lies on flash. The epoch is advanced before anything can use it."""

    def begin(record: RemotePairing, random: Drbg) -> None:
        if not record.own_id:
            record.keep_id(random.take(4))

    flash: "BlockDevice" = rp2.Flash()  # type: ignore[assignment]
    return Areas(flash, RemotePairing, begin, bytes(source.start()) + entropy.noise())


def make_pairing(areas: Areas, keys: KeyRandom) -> PairingState:
    """The pairing on flash; if it cannot be used, none, and none can be made."""
    record: RemotePairing = areas.pairings
    usable = bool(record.own_id)
    own_id = record.own_id if usable else areas.random.take(4)
    if areas.epoch:
        step(record)
    return PairingState(record, own_id, areas.epoch, keys, usable)


def main() -> None:
    """Build the remote and run it until Ctrl-C. On any other exception the watchdog restarts the board."""
    edges = entropy.EdgeTimes()
    wake = Wake(edges.note)
    battery = ADC(_VSYS_GPIO)

    def supply_mv() -> int:
        return calibration.supply_mv(battery.read_u16())

    source = CheckedBits(entropy.oscillator())
    areas = open_flash(source)
    records_failed = messages.record_parts(not areas.epoch, areas.pairings_failed())

    def failed_parts() -> int:
        return records_failed | (messages.PART_RANDOM if source.failed else 0)

    pairing = make_pairing(areas, KeyRandom(areas.random, source, edges))
    carrier, modem = FrameTransport(), Modem()
    radio, radio_irq = make_radio(wake, carrier)
    display = make_display()
    watch = Watch(areas.random.take)
    keys = make_keys(wake)
    handled = [key.button.irq for key in keys]
    handled.append(radio_irq)
    app = App(keys, display, carrier, pairing, modem, watch, supply_mv)
    conditions = Conditions(app, pairing)
    dispatcher = Dispatcher("remote", conditions)
    console = Console(sys.stdin.buffer, sys.stdout.buffer, dispatcher.from_host, dispatcher.go_on, wake)
    waiter = Waiter(wake, sys.stdin)
    if failed_parts():
        display.play(feedback.NO_FLASH, time.ticks_ms())
    watchdog = Watchdog(_WATCHDOG_MS)
    dispatcher.serve(
        ReadingRequests(app, radio, pairing, supply_mv, failed_parts, console, time.ticks_ms),
        PairingRequests(pairing, conditions),
        FlashRequests(areas, conditions, watchdog.feed, restart_in),
        ModemRequests(app, modem, conditions, time.ticks_ms),
    )
    gc.threshold(-1)
    asked = False
    try:
        while True:
            sleep_ms = app.poll(time.ticks_ms())
            asked = asked or not app.calm()
            console_ms = console.poll()
            if console_ms >= 0:
                sleep_ms = min(sleep_ms, console_ms)
            if asked and sleep_ms >= _CALM_MS and app.calm():
                # Garbage of a request goes when it is over: a collection (8 ms) must not meet the next STOP.
                gc.collect()
                asked = False
                sleep_ms = 0  # so much of the wait is over: what is shown keeps its time
            interrupts.require(handled)
            watchdog.feed()
            waiter.wait(sleep_ms)
    except KeyboardInterrupt:
        watchdog.disable()
        print("stopped; Ctrl-D starts the application again")
    finally:
        app.close(time.ticks_ms())


main()
