"""A run with everything that Leads, Boards and Break it do is repeated to the edge."""

import pytest
from stimbench.web.channel import Kind
from stimbench.web.run_file import Run
from support.web import NoServer, QuietStand, repeated

pytestmark = pytest.mark.emulated

DONE = (
    ("leads-electrodes", {"side": "left", "cathode": 0, "anode": 3}),
    ("amplitude", {"left_ua": 1500, "right_ua": 1000}),
    ("boards-hold", {"button": "START"}),
    ("boards-release", {"button": "START"}),
    ("faults-break", {"part": "left.3", "fault": "loose", "value": 30.0}),
    ("faults-break", {"part": "air", "fault": "loss", "value": 0.5}),
    ("faults-read", {"number": 1}),
    ("faults-break", {"part": "stimulator", "fault": "off"}),
    ("faults-mend", {}),
)


def test_to_the_edge():
    first = QuietStand(NoServer(), Run(), lambda: 0.0)
    first.pace.set(None)
    for number, (name, arguments) in enumerate(DONE, 1):
        until_ns = first.bench.now_ns + (300_000_000 if number > 1 else 700_000_000)
        while first.bench.now_ns < until_ns:
            first.step()
        first._end.said.append((Kind.DO, {"id": number, "name": name, "arguments": arguments}))
        while len(first._end.done) < number:
            first.step()
    assert not [told for told in first._end.done if "error" in told]
    run = Run(actions=[tuple(one) for one in first._end.acted], until_ns=first.bench.now_ns)
    assert [name for _, name, _ in run.actions] == [name for name, _ in DONE]
    again = repeated(run)
    trace, other = first.bench.trace, again.bench.trace
    for key in trace.signals:
        assert trace.edges(*key, 0, run.until_ns) == other.edges(*key, 0, run.until_ns), key
    assert trace.edges("stimulator", "L_CATH")
    assert again.memory["program"] == first.memory["program"]
    assert again.memory["faults"] == first.memory["faults"]
