"""74HCT423: the hardware that ends stimulation when software stops asking for it (Nexperia, rev. 8).

Modelled: the function table (section 7, table 3): B rising while A is low and the reset is high, or A falling
while B and the reset are high, triggers and retriggers; a low reset ends the pulse at once, and **its rise
triggers nothing**, whatever A and B are. That is what tells it from a '123. On the bench A is tied low,
KEEPALIVE drives B, and the reset shares its net with the magnet's reed switch. Q is read back as GATE_Q. 267
kohm and 1 uF give 120 ms; 1 %, 5 % and the chip's own 5 % make that 107 to 133 ms (docs/circuit.md). Left
out: propagation delays (some 30 ns; with the gates behind it 0.6 us), the minimum retrigger time.
"""

from __future__ import annotations

from collections.abc import Callable

from .interfaces import PinPort, Scheduler

__all__ = ("PULSE_MS", "Monostable")

PULSE_MS = 120.0


class Monostable:
    """One half of a 74HCT423 with its timing RC.

    Args:
        scheduler: the board's clock.
        b: input B.
        clr: the reset input, low resets.
        pulse_ms: the output pulse from the last trigger, before the tolerance.
        tolerance: how far this RC is off, as a share: -0.1 is 10 % short.
        clr_cut: the wire to the reset is cut and the reset tied high, to prove what the firmware does alone.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        b: PinPort,
        clr: PinPort,
        *,
        pulse_ms: float = PULSE_MS,
        tolerance: float = 0.0,
        clr_cut: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._b_pin, self._clr_pin = b, clr
        self._pulse_ns = round(pulse_ms * (1.0 + tolerance) * 1e6)
        self._a = False
        self._b = b.level
        self._clr = True if clr_cut else clr.level
        self._q = False
        self._deadline_ns = 0
        self._waiting = False
        self._stuck: bool | None = None
        self._clr_cut = clr_cut
        self._listeners: list[Callable[[bool, int], None]] = []
        self.triggers = 0
        """How often it was triggered or retriggered."""
        b.on_edge(self._on_b)
        clr.on_edge(self._on_clr)

    @property
    def q(self) -> bool:
        """The output: true lets the bridge lines through and holds the relays."""
        return self._q

    @property
    def pulse_ns(self) -> int:
        """This part's pulse, in ns."""
        return self._pulse_ns

    @property
    def stuck(self) -> bool | None:
        """The level that Q is stuck at; None: it works."""
        return self._stuck

    def stick(self, level: bool | None) -> None:
        """Let Q stay at a level, whatever the inputs do; None: it works again."""
        self._stuck = level
        now = self._scheduler.now_ns
        self._set_q(now < self._deadline_ns if level is None else level, now)

    def tolerance(self, pulse_ms: float, share: float) -> None:
        """Another pulse from the next trigger on: `pulse_ms`, off by this share."""
        self._pulse_ns = round(pulse_ms * (1.0 + share) * 1e6)

    def on_change(self, listener: Callable[[bool, int], None]) -> None:
        """Call `listener(q, time_ns)` whenever Q changes."""
        self._listeners.append(listener)

    def cut_clr(self, cut: bool = True) -> None:
        """Cut the wire to the reset (which is then tied high), or mend it."""
        self._clr_cut = cut
        self._set_clr(True if cut else self._clr_pin.level, self._scheduler.now_ns)

    def power_on_reset(self) -> None:
        """The supply went: no pulse is under way."""
        self._deadline_ns = now = self._scheduler.now_ns
        self._set_q(False, now)

    def drive_a(self, level: bool) -> None:
        """Input A; the bench ties it low."""
        fell = self._a and not level
        self._a = level
        if fell and self._b and self._clr:
            self._trigger(self._scheduler.now_ns)

    def _on_b(self, level: bool, time_ns: int) -> None:
        rose = level and not self._b
        self._b = level
        if rose and not self._a and self._clr:
            self._trigger(time_ns)

    def _on_clr(self, level: bool, time_ns: int) -> None:
        if not self._clr_cut:
            self._set_clr(level, time_ns)

    def _set_clr(self, level: bool, time_ns: int) -> None:
        self._clr = level
        if not level:
            self._deadline_ns = time_ns
            self._set_q(False, time_ns)

    def _trigger(self, time_ns: int) -> None:
        self.triggers += 1
        self._deadline_ns = time_ns + self._pulse_ns
        self._set_q(True, time_ns)
        if not self._waiting:
            self._waiting = True
            self._scheduler.call_at(self._deadline_ns, self._on_deadline)

    def _on_deadline(self) -> None:
        # A retrigger only moves the deadline; one call is under way at a time, however many edges came.
        self._waiting = False
        if not self._q:
            return
        if self._deadline_ns > self._scheduler.now_ns:
            self._waiting = True
            self._scheduler.call_at(self._deadline_ns, self._on_deadline)
        else:
            self._set_q(False, self._deadline_ns)

    def _set_q(self, level: bool, time_ns: int) -> None:
        level = level if self._stuck is None else self._stuck
        if level != self._q:
            self._q = level
            for listener in self._listeners:
                listener(level, time_ns)
