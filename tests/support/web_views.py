"""A page's bench, its record and what views show, all in this process; time passes as fast as it goes."""

from typing import Any

from stimbench.web import recorded
from stimbench.web.channel import Kind
from stimbench.web.record import Record
from stimbench.web.run_file import Run
from stimbench.web.stand import BenchStand
from stimbench.web.views import VIEWS

from support.web import NoServer


class Refused(Exception):
    """An action was refused: `field` is the one to blame."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


class Recording(BenchStand):
    """Puts what was recorded into a record at once."""

    record: Record
    recorded_ns = 0

    def _slice_ns(self) -> int:
        return 2_000_000  # so that a test stops where it wants to

    def _tell(self, at_once: bool = False) -> None:
        if self.bench.now_ns >= self.recorded_ns + 10_000_000:
            self.recorded_ns = self.bench.now_ns
            self.record.add(*self._feed.news())


class Desk:
    """A bench behind a page: does what the page would, and sees what it would show."""

    READY_NS = 700_000_000

    def __init__(self, run: Run | None = None) -> None:
        self.end = NoServer()
        self.stand = Recording(self.end, run or Run(), lambda: 0.0)
        self.stand.record = self.record = Record()
        self.stand.pace.set(None)
        self.bench = self.stand.bench
        self._count = 0

    def until(self, time_ns: int) -> None:
        while self.bench.now_ns < time_ns:
            self.stand.step()

    def wait(self, seconds: float) -> None:
        self.until(self.bench.now_ns + round(seconds * 1e9))

    def do(self, name: str, **arguments: Any) -> Any:
        """The result; Refused."""
        self._count += 1
        self.end.said.append((Kind.DO, {"id": self._count, "name": name, "arguments": arguments}))
        while not self.end.done or self.end.done[-1]["id"] != self._count:
            self.stand.step()
        told = self.end.done[-1]
        if "error" in told:
            raise Refused(told["error"], told["field"])
        return told["result"]

    def shown(self, name: str) -> dict[str, Any]:
        """The view's part of the state, as the server completes it."""
        self.stand.recorded_ns = 0
        self.stand._tell()
        views = {view.name: view.state(self.stand) for view in VIEWS}
        whole = {"views": views, "stimulator": dict(self.stand.told)}
        recorded.complete(whole, self.record)
        return views[name]


def begun(left_ua: int = 2000, right_ua: int = 2000, hold_s: float = 0.0) -> Desk:
    """A session runs; `hold_s` s have passed since its begin."""
    desk = Desk()
    desk.until(Desk.READY_NS)
    desk.do("program", fields={"ramp_up_ms": 0})
    desk.do("amplitude", left_ua=left_ua, right_ua=right_ua)
    desk.do("start")
    desk.wait(hold_s)
    return desk
