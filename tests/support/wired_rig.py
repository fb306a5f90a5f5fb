"""A wired bench without wires: an emulated bench that a thread serves on ptys, instruments, a plug, a person.

Boards are found by serial number among ports that come and go. Every wait is the bench's time, whatever the
clock of this machine says.
"""

from __future__ import annotations

import threading
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
from stimbench.bench import Bench, BenchConfig
from stimbench.bench.hands import Hands
from stimbench.bench.pty_server import serve
from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Edges
from stimbench.capture.grid import first_samples, instants
from stimbench.capture.samples import Samples
from stimbench.capture.sigrok import sample_waveform
from stimbench.checks.outcome import CaseResult
from stimbench.checks.plan import parse_plan
from stimbench.checks.rig_work import run_case
from stimbench.checks.work import NotJudgedError, split_error
from stimbench.devices.link import SerialLink
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import RigError
from stimbench.rig.file import parse_bench_file
from stimbench.rig.rig import Rig
from stimbench.rig.session import RigParts

SERIAL = {"stimulator": "E660583883724A2C", "remote": "E66138935F6F2B29"}
PRODUCT = {"stimulator": "stimbench stimulator", "remote": "stimbench remote"}
MS = 1_000_000
_STEP_S = 0.002
LONG_S = 60.0
"""Nothing here takes longer, however busy the machine is."""


class Plug:
    """A bench behind ptys. `pull` takes the cable out, supply and all; `plug` puts it in again.

    Its time passes only while somebody waits for it, so nothing hangs on how busy this machine is.
    """

    def __init__(self, boards=("stimulator",), **fields) -> None:
        self.bench = Bench(BenchConfig(boards=boards, **fields))
        self.bench.run_for(1_000 * MS)
        self.hands = Hands(self.bench)
        self.ports: dict[str, str] = {}
        self._due: list = []
        self._until_ns = 0
        self._changed = threading.Condition()
        self.plug()

    def plug(self) -> None:
        for board in self.bench.boards.values():
            board.power_on()
        self.bench.run_for(1_000 * MS)
        self._stop = threading.Event()
        ready = threading.Event()

        def on_ready(ports):
            self.ports = ports
            ready.set()

        def run():
            serve(self.bench, on_ready, None, self._stop, poll=self._poll)
            self.ports = {}
            for board in self.bench.boards.values() if self._cut else ():
                board.power_off()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(LONG_S)

    def pull(self, supply: bool = True) -> None:
        """Without `supply` only USB goes away, as it does when a board resets itself."""
        self._cut = supply
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(LONG_S)

    def close(self) -> None:
        self.pull()
        self.bench.close()

    def list_ports(self):
        return [
            SimpleNamespace(device=path, product=PRODUCT[board], serial_number=SERIAL[board])
            for board, path in self.ports.items()
        ]

    def at(self, time_ns: int, action):
        """A future of what `action` gives once the bench's time is there; done by the bench's own thread."""
        done = futures.Future()
        with self._changed:
            self._due.append((time_ns, action, done))
            self._changed.notify_all()
        return done

    def do(self, action):
        """Do it between two slices of the bench's time."""
        return self.at(0, action).result(LONG_S)

    def allow(self, until_ns: int) -> None:
        """Let time pass until then, and not beyond."""
        with self._changed:
            self._until_ns = until_ns
            self._changed.notify_all()

    def _poll(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                due = [one for one in self._due if one[0] <= self.bench.now_ns]
                self._due = [one for one in self._due if one not in due]
                if not due:
                    if self.bench.now_ns < self._until_ns:
                        return
                    self._changed.wait(0.05)
            for _, action, done in due:
                try:
                    done.set_result(action())
                except Exception as error:
                    done.set_exception(error)

    def wait(self, seconds: float) -> None:
        """Let the bench's time pass; none passes while the cable is out."""
        until_ns = self.bench.now_ns + round(seconds * 1e9)
        there = self.at(until_ns, lambda: None)
        self.allow(until_ns)
        while self.ports and not futures.wait([there], 0.05).done:
            pass

    def device(self, path: str) -> SerialDevice:
        return _Device(path, self)


class _Device(SerialDevice):
    """Its clock is the bench's."""

    def __init__(self, path: str, plug: Plug) -> None:
        super().__init__(path)
        self._plug = plug

    def open(self):
        if self._port is None:
            super().open()
            self._link = _Link(self.name, self._port, self._plug)
        return self


class _Link(SerialLink):
    """Time-outs count the bench's time, of which a read takes no more than it needs."""

    def __init__(self, name, port, plug: Plug) -> None:
        super().__init__(name, port, now_s=lambda: plug.bench.now_ns / 1e9, wait=plug.wait)
        self._raw, self._plug = port, plug

    def read(self, deadline_s: float) -> bytes:
        while True:
            data = super().read(self.now_s())
            if data or self.now_s() >= deadline_s or not self._plug.ports:
                return data
            self._plug.wait(_STEP_S)


@dataclass
class Analyser:
    """An instrument on the served bench: it samples, and fails as it is told.

    Attributes:
        rate_hz, analog_hz: of logic and of currents.
        digital, analog: what it is wired to.
        fails: `arm`, `unplugged` or `stops`; empty for none.
        swapped: signals that lie on other wires.
        dead: signals whose wires are broken.
        driven: signals on which it sees one pulse, after 1 ms, that the bench did not give.
        meanwhile: what happens at the bench so many ms after it was armed.
    """

    plug: Plug
    digital: tuple[str, ...]
    analog: tuple[str, ...] = ()
    rate_hz: int = 4_000_000
    analog_hz: int = 100_000
    fails: str = ""
    swapped: dict[str, str] = field(default_factory=dict)
    dead: tuple[str, ...] = ()
    driven: tuple[str, ...] = ()
    meanwhile: list = field(default_factory=list)
    recorded: int = 0

    def identify(self) -> Origin:
        if self.fails == "arm":
            raise RigError("The analyser is not there.")
        return Origin("Saleae Test 8", "C-17", self.rate_hz, clock_ppm=20.0)

    @contextmanager
    def recording(self, duration_ms: int):
        origin = self.identify()
        begin_ns = self.plug.do(lambda: self.plug.bench.now_ns)
        lasts_ns = (duration_ms // 2 if self.fails == "stops" else duration_ms) * MS
        taken = self.plug.at(
            begin_ns + lasts_ns, lambda: self.plug.bench.trace.capture(begin_ns, begin_ns + lasts_ns)
        )
        for after_ms, action in self.meanwhile:
            self.plug.at(begin_ns + after_ms * MS, action)
        self.recorded += 1
        yield SimpleNamespace(result=lambda: self._result(taken, begin_ns, origin))

    def _result(self, taken, begin_ns: int, origin: Origin) -> Capture:
        if self.fails == "unplugged":
            raise RigError("The analyser went away while it recorded.")
        self.plug.allow(begin_ns + 60_000 * MS)  # it records whether anybody waits or not
        raw = taken.result(LONG_S)
        self.plug.allow(0)
        return self.sampled(raw, begin_ns, origin)

    def sampled(self, raw: Capture, begin_ns: int, origin: Origin) -> Capture:
        """What it makes of the bench's own record; its time 0 is `begin_ns`."""
        capture = raw.shifted(-begin_ns, "the analyser")
        count = int(first_samples(capture.end_ns, self.rate_hz))
        digital = {name: self._logic(capture, name, count) for name in self.digital}
        few, slow_hz = int(first_samples(capture.end_ns, self.analog_hz)), self.analog_hz
        values = {
            name: np.zeros(few)
            if name in self.dead
            else sample_waveform(capture.waveform(name), 0, few, slow_hz)
            for name in self.analog
        }
        analog = {name: Samples.of(each, 0, slow_hz) for name, each in values.items()}
        stopped = "its buffer was full" if self.fails == "stops" else ""
        return Capture(
            digital, analog, end_ns=int(instants(count, self.rate_hz)), source="the analyser",
            origin=replace(origin, stopped=stopped),
        )  # fmt: skip

    def _logic(self, capture: Capture, name: str, count: int) -> Edges:
        edges = capture.edges(self.swapped.get(name, name))
        if name in self.dead:
            return Edges(np.empty(0, np.int64))
        if name in self.driven:
            return Edges(np.array([1, 2]) * MS)
        at = first_samples(edges.times_ns, self.rate_hz)
        at = at[at < count]
        # Two edges between two samples are not seen: of an even number none, of an odd one the last.
        samples, counts = np.unique(at, return_counts=True)
        return Edges(instants(samples[counts % 2 == 1], self.rate_hz), edges.initial)


class Hand:
    """A person who does what is asked, at the bench; what was asked is kept."""

    def __init__(self, plug: Plug, deeds=()) -> None:
        self.asked: list[str] = []
        self._plug, self._deeds = plug, dict(deeds)

    def do(self, what: str) -> None:
        self.asked.append(what)
        for words, deed in self._deeds.items():
            if words in what:
                self._plug.do(deed)


class Switch:
    """A hub that switches the board's socket. Its pty stays: who asks gets no answer."""

    def __init__(self, plug: Plug) -> None:
        self._plug = plug
        self.is_on = True

    def on(self) -> None:
        self._set(True)

    def off(self) -> None:
        self._set(False)

    def _set(self, on: bool) -> None:
        board = self._plug.bench.board("stimulator")
        self._plug.do(board.power_on if on else board.power_off)
        self.is_on = on


CHANNELS = {
    "D0": "stimulator.L_CATH", "D1": "stimulator.L_ANOD",
    "D2": "stimulator.R_CATH", "D3": "stimulator.R_ANOD",
    "D4": "stimulator.KEEPALIVE", "D5": "stimulator.MAGNET",
}  # fmt: skip
CURRENTS = {"A0": "I_LEFT:100ohm", "A1": "I_RIGHT:100ohm"}


def source_toml(channels: dict[str, str], rate_hz: int = 4_000_000, driver: str = "fx2lafw") -> str:
    wires = "\n".join(f'{name} = "{use}"' for name, use in channels.items())
    return (
        f'[[source]]\nkind = "sigrok"\ndriver = "{driver}"\nrate_hz = {rate_hz}\nclock_ppm = 20\n'
        f'calibration = "C-17"\n[source.channels]\n{wires}\n'
    )


def bench_toml(
    *sources: str, by_hand: bool = False, has: str = "", power: str = "", firmware: str = "", where: str = ""
) -> str:
    where = where or f'serial = "{SERIAL["stimulator"]}"'
    return "\n".join((
        'kind = "wired"', "[boards.stimulator]", where, f'firmware = "{firmware}"',
        *(sources or [source_toml(CHANNELS | CURRENTS)]),
        '[loads."500 ohm"]', "resistance_ohm = 500", f"by_hand = {str(by_hand).lower()}",
        "[power]", f'uhubctl = "{power}"', "[has]", *(f"{name} = true" for name in has.split()), "",
    ))  # fmt: skip


class WiredRig:
    """A rig on a plug, with everything of it at hand."""

    def __init__(self, plug: Plug, locks, text: str = "", person: Hand | None = None) -> None:
        self.plug, self.locks, self.person = plug, locks, person
        self.file = parse_bench_file(text or bench_toml(), "bench.toml")
        self.analysers = [Analyser(plug, each.digital, each.analog) for each in self.file.sources]
        self.switch = Switch(plug)
        self.wait = lambda seconds: None

    @property
    def analyser(self) -> Analyser:
        return self.analysers[0]

    @property
    def rig(self) -> Rig:
        makers = iter(self.analysers * 100)
        parts = RigParts(
            self.plug.list_ports, self.plug.device, lambda wired: next(makers), lambda place: self.switch,
            lambda: self.person, self.wait, self.locks,
        )  # fmt: skip
        return Rig(self.file, parts)

    def run(self, case) -> CaseResult:
        """As a run does: what could not be judged is ERROR or TIMEOUT."""
        try:
            data = run_case(self.rig, case.as_payload(), {})
        except NotJudgedError as error:
            outcome, reason = split_error(str(error))
            return CaseResult(case.name, "", outcome, reason)
        data.pop("packed", None)
        return CaseResult.from_data(data)


PLAN = """
name = "wired"
[program]
ramp_up_ms = 100
ramp_down_ms = 100
on_ms = 1000
off_ms = 100
[limits]
width_ns = 600
gap_ns = 600
period_ns = 5000
jitter_ns = 600
overlap_ns = 300
rise_ns = false
overshoot_percent = false
balance_percent = false
[loads."1 kohm"]
resistance_ohm = 1000
[[matrix]]
name = "m"
"""


def case_of(more: str = ""):
    """The first case of a plan for an analyser of 4 MS/s."""
    return parse_plan(PLAN + more, "the plan").cases[0]
