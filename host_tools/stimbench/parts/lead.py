"""One lead: pump, bridge, blocking capacitor, switches and electrodes, solved from edge to edge.

There are no time steps. An edge (of a bridge line, a switch, the DAC, a fault) closes the present stretch
in closed form and begins the next; a sample in between evaluates the stretch. Only three things divide a
stretch further: the DAC slewing while the bridge is on (pieces of 0.25 us), the moment when the pump
reaches its compliance limit (found by bisection), and a decaying current in the trace (straight pieces);
with an idle leg that stays open the spike at a phase's begin, too (parts.idle_leg).

Where things are: pump and bridge - shunt - recharge switch with 1 kohm across - 4.7 uF in series - relay -
source rail - switches - electrodes - switches - sink rail - relay - back. The recharge loop therefore
includes the capacitor and takes its charge back. The shunt is between bridge and recharge switch: it sees
what the pump delivers, not the recharge. With the relay open nothing flows, and V shows the electrodes alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import copysign

import numpy as np

from .adg1414 import MatrixChain
from .bridge import Bridge, BridgeState
from .circuit_interval import CircuitInterval
from .electrodes import DEFAULT_PAIR_R_S_OHM, Electrode
from .interfaces import Scheduler
from .network import BLEED_OHM, BLOCKING_F, LeadConfig, Modes, solve
from .pump import SUPPLY_V, Pump
from .seeds import spread
from .shunt import Leak, seen_amps
from .trace import LeadTrace

__all__ = ("RECHARGE_OHM", "Lead", "StepListener")

RECHARGE_OHM = 1025.0
"""1 kohm and a DG412 of 25 ohm."""
_SLEW_STEP_NS = 250
StepListener = Callable[[int, float, float, float, float], None]
"""(time_ns, V before, A before, V after, A after) at every edge; A as the current amplifier sees them."""

_SIGN = {
    BridgeState.CATHODIC: -1.0,
    BridgeState.ANODIC: 1.0,
    BridgeState.CATHODIC_INTO_SHORT: -1.0,
    BridgeState.ANODIC_INTO_SHORT: 1.0,
}
_DRIVEN = (BridgeState.CATHODIC, BridgeState.ANODIC)
_FAULTS = (BridgeState.SHOOT_THROUGH, BridgeState.CATHODIC_INTO_SHORT, BridgeState.ANODIC_INTO_SHORT)
_NO_WAY = (BridgeState.OFF, BridgeState.SHOOT_THROUGH)


class Lead:
    """One lead with its four electrodes, `name` being `left` or `right`."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        pump: Pump,
        bridge: Bridge,
        matrix: MatrixChain,
        chip: int,
        *,
        seed: int = 0,
    ) -> None:
        self.name = name
        self._scheduler, self._pump, self._bridge, self._matrix, self._chip = (
            scheduler,
            pump,
            bridge,
            matrix,
            chip,
        )
        self.electrodes = tuple(
            Electrode(k, scheduler, self._changed, spread(seed, f"{name}/electrode{k}"), name)
            for k in range(4)
        )
        self.trace = LeadTrace(self._present)
        self.events: deque[tuple[int, str]] = deque(maxlen=10_000)
        """(time_ns, what): `compliance`, `shoot-through`, `cathodic into short` ... the last 10 000."""
        self.bleed_ohm = BLEED_OHM
        """Between the rails."""
        self.step_ohm = 0.0
        """Of the last edge: its change of V over that of the current."""
        self._across_ohm: float | None = None
        self.leaks: Leak | None = None
        """The bridge switch that leaks, or None."""
        self._charge_zero_v = 0.0
        self._listeners: list[StepListener] = []
        self._solved: dict[float | None, Modes] = {}
        self._until_ns: int | None = None
        self._conducting = bridge.state
        self._state_at_end = np.zeros(5)
        self._stretch = CircuitInterval(self._modes(None), self._state_at_end, 0.0, scheduler.now_ns)
        bridge.on_change(self._on_bridge)
        matrix.on_change(lambda c, time_ns: self._reconfigure(time_ns) if c == chip else None)

    def __repr__(self) -> str:
        broken = [str(electrode.index) for electrode in self.electrodes if electrode.is_open]
        health = f"electrode {' and '.join(broken)} open" if broken else "no electrode open"
        return f"<{self.name} lead, electrodes 0 to {len(self.electrodes) - 1}: {health}>"

    @property
    def is_joined(self) -> bool:
        """Whether electrodes are on both rails."""
        mask = self._matrix.mask(self._chip)
        return bool(mask & 0xF and mask >> 4)

    @property
    def is_driven(self) -> bool:
        """Whether a phase is on."""
        return self._conducting in _DRIVEN

    # What can be read.

    def volts(self, time_ns: int) -> float:
        """Between the rails (source minus sink), V: what the sense amplifier is wired to."""
        self._refine(time_ns)
        return self._stretch.volts(time_ns)

    def amps(self, time_ns: int) -> float:
        """Through the lead, A; cathodic is negative, recharge included."""
        self._refine(time_ns)
        return self._stretch.amps(time_ns)

    def shunt_amps(self, time_ns: int) -> float:
        """What the pump delivers, A: the current in the shunt."""
        self._refine(time_ns)
        return self._delivered(time_ns)

    def sensed_amps(self, time_ns: int) -> float:
        """What the current amplifier makes of the shunt, A (parts.shunt)."""
        self._refine(time_ns)
        return self._sensed(self._delivered(time_ns), time_ns)

    def _sensed(self, amps: float, time_ns: int) -> float:
        """Of what the pump delivers."""
        if amps <= 0.0 or self._conducting is not BridgeState.ANODIC:
            return amps
        lead_v = self._stretch.volts(time_ns) + self._stretch.block_volts(time_ns)
        return seen_amps(amps, lead_v, self._pump.supply_v)

    def charge_nc(self, time_ns: int | None = None) -> float:
        """Net charge through the lead since the start or `clear_charge`, nC, recharge included.

        It is the blocking capacitor's, so it is exact whatever the current did. Without a time: now.
        """
        now = self._scheduler.now_ns if time_ns is None else time_ns
        self._refine(now)
        return (self._stretch.block_volts(now) - self._charge_zero_v) * BLOCKING_F * 1e9

    def clear_charge(self) -> None:
        """Count the net charge from now on."""
        now = self._scheduler.now_ns
        self._refine(now)
        self._charge_zero_v = self._stretch.block_volts(now)

    def on_step(self, listener: StepListener) -> None:
        """Be told of every edge (for the sense amplifiers' bandwidth)."""
        self._listeners.append(listener)

    def _delivered(self, time_ns: int) -> float:
        """What the pump delivers, A, in the present stretch."""
        if self._conducting in _DRIVEN and self._across_ohm is None:
            return self._stretch.amps(time_ns)
        sign = _SIGN.get(self._conducting)
        return 0.0 if sign is None else sign * self._into_resistor(time_ns)

    def _into_resistor(self, time_ns: int) -> float:
        """What the pump drives into recharge resistor or `join_resistor`'s, A: at most what 15 V let flow."""
        amps = self._pump.amps(time_ns)
        if self._conducting not in _DRIVEN or self._across_ohm is None:
            return amps
        return min(amps, self._pump.supply_v / (self._pump.limit_ohm + self._across_ohm))

    def resistor_volts(self, time_ns: int) -> float:
        """At the resistor of `join_resistor`, X against B: cathodic is negative. 0.0 without one."""
        return 0.0 if self._across_ohm is None else self.shunt_amps(time_ns) * self._across_ohm

    # What can be done to it.

    def set_pair(
        self, *, r_s_ohm: float = DEFAULT_PAIR_R_S_OHM, c_dl_uf: float = 5.0, r_ct_ohm: float = 100e3
    ) -> None:
        """Give every electrode half of `r_s_ohm`, and the given interface. `restore` comes back to this.

        Args:
            r_s_ohm: series resistance of a pair.
            c_dl_uf: double-layer capacitance of each electrode, uF.
            r_ct_ohm: charge-transfer resistance of each electrode.

        Raises:
            ValueError: a resistance that is not positive, or a negative capacitance.
        """
        for electrode in self.electrodes:
            electrode.set_baseline(r_s_ohm / 2.0, r_ct_ohm, c_dl_uf)

    def load_resistor(self, ohm: float) -> None:
        """Replace the electrodes by resistors: `ohm` between any two of them, no capacitance.

        Raises:
            ValueError: `ohm` is not positive.
        """
        self.set_pair(r_s_ohm=ohm, c_dl_uf=0.0)

    def join_resistor(self, ohm: float | None) -> None:
        """Put a resistor between test points X and B, in front of the blocking capacitor; None: take it off.

        A steady current has a way there (docs/calibration.md), past capacitor and electrodes.
        """
        self._across_ohm = ohm
        self.part_changed()

    def leak(self, ohm: float | None, positive: bool = True) -> None:
        """A bridge switch leaks from a 15 V supply through so many ohm (parts.shunt); None: none does."""
        self.leaks = None if ohm is None else Leak(ohm, SUPPLY_V if positive else -SUPPLY_V)
        self.part_changed()

    def part_changed(self) -> None:
        """Pump or bridge are others from now on."""
        self._restart(self._scheduler.now_ns)

    def restore(self) -> None:
        """Undo every fault of the electrodes of this lead."""
        for electrode in self.electrodes:
            electrode.restore()

    # How it goes on.

    def _modes(self, source_ohm: float | None) -> Modes:
        modes = self._solved.get(source_ohm)
        if modes is None:
            shorts = tuple((e.index, k) for e in self.electrodes for k in sorted(e.touching) if e.index < k)
            values = tuple(e.values for e in self.electrodes)
            r_on_ohm = self._matrix.r_on_ohm[self._chip]
            modes = solve(
                LeadConfig(
                    self._matrix.mask(self._chip), values, shorts, source_ohm, r_on_ohm, self.bleed_ohm
                )
            )
            self._solved[source_ohm] = modes
        return modes

    def _changed(self) -> None:
        self._reconfigure(self._scheduler.now_ns)

    def _reconfigure(self, time_ns: int) -> None:
        self._solved = {}
        self._restart(time_ns)

    def on_dac(self, channel: int, time_ns: int) -> None:
        """The DAC's output began to move."""
        if channel == self._pump.channel and self._conducting in _SIGN:
            self._restart(time_ns)
        elif channel == self._pump.channel:
            self._rest(time_ns)

    def _on_bridge(self, state: BridgeState, time_ns: int) -> None:
        # Two lines that change at one instant arrive one after the other: what lasts 0 ns is no fault.
        old = self._conducting
        if old in _FAULTS and self.events and self.events[-1] == (time_ns, old.value):
            self.events.pop()
        if state in _FAULTS:
            self.events.append((time_ns, state.value))
        self._restart(time_ns, state)

    def _restart(self, time_ns: int, state: BridgeState | None = None) -> None:
        """Close the present stretch at `time_ns` and begin the next one."""
        now = max(time_ns, self._stretch.t0_ns)
        self._refine(now)
        self._step(now, state)

    def _step(self, now: int, state: BridgeState | None = None) -> None:
        before_v, flowed = self._stretch.volts(now), self._delivered(now)
        before_a = self._sensed(flowed, now)
        self._finish(now)
        if state is not None:
            self._conducting = state
        self._begin(now)
        after_v, flows = self._stretch.volts(now), self._delivered(now)
        after_a = self._sensed(flows, now)
        self.step_ohm = self._pump.step_ohm(after_v - before_v, flows - flowed, now)
        for listener in self._listeners:
            listener(now, before_v, before_a, after_v, after_a)

    def _begin(self, now: int) -> None:
        state = self._state_at_end
        self._until_ns = None
        sign = _SIGN.get(self._conducting)
        if sign is None:
            self._rest(now)
            source = RECHARGE_OHM if self._conducting is BridgeState.RECHARGE else self._across_ohm
            self._stretch = CircuitInterval(self._modes(source), state, 0.0, now)
            return
        middle = now
        if self._pump.settled_ns() > now:
            self._until_ns = now + _SLEW_STEP_NS
            middle = now + _SLEW_STEP_NS // 2
        amps = sign * self._pump.amps(middle)
        if sign > 0.0:
            amps *= self._bridge.anodic_share
            if self.leaks is not None:
                plain = CircuitInterval(self._modes(None), state, amps, now)
                amps += self.leaks.amps(plain.volts(now) + plain.block_volts(now), amps)
        if self._conducting in _FAULTS or self._across_ohm is not None:
            if not self._bridge.is_joined:  # all of it passes the recharge resistor, none the lead
                self._stretch = CircuitInterval(self._modes(None), state, 0.0, now)
                return
            across = RECHARGE_OHM if self._conducting in _FAULTS else self._across_ohm
            self._stretch = CircuitInterval(self._modes(across), state, amps * (across or 0.0), now)
            return
        if self._bridge.idle.is_open and self._spikes(now, amps):
            return
        self._stretch = CircuitInterval(self._modes(None), state, amps, now)
        if self._over(now):
            self._limit(now)

    def _rest(self, now: int) -> None:
        """The pump's current has no way; an idle leg that works takes it."""
        if self._bridge.idle.is_open:
            self._bridge.idle.rest(now, self._pump.amps(max(now, self._pump.settled_ns())))

    def _spikes(self, now: int, amps: float) -> bool:
        """True while the pump is not back from where an open idle leg let it go."""
        state, volts = self._state_at_end, copysign(self._pump.supply_v, amps)
        self._stretch = CircuitInterval(self._modes(self._pump.limit_ohm), state, volts, now, True)
        most = abs(self._stretch.amps(now))
        piece = self._bridge.idle.piece(now, abs(amps), most)
        if piece is None:
            return False
        flows, span_ns = piece
        if flows < most:
            drive = copysign(flows, amps)
            self._stretch = CircuitInterval(self._modes(None), state, drive, now)
        self._until_ns = min(self._until_ns or now + span_ns, now + span_ns)
        return True

    def _over(self, time_ns: int) -> bool:
        """True if the pump would have to go beyond its limit to hold the current."""
        stretch = self._stretch
        if stretch.limited or self._conducting not in _DRIVEN or self._across_ohm is not None:
            return False
        pushed = stretch.volts(time_ns) + stretch.block_volts(time_ns)
        most = self._pump.limit_v(abs(stretch.drive))
        return pushed > most if stretch.drive > 0.0 else pushed < -most

    def _limit(self, now: int) -> None:
        """From `now` on the supply drives what its resistance lets through; the current joins smoothly."""
        old = self._stretch
        volts = self._pump.supply_v if old.drive > 0.0 else -self._pump.supply_v
        modes = self._modes(self._pump.limit_ohm)
        self._stretch = CircuitInterval(modes, old.state(now), volts, now, limited=True)
        self.events.append((now, "compliance"))

    def _refine(self, time_ns: int) -> None:
        """Divide the stretch where the DAC slews or the pump saturates before `time_ns`."""
        while self._until_ns is not None and time_ns > self._until_ns:
            self._find_limit(self._until_ns)
            self._step(self._until_ns)
        self._find_limit(time_ns)

    def _find_limit(self, time_ns: int) -> None:
        if not self._over(time_ns):
            return
        low, high = self._stretch.t0_ns, time_ns
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._over(middle) else (middle, high)
        self._finish(high)
        self._limit(high)

    def _finish(self, now: int) -> None:
        """Keep the state at the end of the stretch, and its current and voltage in the trace."""
        stretch = self._stretch
        self._state_at_end = stretch.state(now)
        if not self.trace.enabled or now <= stretch.t0_ns:
            return
        self.trace.voltage.add(stretch, now)
        if self._conducting in _NO_WAY:
            return
        if self._conducting in _DRIVEN and not stretch.limited and self._across_ohm is None:
            microamps = stretch.amps(now) * 1e6
            self.trace.add(stretch.t0_ns, now, microamps, microamps)
            self.trace.shunt.add(stretch.t0_ns, now, microamps, microamps)
            return
        self.trace.add_changing(stretch, now, self._conducting in _DRIVEN and self._across_ohm is None)
        if self._conducting in _FAULTS or (self._across_ohm is not None and self._conducting in _SIGN):
            # The pump drives into the recharge resistor: all of its current passes the shunt before it.
            delivered = self._delivered(now) * 1e6
            self.trace.shunt.add(stretch.t0_ns, now, delivered, delivered)

    def _present(self) -> tuple[CircuitInterval, int]:
        """The stretch that has not ended, and how far it has come; no way at all if nothing is recorded."""
        now = self._scheduler.now_ns
        if not self.trace.enabled:
            return self._stretch, self._stretch.t0_ns
        self._refine(now)
        return self._stretch, now
