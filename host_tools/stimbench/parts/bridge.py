"""The H-bridge of one lead: three gate lines from PIO, and the monostable's output over all of them.

| CATH | ANOD | SHORT | state |
|---|---|---|---|
| 0 | 0 | 0 | off: the lead floats |
| 1 | 0 | 0 | cathodic phase: negative current, out of the tissue into the source rail |
| 0 | 1 | 0 | anodic phase: positive current |
| 0 | 0 | 1 | passive recharge: 1 kohm across lead and blocking capacitor |
| 1 | 1 | any | shoot-through: a fault, no defined current |
| one | | 1 | driving into the recharge resistor: a fault, the current divides |

Q gates the six lines, and it holds the relays between bridge and rails (parts.relay). So with Q low nothing
conducts, the recharge included. The +-15 V are always on (parts.rails); without them no switch closes.

Left out: the 0.6 us from Q to the switches, and the 120 ns for which a phase's current has two ways when it
begins (docs/circuit.md, "Bridge and idle leg"): its switches close at once, and the idle leg opens late.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from .idle_leg import IdleLeg
from .interfaces import PinPort
from .monostable import Monostable
from .rails import Rails
from .relay import Relay

__all__ = ("Bridge", "BridgeState")


class BridgeState(Enum):
    """What conducts."""

    OFF = "off"
    CATHODIC = "cathodic"
    ANODIC = "anodic"
    RECHARGE = "recharge"
    CATHODIC_INTO_SHORT = "cathodic into short"
    ANODIC_INTO_SHORT = "anodic into short"
    SHOOT_THROUGH = "shoot-through"


_STATES = (
    BridgeState.OFF,
    BridgeState.CATHODIC,
    BridgeState.ANODIC,
    BridgeState.SHOOT_THROUGH,
    BridgeState.RECHARGE,
    BridgeState.CATHODIC_INTO_SHORT,
    BridgeState.ANODIC_INTO_SHORT,
    BridgeState.SHOOT_THROUGH,
)  # indexed by CATH + 2 ANOD + 4 SHORT

_INTO_SHORT = (BridgeState.CATHODIC_INTO_SHORT, BridgeState.ANODIC_INTO_SHORT)


class Bridge:
    """Watches three pins, the gate, its relay and the rails; tells one listener (the lead) what conducts."""

    def __init__(
        self, cath: PinPort, anod: PinPort, short: PinPort, gate: Monostable, relay: Relay, rails: Rails
    ) -> None:
        self._bits = cath.level | anod.level << 1 | short.level << 2
        self._gate, self._relay, self._rails = gate, relay, rails
        self._state = BridgeState.OFF
        self._listener: Callable[[BridgeState, int], None] | None = None
        self.gates_stuck = False
        """The gates let the lines through whatever Q says (`break_gates`)."""
        self.idle = IdleLeg()
        """The switch that takes the current while neither phase is on."""
        self.anodic_share = 1.0
        """Of the anodic current that reaches the lead: less past a leaking switch, 0 if it stays open."""
        for bit, pin in enumerate((cath, anod, short)):
            pin.on_edge(self._edge(1 << bit))
        gate.on_change(lambda _, time_ns: self._update(time_ns))
        relay.on_change(self._update)
        rails.on_change(self._update)

    @property
    def state(self) -> BridgeState:
        """What conducts now."""
        return self._state

    @property
    def is_joined(self) -> bool:
        """Whether supply and relay join it to the rails."""
        return self._rails.up and self._relay.is_closed

    def on_change(self, listener: Callable[[BridgeState, int], None]) -> None:
        """Call `listener(state, time_ns)` when the state changes. One listener: the lead."""
        self._listener = listener

    def _edge(self, bit: int) -> Callable[[bool, int], None]:
        def act(level: bool, time_ns: int) -> None:
            self._bits = self._bits | bit if level else self._bits & ~bit
            self._update(time_ns)

        return act

    @property
    def _passes(self) -> bool:
        return self._gate.q or self.gates_stuck

    def break_gates(self, stuck: bool, time_ns: int) -> None:
        """The gates let the lines through whatever Q says, or work again."""
        self.gates_stuck = stuck
        self._update(time_ns)

    def _update(self, time_ns: int) -> None:
        state = _STATES[self._bits] if self._passes and self._rails.up else BridgeState.OFF
        if not self._relay.is_closed and state not in _INTO_SHORT:
            state = BridgeState.OFF  # behind an open relay there is no way but the recharge resistor
        if state is not self._state:
            self._state = state
            if self._listener is not None:
                self._listener(state, time_ns)
