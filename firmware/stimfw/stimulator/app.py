"""The stimulator's main loop: it serves magnet, radio, console and the present procedure, then sleeps.

KEEPALIVE edges and watchdog feeding happen in this loop only, while it turns: whatever hangs, the output
falls off.
"""

from time import ticks_add, ticks_diff, ticks_ms

import micropython

from stimfw.logic import messages

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from stimfw.drivers.console import Console
    from stimfw.drivers.radio_port import RadioPort
    from stimfw.drivers.wake import Waiter, Wake
    from stimfw.drivers.watchdog import Watchdog
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.output import Output

_RADIO_MS = 1000  # look after the radio, and for an edge that was missed
_CTRL_C = 3


class App:
    """The loop, and the interrupt handlers that wake it."""

    def __init__(
        self, control: "Control", output: "Output", wake: "Wake", radio: "RadioPort", console: "Console"
    ) -> None:
        self.control = control
        self._output = output
        self._wake = wake
        self._radio = radio
        self._console = console
        self.magnet_stops = 0
        self._magnet_hit = False
        self._period_began = False
        self._radio_called = True
        self._radio_due_ms = 0
        self._console_busy = True

    # Interrupt handlers: no allocation.

    def on_magnet(self, _pin: object) -> None:
        """The magnet came: output off here and now; the loop does the rest."""
        self._output.off_now()
        self._magnet_hit = True
        self._wake.pending = True

    def on_period(self, _pio: object) -> None:
        """A stimulation period began."""
        self._period_began = True
        self._wake.pending = True

    def on_radio(self, _pin: object) -> None:
        """The radio has something to say."""
        self._radio_called = True
        self._wake.pending = True

    def run(self, waiter: "Waiter", watchdog: "Watchdog") -> None:
        """Serve for ever; whatever ends it, the output is off. Ctrl-C also stops the watchdog."""
        readable = True
        try:
            while True:
                readable = waiter.wait(self.turn(readable))
                watchdog.feed()
        except KeyboardInterrupt:
            micropython.kbd_intr(-1)  # hosts send Ctrl-C twice
            self._output.off_now()
            watchdog.disable()
            self.control.stop(messages.STOPPED_REPL)
            micropython.kbd_intr(_CTRL_C)
            print("stimulator stopped: output off")
        finally:
            self._output.off_now()
            self.control.stop(messages.STOPPED_FAULT)

    def turn(self, readable: bool = True) -> int:
        """One pass over what there is to do; how long it can sleep then, in ms.

        `readable`: the host may have sent something.
        """
        now = ticks_ms()
        if self._magnet_hit:
            self._magnet_hit = False
            self.magnet_stops += 1
            self.control.stop(messages.STOPPED_MAGNET)
        if self._radio_called or ticks_diff(now, self._radio_due_ms) >= 0:
            self._serve_radio(now)
        console_wait = -1
        if readable or self._console_busy:
            console_wait = self._console.service()
            self._console_busy = console_wait >= 0
            now = ticks_ms()
        called = self._period_began
        self._period_began = False
        wait = self.control.advance(now, called)
        return min(wait, console_wait) if self._console_busy else wait

    def _serve_radio(self, now: int) -> None:
        """Frames, and now and then a look at the radio itself: without one there is no STOP, so no output."""
        if not self._radio_called:
            if self._radio.revive(requester=False):
                self.control.mended(messages.PART_RADIO)
            else:
                self.control.fail(messages.PART_RADIO)
        self._radio_called = False
        self._radio_due_ms = ticks_add(now, _RADIO_MS)
        if self._radio.service(now):
            self.on_radio(None)
