"""The hands of whoever stands before a bench: does the actions of the table (stimbench.bench.actions)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stimbench.bench import view, wiring
from stimbench.bench.actions import ACTIONS, ActionError
from stimbench.bench.engine import Bench
from stimbench.bench.pace import Pace
from stimbench.bench.stimulator_faults import Breakable
from stimbench.errors import BenchError
from stimbench.parts.electrodes import Electrode

__all__ = ("Hands", "Later")

_S = 1_000_000_000
_FOR_EVER_NS = 1 << 62
_LOOSE_MS = 200.0
_SPEED = re.compile(r"(\d+(?:\.\d+)?)x?")
_SLOWEST, _FASTEST = 0.001, 1000.0
_ELECTRODE_FAULTS = ("open", "loose", "short", "resistance")


@dataclass(frozen=True)
class Later:
    """What an action answers once the bench's time has come to `at_ns`."""

    at_ns: int
    result: Callable[[], dict[str, Any]]


@dataclass
class Hands:
    """Does to a bench what a person would. Every method's arguments are those of the table.

    Results are plain data: `action`, `time_s` (of the bench), `told` (a sentence) and what the action adds.
    All methods raise ActionError if it cannot be done; nothing was changed then.
    """

    bench: Bench
    pace: Pace | None = None
    """Of a bench that is served; None where a program itself lets the time pass."""
    about: dict[str, Any] = field(default_factory=dict)
    """What `status` adds: the bench's name, its ports."""

    def do(self, name: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Do an action of the table; time passes if it has to wait.

        Raises:
            ActionError: no such action, wrong arguments, or it cannot be done.
        """
        begun = self.begin(name, arguments or {})
        if isinstance(begun, Later):
            self.bench.run_to(max(begun.at_ns, self.bench.now_ns))
            return begun.result()
        return begun

    def begin(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any] | Later:
        """As `do`, but for whoever lets the time pass: what waits is a Later."""
        action = ACTIONS.get(name)
        if action is None:
            raise ActionError(f"There is no action {name!r}; there are {', '.join(ACTIONS)}.")
        given = action.parse(arguments)
        try:
            done: dict[str, Any] | Later = getattr(self, action.method)(**dict(given))
        except ActionError:
            raise
        except (BenchError, ValueError) as error:
            raise ActionError(f"{name}: {error}.") from error
        return done

    def press(self, button: str, hold_ms: float = 100.0) -> dict[str, Any]:
        """Press a button of the remote and let go after `hold_ms` of the bench's time."""
        remote = self.bench.board("remote")
        if button in (held := [name for name, one in wiring.buttons(remote).items() if one.closed]):
            raise ActionError(f"{button} is held down already; held are {', '.join(held)}.")
        self.bench.press(button, hold_ms)
        told = f"{button} is pressed, for {hold_ms:g} ms."
        if not remote.powered:
            told += " The remote has no power, so nothing comes of it."
        return self._done("press", told, button=button, hold_ms=hold_ms)

    def magnet(self, state: str) -> dict[str, Any]:
        """Hold the magnet to the stimulator, or take it away."""
        self.bench.magnet(state == "on")
        told = "The magnet is at the stimulator." if state == "on" else "The magnet is away."
        return self._done("magnet", told, magnet=state == "on")

    def break_part(self, part: str, fault: str, value: str | float | None = None) -> dict[str, Any]:
        """Break a part."""
        if part == "air":
            self._spoil_air(fault, value)
        elif part in self.bench.boards:
            self._require(fault == "hung", f"a board can be hung, and not {fault}")
            self._require(value is None, "hung needs no value")
            self.bench.board(part).hang()
        elif part in self._breakable():
            self._break_part(part, fault, value)
        else:
            self._break_electrode(part, fault, value)
        return self._broken("break", f"{part} is broken: {fault}.")

    def mend(self, part: str = "all") -> dict[str, Any]:
        """Mend a part, or all of them."""
        boards = [name for name in self.bench.boards if part in ("all", name)]
        for name in boards:
            self.bench.board(name).unhang()
        electrodes = [one for names, one in self._electrodes().items() if part in ("all", *names)]
        for electrode in electrodes:
            electrode.restore()
        mended = [
            one for name, one in self._breakable().items() if part in ("all", name, name.partition(".")[0])
        ]
        for one in mended:
            one.mend(self.bench.now_ns)
        air = part in ("all", "air") and self.bench.air is not None
        if air and self.bench.air:
            self.bench.air.loss = 0.0
            self.bench.air.stop_jamming(self.bench.now_ns)
        found = part == "all" or boards or electrodes or mended or air
        self._require(found, f"there is no part {part!r}; {self._parts()}")
        return self._broken("mend", "All is mended." if part == "all" else f"{part} is mended.")

    def jam(self, channel: str | int = "all", for_s: float | None = None) -> dict[str, Any]:
        """Jam a channel, all of them, or end all jamming."""
        air, now_ns = self.bench.air, self.bench.now_ns
        if air is None:
            raise ActionError("jam: this bench has no air between its boards.")
        if channel == "off":
            air.stop_jamming(now_ns)
            return self._broken("jam", "Nothing is jammed.")
        number = None if channel == "all" else int(channel)
        self._require(number is None or 0 <= number <= 125, f"there is no channel {channel}; 0 to 125")
        air.jam(number, now_ns, _FOR_EVER_NS if for_s is None else now_ns + round(for_s * _S))
        until = "" if for_s is None else f" for {for_s:g} s"
        what = "All channels are" if number is None else f"Channel {number} is"
        return self._broken("jam", f"{what} jammed{until}.")

    def power(self, state: str, board: str) -> dict[str, Any]:
        """Switch a board's supply."""
        one = self.bench.board(board)
        (one.power_on if state == "on" else one.power_off)()
        return self._done("power", f"The {board}'s supply is {state}.", board=board, power=one.powered)

    def speed(self, speed: str) -> dict[str, Any]:
        """Set how fast time passes."""
        if self.pace is None:
            raise ActionError("speed: on this bench time passes as your program lets it.")
        match = _SPEED.fullmatch(speed)
        if speed == "max":
            self.pace.set(None)
        else:
            factor = float(match.group(1)) if match else 0.0
            if not _SLOWEST <= factor <= _FASTEST:
                raise ActionError(
                    f"speed = {speed!r}: allowed is {_SLOWEST:g}x to {_FASTEST:g}x (1x is real time), or max."
                )
            self.pace.set(factor)
        told = "as fast as it can" if speed == "max" else f"at {self.pace.factor:g}x"
        return self._done("speed", f"The bench runs {told}.", speed=self.pace.factor)

    def wait(self, seconds: float) -> Later:
        """Answer when `seconds` of the bench's time have passed."""
        return Later(
            self.bench.now_ns + round(seconds * _S),
            lambda: self._done("wait", f"{seconds:g} s of the bench's time have passed."),
        )

    def lights(self, last_s: float = 3.0) -> dict[str, Any]:
        """What lights and buzzer did in the last seconds."""
        return self._done("lights", "", **view.lights_of(self.bench, round(last_s * _S)))

    def status(self) -> dict[str, Any]:
        """The bench as a whole."""
        pace = self.pace
        speed = {"speed": pace.factor, "measured_speed": pace.measured} if pace else {}
        return self._done("status", "", **self.about, **speed, **view.status_of(self.bench))

    def _done(self, action: str, told: str, **more: Any) -> dict[str, Any]:
        return {"action": action, "time_s": self.bench.now_ns / _S, "told": told} | more

    def _broken(self, action: str, told: str) -> dict[str, Any]:
        return self._done(action, told, broken=view.broken(self.bench))

    def _spoil_air(self, fault: str, value: str | float | None) -> None:
        self._require(self.bench.air is not None, "this bench has no air between its boards")
        self._require(fault == "loss", f"the air can have loss, and not {fault} (see jam)")
        share = _number(value, "loss needs a value: the share of packets that are lost, 0 to 1")
        self._require(0 <= share <= 1, f"loss = {share:g}: allowed is 0 to 1")
        if self.bench.air:
            self.bench.air.loss = share

    def _break_electrode(self, part: str, fault: str, value: str | float | None) -> None:
        found = {names[0]: one for names, one in self._electrodes().items()}
        self._require(part in found, f"there is no part {part!r}; {self._parts()}")
        faults = ", ".join(_ELECTRODE_FAULTS)
        self._require(fault in _ELECTRODE_FAULTS, f"an electrode can be {faults}, and not {fault}")
        electrode = found[part]
        if fault == "open":
            self._require(value is None, "open needs no value")
            electrode.open()
        elif fault == "loose":
            period_ms = _LOOSE_MS if value is None else _number(value, "loose takes a time in ms")
            electrode.intermittent(period_ms)
        elif fault == "resistance":
            electrode.set(r_s_ohm=_number(value, "resistance needs a value in ohm"))
        else:
            side = part.split(".")[0]
            allowed = [name for name in found if name.startswith(side) and name != part]
            self._require(
                value in allowed, f"short needs the electrode that it touches: {', '.join(allowed)}"
            )
            electrode.short_to(found[str(value)])

    def _break_part(self, part: str, fault: str, value: str | float | None) -> None:
        one = self._breakable()[part]
        faults = " or ".join(one.faults)
        self._require(fault in one.faults, f"{fault} is no fault of {part}, which can be {faults}")
        needs = one.faults[fault]
        if needs is None:
            self._require(value is None, f"{fault} needs no value")
            number = 0.0
        else:
            given = needs.default if value is None else value
            number = _number(given, f"{fault} needs a value: {needs.text}")
            allowed = f"{needs.low:g} to {needs.high:g}"
            self._require(needs.low <= number <= needs.high, f"{fault} = {number:g}: allowed is {allowed}")
        one.harm(fault, number, self.bench.now_ns)

    def _breakable(self) -> dict[str, Breakable]:
        return wiring.breakable(self.bench.boards.get("stimulator"))

    def _electrodes(self) -> dict[tuple[str, str], Electrode]:
        """Every electrode by its own name and its lead's."""
        stimulator = self.bench.boards.get("stimulator")
        if stimulator is None or not stimulator.parts:
            return {}
        return {
            (f"{side}.{one.index}", side): one
            for side, lead in wiring.leads(stimulator).items()
            for one in lead.electrodes
        }

    def _parts(self) -> str:
        names = [names[0] for names in self._electrodes()] + list(self._breakable()) + list(self.bench.boards)
        return f"there are {', '.join([*names, 'air'])}"

    @staticmethod
    def _require(met: object, otherwise: str) -> None:
        if not met:
            raise ActionError(f"{otherwise[0].upper()}{otherwise[1:]}.")


def _number(value: str | float | None, otherwise: str) -> float:
    """`value` as a number; ActionError if it is none."""
    try:
        number = math.nan if value is None else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ActionError(f"{otherwise[0].upper()}{otherwise[1:]}.")
    return number
