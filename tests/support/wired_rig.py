"""A wired bench without wires: an emulated bench that a thread serves on ptys, instruments, a plug, a person.

Boards are found by serial number among ports that come and go. Every wait is the bench's time: no test waits for
a clock of this machine.
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
from stimbench.devices.link import SerialLink
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import RigError

SERIAL = {"stimulator": "E660583883724A2C", "remote": "E66138935F6F2B29"}
PRODUCT = {"stimulator": "stimbench stimulator", "remote": "stimbench remote"}
MS = 1_000_000
LONG_S = 60.0
"""Nothing here takes longer, however busy the machine is."""


class Plug:
    """A bench behind ptys. `pull` takes the cable out, supply and all; `plug` puts it in again."""

    def __init__(self, boards=("stimulator",), **fields) -> None:
        self.bench = Bench(BenchConfig(boards=boards, **fields))
        self.bench.run_for(1_000 * MS)
        self.hands = Hands(self.bench)
        self.ports: dict[str, str] = {}
        self._due: list = []
        self._thread: threading.Thread | None = None
        self.plug()

    def plug(self) -> None:
        for board in self.bench.boards.values():
            board.power_on()
        self._stop = threading.Event()
        ready = threading.Event()

        def on_ready(ports):
            self.ports = ports
            ready.set()

        def run():
            serve(self.bench, on_ready, None, self._stop, poll=self._poll)
            self.ports = {}
            for board in self.bench.boards.values():
                board.power_off()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(LONG_S)

    def pull(self) -> None:
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
        self._due.append((time_ns, action, done))
        return done

    def do(self, action):
        """Do it between two slices of the bench's time."""
        return self.at(0, action).result(LONG_S)

    def _poll(self) -> None:
        for each in [one for one in self._due if one[0] <= self.bench.now_ns]:
            self._due.remove(each)
            _, action, done = each
            try:
                done.set_result(action())
            except Exception as error:
                done.set_exception(error)

    def wait(self, seconds: float) -> None:
        """Let the bench's time pass; none passes while the cable is out."""
        if self.ports:
            until = self.at(self.bench.now_ns + round(seconds * 1e9), lambda: None)
            while self.ports:
                if futures.wait([until], 0.05).done:
                    return

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
    """Time-outs count the bench's time: reads wait in small pieces of the wall's."""

    def __init__(self, name, port, plug: Plug) -> None:
        super().__init__(name, port, now_s=lambda: plug.bench.now_ns / 1e9, wait=plug.wait)
        self._raw, self._plug = port, plug

    def read(self, deadline_s: float) -> bytes:
        while True:
            data = super().read(min(deadline_s, self.now_s() + 0.02))
            if data or self.now_s() >= deadline_s or not self._plug.ports:
                return data


@dataclass
class Analyser:
    """An instrument on the served bench: it samples, and fails as it is told.

    Attributes:
        rate_hz, analog_hz: of logic and of currents.
        digital, analog: what it is wired to.
        fails: `arm`, `unplugged` or `stops`; empty for none.
        swapped: signals that lie on other wires.
        dead: signals whose wires are broken.
    """

    plug: Plug
    digital: tuple[str, ...]
    analog: tuple[str, ...] = ()
    rate_hz: int = 4_000_000
    analog_hz: int = 100_000
    fails: str = ""
    swapped: dict[str, str] = field(default_factory=dict)
    dead: tuple[str, ...] = ()
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
        self.recorded += 1
        yield SimpleNamespace(result=lambda: self._result(taken, begin_ns, origin))

    def _result(self, taken, begin_ns: int, origin: Origin) -> Capture:
        if self.fails == "unplugged":
            raise RigError("The analyser went away while it recorded.")
        capture = taken.result(LONG_S).shifted(-begin_ns, "the analyser")
        count = int(first_samples(capture.end_ns, self.rate_hz))
        digital = {name: self._logic(capture, name, count) for name in self.digital}
        few, slow_hz = int(first_samples(capture.end_ns, self.analog_hz)), self.analog_hz
        analog = {
            name: Samples.of(sample_waveform(capture.waveform(name), 0, few, slow_hz), 0, slow_hz)
            for name in self.analog
        }
        stopped = "its buffer was full" if self.fails == "stops" else ""
        return Capture(
            digital, analog, end_ns=int(instants(count, self.rate_hz)), source="the analyser",
            origin=replace(origin, stopped=stopped),
        )  # fmt: skip

    def _logic(self, capture: Capture, name: str, count: int) -> Edges:
        edges = capture.edges(self.swapped.get(name, name))
        if name in self.dead:
            return Edges(np.empty(0, np.int64))
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
    """A hub that switches the board's socket."""

    def __init__(self, plug: Plug) -> None:
        self._plug = plug

    @property
    def is_on(self) -> bool:
        return bool(self._plug.ports)

    def on(self) -> None:
        if not self.is_on:
            self._plug.plug()

    def off(self) -> None:
        self._plug.pull()
