"""A wired bench behind a page, in this process: the board of wired_rig.Plug, and captures of its trace.

Time is the served bench's: it passes while the stand waits, so nothing hangs on how busy this machine is.
"""

from typing import Any

from stimbench.capture.capture import Capture
from stimbench.rig.file import parse_bench_file
from stimbench.rig.session import RigParts
from stimbench.web.captured import captured_from, packed, placed, unpacked
from stimbench.web.capturing import CAPTURE_MS, Listened
from stimbench.web.channel import Kind
from stimbench.web.record import Record
from stimbench.web.wired_board import WallClock
from stimbench.web.wired_stand import WiredStand

from support.web import NoServer
from support.web_views import Refused
from support.wired_rig import MS, Analyser, Plug, bench_toml

_PAUSE_MS = 200
"""Between two captures, as an instrument takes to hand one over and to be armed again."""


class PluggedCaptures:
    """See capturing.Captures: the analysers of tests/rig on the plug, one after another.

    Attributes:
        raw: the captures as the instruments gave them, with their begin on the bench's clock.
        ended: whether they were told to end.
    """

    def __init__(self, file, plug: Plug) -> None:
        self.analysers = [Analyser(plug, one.digital, one.analog) for one in file.sources]
        self.names = [one.entry.name for one in file.sources]
        self.raw: list[tuple[int, Capture]] = []
        self.ended = False
        self.begin_ns = plug.bench.now_ns  # of the page's clock
        self._plug, self._listened = plug, Listened(file)
        self._turn = 0
        self._running: tuple[int, Any] | None = None
        self._next_ns = plug.bench.now_ns

    def news(self) -> list[tuple[Kind, Any]]:
        now_ns = self._plug.bench.now_ns
        if self._running is None:
            due = now_ns >= self._next_ns and self.analysers and self._plug.ports
            return self._begin(now_ns) if due else []
        begun_ns, taken = self._running
        return self._take(begun_ns, taken, now_ns) if taken.done() else []

    def _begin(self, now_ns: int) -> list[tuple[Kind, Any]]:
        analyser, name = self.analysers[self._turn], self.names[self._turn]
        if analyser.fails == "arm":
            return self._failed(name, "The analyser is not there.", now_ns)
        lasts_ns = CAPTURE_MS * MS
        trace = self._plug.bench.trace
        taken = self._plug.at(now_ns + lasts_ns, lambda: trace.capture(now_ns, now_ns + lasts_ns))
        self._running = now_ns, taken
        return []

    def _take(self, begun_ns: int, taken, now_ns: int) -> list[tuple[Kind, Any]]:
        analyser, name = self.analysers[self._turn], self.names[self._turn]
        if analyser.fails == "unplugged":
            return self._failed(name, "The analyser went away while it recorded.", now_ns)
        capture = analyser.sampled(taken.result(), begun_ns, analyser.identify())
        self.raw.append((begun_ns, capture))
        self._next(now_ns)
        at_ns = [one - self.begin_ns for one in (begun_ns - 5 * MS, begun_ns, now_ns)]
        made = captured_from(capture, name, placed(*at_ns, capture, False))
        return self._listened.take(Kind.CAPTURED, packed(made))

    def _failed(self, name: str, why: str, now_ns: int) -> list[tuple[Kind, Any]]:
        self._next(now_ns)
        return self._listened.take(Kind.FAILED, f'{{"source": "{name}", "error": "{why}"}}'.encode())

    def _next(self, now_ns: int) -> None:
        self._running, self._next_ns = None, now_ns + _PAUSE_MS * MS
        self._turn = (self._turn + 1) % len(self.analysers)

    def state(self):
        return self._listened.state()

    def begin_end(self) -> None:
        self.ended = True

    def end(self) -> None:
        self.ended = True


class WiredDesk:
    """A page's stand on a plug: does what the page would, and keeps the record that the server would."""

    def __init__(self, plug: Plug, locks, text: str = "") -> None:
        self.plug, self.end = plug, NoServer()
        self.record = Record()
        file = parse_bench_file(text or bench_toml(), "bench.toml")
        parts = RigParts(plug.list_ports, plug.device, locks=locks)
        clock = WallClock(lambda: plug.bench.now_ns / 1e9, self._idle)
        self.captures = PluggedCaptures(file, plug)
        self.stand = WiredStand(self.end, file, parts, self.captures, clock)
        self._count, self._kept = 0, 0

    def _idle(self, seconds: float) -> None:
        if self.plug.ports:
            self.plug.wait(seconds)
        else:  # the cable is out: the bench stands still until somebody plugs it in again
            self.plug.bench.run_for(round(seconds * 1e9))

    def step(self) -> None:
        self.stand.step()
        for kind, body in self.end.heard[self._kept :]:
            if kind is Kind.CAPTURED:
                self.record.add_captured(unpacked(body))
        self._kept = len(self.end.heard)

    def wait(self, seconds: float) -> None:
        until_ns = self.stand.now_ns + round(seconds * 1e9)
        while self.stand.now_ns < until_ns:
            self.step()

    def until(self, condition, seconds: float = 30.0) -> None:
        until_ns = self.stand.now_ns + round(seconds * 1e9)
        while not condition():
            assert self.stand.now_ns < until_ns, "it does not come"
            self.step()

    def ask(self, name: str, **arguments: Any) -> int:
        self._count += 1
        self.end.said.append((Kind.DO, {"id": self._count, "name": name, "arguments": arguments}))
        return self._count

    def do(self, name: str, **arguments: Any) -> Any:
        """The result; Refused."""
        number = self.ask(name, **arguments)
        self.until(lambda: any(one["id"] == number for one in self.end.done))
        told = next(one for one in self.end.done if one["id"] == number)
        if "error" in told:
            raise Refused(told["error"], told.get("field", ""))
        return told["result"]

    def stop(self) -> None:
        self.end.said.append((Kind.STOP, {"why": "a person"}))

    @property
    def state(self) -> dict[str, Any]:
        """The newest one."""
        return [body for kind, body in self.end.heard if kind is Kind.STATE][-1]

    @property
    def said(self) -> list[str]:
        return [body["text"] for kind, body in self.end.heard if kind is Kind.SAID]

    def begun(self, **fields: int) -> None:
        """A session runs."""
        self.until(lambda: self.stand.told["answers"])
        amplitudes = {"left.amplitude_ua": 2000, "right.amplitude_ua": 1000}
        self.do("clinician-program", fields={"ramp_up_ms": 100} | amplitudes | fields)
        self.do("start")
