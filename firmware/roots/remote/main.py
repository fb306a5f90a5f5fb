"""The remote's composition root: the one place that knows its pins. Ctrl-C ends it and gives the REPL."""

import sys
import time
from os import urandom

from machine import ADC, PWM, SPI, Pin
from stimfw.drivers.button import Button
from stimfw.drivers.buzzer import Buzzer
from stimfw.drivers.console import Console
from stimfw.drivers.led import Leds
from stimfw.drivers.nrf24l01 import NRF24L01
from stimfw.drivers.radio_port import RadioPort
from stimfw.drivers.wake import Waiter, Wake
from stimfw.drivers.watchdog import Watchdog
from stimfw.logic import messages, radio_frame
from stimfw.logic.link import Requester
from stimfw.remote.app import App, Display, Key
from stimfw.remote.commands import Commands

_WATCHDOG_MS = 2000
_RADIO_RESET_MS = 100  # nRF24L01+: power-on reset (table 16)
_VSYS_GPIO = 29  # a third of VSYS


def make_port(wake: Wake, requester: Requester) -> RadioPort:
    """The radio, asleep."""
    sck, mosi, miso = Pin("RADIO_SCK"), Pin("RADIO_MOSI"), Pin("RADIO_MISO")
    bus = SPI(1, baudrate=8_000_000, sck=sck, mosi=mosi, miso=miso)
    csn = Pin("RADIO_CSN", Pin.OUT, value=1)
    ce = Pin("RADIO_CE", Pin.OUT, value=0)
    radio = NRF24L01(bus, csn, ce, time.sleep_us)
    time.sleep_ms(max(0, _RADIO_RESET_MS - time.ticks_ms()))
    irq = Pin("RADIO_IRQ", Pin.IN, Pin.PULL_UP)
    irq.irq(wake.set, Pin.IRQ_FALLING, hard=True)
    port = RadioPort(radio, requester)
    port.revive(requester=True)
    return port


def make_keys(wake: Wake) -> "tuple[Key, ...]":
    """The buttons, STOP first."""
    wiring = (("STOP", messages.STOP), ("START", messages.START), ("STATUS", messages.STATUS))
    return tuple([Key(Button(Pin(name, Pin.IN, Pin.PULL_UP), wake.set), opcode) for name, opcode in wiring])


def make_display() -> Display:
    """The LEDs and the buzzer, dark and silent."""
    leds = Leds(*[Pin(name, Pin.OUT, value=0) for name in ("LED_GREEN", "LED_AMBER", "LED_RED")])
    return Display(leds, Buzzer(PWM(Pin("BUZZER"), freq=2000, duty_u16=0)))


def main() -> None:
    """Build the remote and run it until Ctrl-C. On any other exception the watchdog restarts the board."""
    wake = Wake()
    battery = ADC(_VSYS_GPIO)
    requester = Requester(radio_frame, int.from_bytes(urandom(2), "little"))

    def supply_mv() -> int:
        return battery.read_u16() * 9900 // 65536

    port = make_port(wake, requester)
    app = App(make_keys(wake), make_display(), port, requester, supply_mv)
    commands = Commands(app, port, requester, supply_mv)
    console = commands.console = Console(sys.stdin.buffer, sys.stdout.buffer, commands.execute)
    waiter = Waiter(wake, sys.stdin)
    watchdog = Watchdog(_WATCHDOG_MS)
    try:
        while True:
            sleep_ms = app.step(time.ticks_ms())
            console_ms = console.service()
            if console_ms >= 0:
                sleep_ms = min(sleep_ms, console_ms)
            watchdog.feed()
            waiter.wait(sleep_ms)
    except KeyboardInterrupt:
        watchdog.disable()
        print("stopped; Ctrl-D starts the application again")
    finally:
        app.close(time.ticks_ms())


main()
