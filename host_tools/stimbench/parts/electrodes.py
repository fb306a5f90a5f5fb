"""The four electrodes of a lead in saline, and what can go wrong with each.

Each electrode is R_s in series with R_ct parallel to C_dl (a Randles cell without diffusion); the saline
between electrodes is one node, so a pair has twice one electrode's impedance. Defaults: 250 ohm, 100 kohm
and 5 uF each, hence R_s 500 ohm for a pair.
Left out: the dependence on distance between electrodes, constant-phase behaviour, half-cell potentials.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .interfaces import Handle, Scheduler
from .network import ElectrodeValues

__all__ = ("DEFAULT_PAIR_R_S_OHM", "Electrode")

DEFAULT_PAIR_R_S_OHM = 500.0
_MS = 1_000_000


class Electrode:
    """One electrode and its conductor. Every change takes effect at the present bench time."""

    def __init__(
        self, index: int, scheduler: Scheduler, changed: Callable[[], None], rng: random.Random, lead: str
    ) -> None:
        self.index = index
        self._lead = lead
        self._scheduler = scheduler
        self._changed = changed
        self._rng = rng
        self._baseline = ElectrodeValues(DEFAULT_PAIR_R_S_OHM / 2.0, 100e3, 5e-6)
        self._values = self._baseline
        self._timer: Handle | None = None
        self._touching: dict[int, Electrode] = {}

    def __repr__(self) -> str:
        values = self._values
        health = f"{'open, ' if values.open else ''}{values.r_s_ohm:g} ohm"
        if values.c_dl_f > 0.0:
            health += f" in series with {values.r_ct_ohm:g} ohm parallel to {values.c_dl_f * 1e6:g} uF"
        shorts = "".join(f", touches electrode {k}" for k in sorted(self._touching))
        return f"<electrode {self.index} of the {self._lead} lead: {health}{shorts}>"

    @property
    def values(self) -> ElectrodeValues:
        """What the circuit sees now."""
        return self._values

    @property
    def touching(self) -> frozenset[int]:
        """Electrodes whose conductors this one's touches."""
        return frozenset(self._touching)

    @property
    def is_open(self) -> bool:
        """True while no current can pass."""
        return self._values.open

    @property
    def is_loose(self) -> bool:
        """True while the contact opens and closes by itself (`intermittent`, `schedule`)."""
        return self._timer is not None

    @property
    def is_altered(self) -> bool:
        """True while its impedance is another than the one that `restore` goes back to; breaks apart."""
        old, new = self._baseline, self._values
        return (old.r_s_ohm, old.r_ct_ohm, old.c_dl_f) != (new.r_s_ohm, new.r_ct_ohm, new.c_dl_f)

    def open(self) -> None:
        """Break the conductor (lead fracture)."""
        self._stop_timer()
        self._set_open(True)

    def close(self) -> None:
        """Mend the conductor; impedance and shorts stay as they are."""
        self._stop_timer()
        self._set_open(False)

    def restore(self) -> None:
        """Back to the healthy electrode: no break, no short, the lead's ordinary impedance."""
        self._stop_timer()
        self._values = self._baseline
        for other in self._touching.values():
            other._touching.pop(self.index, None)
        self._touching.clear()
        self._changed()

    def set(
        self,
        *,
        r_s_ohm: float | None = None,
        c_dl_uf: float | None = None,
        r_ct_ohm: float | None = None,
    ) -> None:
        """Change this electrode's impedance; what is not named stays.

        Args:
            r_s_ohm: series resistance of this one electrode (a pair has two).
            c_dl_uf: double-layer capacitance in uF; 0 leaves a plain resistor.
            r_ct_ohm: charge-transfer resistance.

        Raises:
            ValueError: a resistance that is not positive, or a negative capacitance.
        """
        old = self._values
        self._change(
            _checked(
                old.r_s_ohm if r_s_ohm is None else r_s_ohm,
                old.r_ct_ohm if r_ct_ohm is None else r_ct_ohm,
                old.c_dl_f if c_dl_uf is None else c_dl_uf * 1e-6,
                old.open,
            )
        )

    def set_baseline(self, r_s_ohm: float, r_ct_ohm: float, c_dl_uf: float) -> None:
        """Change the impedance, and what `restore` goes back to. Units as in `set`.

        Raises:
            ValueError: as in `set`.
        """
        self._baseline = _checked(r_s_ohm, r_ct_ohm, c_dl_uf * 1e-6, False)
        self.set(r_s_ohm=r_s_ohm, r_ct_ohm=r_ct_ohm, c_dl_uf=c_dl_uf)

    def short_to(self, other: Electrode) -> None:
        """Let the two conductors touch (insulation worn through) until either is restored."""
        self._touching[other.index] = other
        other._touching[self.index] = self
        self._changed()

    def intermittent(self, period_ms: float, duty: float = 0.5, jitter: float = 0.2) -> None:
        """A loose contact: open for `duty` of each period, from now until `close` or `restore`.

        Args:
            period_ms: mean time from one break to the next, ms.
            duty: share of the period during which the contact is OPEN, 0-1.
            jitter: each time is off by up to this share, seeded per electrode.

        Raises:
            ValueError: `period_ms` is not positive, or `duty` not between 0 and 1.
        """
        if period_ms <= 0.0 or not 0.0 < duty < 1.0:
            raise ValueError("period_ms must be positive and duty between 0 and 1")

        def toggle() -> None:
            broken = not self._values.open
            self._set_open(broken)
            share = duty if broken else 1.0 - duty
            wait = period_ms * share * self._rng.uniform(1.0 - jitter, 1.0 + jitter)
            self._timer = self._scheduler.call_at(self._scheduler.now_ns + max(1, round(wait * _MS)), toggle)

        self._stop_timer()
        self._set_open(False)
        toggle()

    def schedule(self, changes: Sequence[tuple[int, bool]]) -> None:
        """Open and mend at given times: pairs of bench time in ns and whether it is open from then on."""
        self._stop_timer()
        pending = sorted(changes)

        def step() -> None:
            _, broken = pending.pop(0)
            self._set_open(broken)
            arm()

        def arm() -> None:
            self._timer = self._scheduler.call_at(pending[0][0], step) if pending else None

        arm()

    def _set_open(self, broken: bool) -> None:
        old = self._values
        self._change(ElectrodeValues(old.r_s_ohm, old.r_ct_ohm, old.c_dl_f, broken))

    def _change(self, values: ElectrodeValues) -> None:
        if values != self._values:
            self._values = values
            self._changed()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _checked(r_s_ohm: float, r_ct_ohm: float, c_dl_f: float, is_open: bool) -> ElectrodeValues:
    if r_s_ohm <= 0.0 or r_ct_ohm <= 0.0 or c_dl_f < 0.0:
        raise ValueError("resistances must be positive and the capacitance not negative")
    return ElectrodeValues(r_s_ohm, r_ct_ohm, c_dl_f, is_open)
