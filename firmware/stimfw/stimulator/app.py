"""The stimulator's main loop: it polls magnet, radio, console and the present procedure, then sleeps.

KEEPALIVE edges and watchdog feeding happen in this loop only: whatever hangs, the output falls off.
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

import micropython

from stimfw.drivers import heap, interrupts
from stimfw.protocol import messages
from stimfw.ui.magnet import SETTLE_MS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from stimfw.drivers.console import Console
    from stimfw.drivers.wake import Waiter, Wake
    from stimfw.drivers.watchdog import Watchdog
    from stimfw.radio.listener import RadioListener
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.host_watch import HostWatch
    from stimfw.stimulator.log_keeper import LogKeeper
    from stimfw.stimulator.output import Output
    from stimfw.stimulator.pairing_controller import PairingController
    from stimfw.telemetry.responder import Responder

_CHECK_MS = 1000  # between two checks of the radio
_CHECK_PARTS = 3
_CTRL_C = 3
_REQUESTS = 12  # of at most 6.3 KB of garbage each; after a collection 135 KB are free
_PULSES_OVER_MS = 4  # after a period's call both leads' pulses are over: PairPacer, Pacer
_LATEST_MS = 5
"""Behind the call, for a collection: PAUSE_US less 10 ms for it, 7 for a STOP behind it, 2 for ticks."""


class App:
    """The loop, and the interrupt handlers that wake it."""

    def __init__(
        self,
        control: "Control",
        output: "Output",
        wake: "Wake",
        radio: "RadioListener",
        console: "Console",
        responder: "Responder",
        pairing: "PairingController",
        asked: "Callable[[], int]" = lambda: 0,
    ) -> None:
        """Args: asked: how many requests were executed since the start."""
        self.control = control
        self._output = output
        self._wake = wake
        self._radio = radio
        self._console = console
        self._responder = responder
        self._pairing = pairing
        self.asked = asked
        self._fill_to = 0  # the heap's holes, behind such a collection; 0: they are full
        self._settled_at = 0  # so many requests had been executed at the last collection in a contraction
        self.log_keeper: "LogKeeper | None" = None
        self.host_watch: "HostWatch | None" = None
        self.interrupts: "tuple[Any, ...]" = ()  # required once a second
        self.magnet_stops = 0
        self._magnet_hit = False
        self._edge_ms = 0  # its last edge, as the interrupt handler saw it: a pass may write flash in between
        self._magnet_ms = 0  # the last one that was dealt with
        self._period_began = False
        self._period_ms = 0
        self._radio_called = True
        self._look_once = False
        self._check_due_ms = 0
        self._check_part = 0
        self._console_busy = True
        self._hurried = False
        self._put_off = False

    # Interrupt handlers: no allocation.

    def on_magnet(self, _pin: object) -> None:
        """The magnet came: output off here and now; the loop does the rest."""
        self._output.trip()
        self._edge_ms = ticks_ms()
        self._magnet_hit = True
        self._wake.set()

    def on_period(self, _pio: object) -> None:
        """A stimulation period began."""
        self._period_began = True
        if self._output.has_pauses:
            self._period_ms = ticks_ms()
        self._wake.pending = True

    def on_radio(self, _pin: object) -> None:
        """The radio has something to say; while it is not to be read, that is no reason to wake up."""
        if not self._radio.paused:
            self._radio_called = True
            self._wake.set()

    def is_called(self) -> bool:
        """Whether the radio has something that was not read yet: it may be a STOP."""
        return self._radio_called

    def run(self, waiter: "Waiter", watchdog: "Watchdog") -> None:
        """Serve for ever; whatever ends it, the output is off. Ctrl-C also stops the watchdog."""
        readable = True
        kbd_intr = micropython.kbd_intr  # at hand: a second Ctrl-C may be 100 us behind the first
        try:
            while True:
                readable = waiter.wait(self.poll(readable))
                watchdog.feed()
        except KeyboardInterrupt:
            kbd_intr(-1)  # hosts send Ctrl-C twice
            self._output.trip()
            watchdog.disable()
            self.control.stop(messages.STOPPED_REPL)
            if self.log_keeper:
                self.log_keeper.flush()
            kbd_intr(_CTRL_C)
            print("stimulator stopped: output off")
        finally:
            self._output.trip()
            self.control.stop(messages.STOPPED_FAULT)

    def poll(self, readable: bool = True) -> int:
        """One pass over what there is to do; how long it can sleep then, in ms.

        `readable`: the host may have sent something.
        """
        now = ticks_ms()
        if self._magnet_hit:
            self._heed_magnet()
        self._responder.attentive = self.control.busy()
        if self._radio_called or self._look_once or self._radio.wait_ms(now) == 0:
            self._radio_called = self._look_once = False
            if self._radio.poll(now):
                self.on_radio(None)
            if not self._radio.answering:
                # Not before the receiver is on again: a peer that is quicker than this sends its REQUEST now.
                self._responder.make_candidates()
        checking = self._check(now)
        console_wait = -1
        self._console_busy = self._console_busy or readable
        steers = self._output.steers_fast
        if not steers and not self._hurries():
            console_wait = self._serve_host()
            now = ticks_ms()
        self._hurried = self._hurries()
        if self._hurried:
            return 0
        called = self._period_began
        self._period_began = False
        # No list: this runs in every period, and a contraction shall leave no garbage.
        wait = _sooner(self.control.poll(now, called), console_wait)
        if self._radio_called and not self._put_off:
            self._put_off = True  # it may be STOP; what follows can wait for a pass
            return 0
        self._put_off = False
        if steers and called:
            # Behind both leads' new amplitudes, once a period. Half of one is 2.5 ms at 200 Hz: a step of a
            # request that began before the call would make the right lead's too late.
            self._serve_host()
        wait = _sooner(wait, self._tend(now))
        return 0 if checking else _sooner(wait, self._radio.wait_ms(now))

    def _heed_magnet(self) -> None:
        """A reed switch chatters: an edge that follows another one and has nothing to stop is only that."""
        self._magnet_hit = False
        edge_ms = self._edge_ms
        if self.control.busy() or ticks_diff(edge_ms, self._magnet_ms) >= SETTLE_MS:
            self.magnet_stops += 1
            self.control.magnet_came()
        self._magnet_ms = edge_ms

    def _serve_host(self) -> int:
        """A step of what the host wants; how long the next one can wait, in ms, or -1."""
        if not self._console_busy:
            return -1
        wait_ms = self._console.poll()
        self._console_busy = wait_ms >= 0
        return wait_ms

    def _tend(self, now: int) -> int:
        """What comes last in a pass; how long it can wait, in ms, or -1. A collection is all of it."""
        collect_wait = -1
        if self._output.has_pauses or self._fill_to:
            collect_wait = self._collect()
            if collect_wait == 0:
                return 0
        wait = self._pairing.poll(now)
        if self.host_watch:
            left = self.host_watch.poll(now)
            wait = _sooner(left, wait) if left >= 0 else wait
        if self.log_keeper:
            self.log_keeper.poll(now)
        return _sooner(wait, collect_wait) if wait >= 0 else collect_wait

    def _collect(self) -> int:
        """Collect garbage in a train whose requests have left some, if no STOP is later for it.

        Both bridges are off before it begins, as a STOP wants them. It ends so long before the next pulse
        that a STOP which came meanwhile prevents that one. Above 20 Hz there is no room.

        Returns:
            0 if it did; in how many ms it can; -1 if not in this period.
        """
        if self._fill_to:
            return self._fill()
        output, asked = self._output, self.asked()
        if asked - self._settled_at < _REQUESTS or not output.pulser.running():
            return -1
        since_ms = ticks_diff(ticks_ms(), self._period_ms)
        if since_ms > _LATEST_MS or self._radio_called:
            return -1
        if since_ms < _PULSES_OVER_MS:
            return _PULSES_OVER_MS - since_ms
        output.pulser.open()
        self._settled_at = asked
        self._fill_to = heap.collect()
        return self._fill()

    def _fill(self) -> int:
        """What is left of heap.settle; the radio interrupts it, because a STOP may be there."""
        while self._fill_to and not self._radio_called:
            if heap.fill(self._fill_to):
                self._fill_to = 0
        return 0

    def _hurries(self) -> bool:
        """Whether what follows waits for the radio: it may be STOP. Not twice: others have their times."""
        return self._radio_called and not self._hurried

    def _check(self, now: int) -> bool:
        """A part of what is looked after once a second; whether another one is due.

        One part a pass: between two of them the radio is read, because STOP may be there.
        """
        part = self._check_part
        if part == 0 and ticks_diff(now, self._check_due_ms) < 0:
            return False
        if part == 0:
            self._check_due_ms = ticks_add(now, _CHECK_MS)
            interrupts.require(self.interrupts)
            self._revive_radio()
        elif part == 1:
            self._radio.check_channel(now, self.control.link.lost)
        else:
            self._responder.expire(now)
            self.control.link.poll(now)
        self._check_part = (part + 1) % _CHECK_PARTS
        return self._check_part > 0

    def _revive_radio(self) -> None:
        """Whether the radio works: without one there is no STOP by it, so no output but under a HostWatch."""
        self._look_once = True  # for an edge that was missed
        if self._radio.revive():
            self.control.mended(messages.PART_RADIO)
        else:
            self.control.fail(messages.PART_RADIO)


def _sooner(wait_ms: int, other_ms: int) -> int:
    """The shorter wait; a negative `other_ms` is none."""
    return other_ms if 0 <= other_ms < wait_ms else wait_ms
