"""The bench's process, without the process: what is done when, and that a run is its actions."""

from types import SimpleNamespace

import pytest
from stimbench.web import stand as module
from stimbench.web.channel import Kind
from stimbench.web.run_file import Run, RunConfig
from stimfw.protocol import console_frame, messages, requests
from support.branches import branch
from support.web import NoServer, QuietStand, repeated

pytestmark = pytest.mark.emulated

READY_NS = 700_000_000


class Clock:
    """The wall's clock: it goes when it is told to."""

    def __init__(self):
        self.s = 100.0

    def __call__(self):
        return self.s


def a_stand(run=None, kind=QuietStand, slices=(), told=False):
    made = kind(NoServer(), run or Run(), Clock())
    made.pace.set(None)
    if slices:
        lengths = [*slices]

        def next_slice():
            lengths.append(lengths.pop(0))
            return lengths[-1]

        made._slice_ns = next_slice
    if told:
        made._tell = lambda at_once=False: made._feed.news()
    return made


def until(one, time_ns):
    while one.bench.now_ns < time_ns:
        one.step()


def do(one, name, number=1, **arguments):
    one._end.said.append((Kind.DO, {"id": number, "name": name, "arguments": arguments}))


def all_edges(one, end_ns):
    trace = one.bench.trace
    return {key: trace.edges(*key, 0, end_ns) for key in trace.signals}


def lived(**how):
    """A run with requests, hands in the middle of a request, and a STOP."""
    one = a_stand(**how)
    until(one, READY_NS)
    do(one, "amplitude", left_ua=2000, right_ua=1000)
    one.step()
    do(one, "start", 2)
    do(one, "break", 3, part="left.0", fault="open")
    until(one, 1_300_000_000)
    do(one, "mend", 4)
    one._end.said.append((Kind.STOP, {"why": "a person"}))
    until(one, 1_500_000_000)
    return one


def test_a_repeated_run_is_equal_to_the_edge():
    first = lived()
    actions = [tuple(one) for one in first._end.acted]
    names = [name for _, name, _ in actions]
    assert names == ["amplitude", "start", "break", "stop"]  # what waited when STOP came was not done
    run = Run(actions=actions, until_ns=first.bench.now_ns)
    again = repeated(run)
    assert [tuple(one) for one in again._end.acted] == actions
    assert again.bench.now_ns == first.bench.now_ns
    assert all_edges(again, run.until_ns) == all_edges(first, run.until_ns)
    assert first.bench.trace.edges("stimulator", "L_CATH")
    assert first.bench.late_calls == 0


def test_nobody_who_looks_and_no_slice_makes_a_difference():
    plain = lived()
    looked = lived(told=True)
    assert looked._end.acted == plain._end.acted
    assert all_edges(looked, 1_500_000_000) == all_edges(plain, 1_500_000_000)
    cut = lived(slices=(50_000, 700_000, 1_300_001))
    run = Run(actions=[tuple(one) for one in cut._end.acted], until_ns=cut.bench.now_ns)
    again = repeated(run)
    assert all_edges(again, run.until_ns) == all_edges(cut, run.until_ns)


def test_another_seed_is_another_run():
    one = a_stand(Run(config=RunConfig(seed=2)))
    other = a_stand()
    until(one, READY_NS)
    until(other, READY_NS)
    assert all_edges(one, READY_NS) != all_edges(other, READY_NS)


def started(one):
    until(one, READY_NS)
    do(one, "amplitude", left_ua=2000, right_ua=2000)
    one.step()
    do(one, "start", 2)
    until(one, 1_600_000_000)
    assert one.told["state"] in ("ramp up", "hold")
    return one


@pytest.fixture(scope="module")
def session():
    """A stand in the middle of a session. Each test goes on from there in a copy of this process."""
    one = started(a_stand())
    return lambda test: branch(lambda: test(one))


def last_pulse_ns(one):
    return max(one.bench.trace.edges("stimulator", line)[-1][0] for line in ("L_CATH", "R_CATH"))


def test_a_stop_is_ahead_of_what_waits(session):
    def goes_on(one):
        do(one, "press", 7, button="STATUS")
        one._end.said.append((Kind.STOP, {"why": ""}))
        stopped_ns = one.bench.now_ns
        until(one, 2_100_000_000)
        assert one.told["state"] == "ready"
        assert last_pulse_ns(one) < stopped_ns + 10_000_000
        assert {"id": 7, "error": "A STOP came first: it was not done."} in one._end.done

    session(goes_on)


def test_a_stop_in_the_middle_of_a_request_is_not_held_up(session):
    """The board does not answer, so a request waits for seconds; STOP does not wait behind it."""

    def goes_on(one):
        sent = []
        plain = one._link_sent = one.bench.board("stimulator").console.write
        one.bench.board("stimulator").hang()
        one.bench.board("stimulator").console.write = lambda data: (
            sent.append((one.bench.now_ns, data)),
            plain(data),
        )
        began_ns = one.bench.now_ns
        do(one, "get-program", 8)
        one._end.messages = _later(one, [(Kind.STOP, {"why": ""})], after_ns=began_ns + 5_000_000)
        one.step()
        times = [time_ns - began_ns for time_ns, _ in sent]
        assert any(5_000_000 <= time_ns < 6_000_000 for time_ns in times)
        assert [name for _, name, _ in one._end.acted][-2:] == ["get-program", "stop"]

    session(goes_on)


def test_a_hand_acts_in_the_middle_of_a_request(session):
    def goes_on(one):
        one.bench.board("stimulator").hang()
        began_ns = one.bench.now_ns
        do(one, "get-program", 8)
        asked = {"id": 9, "name": "magnet", "arguments": {"state": "on"}}
        one._end.messages = _later(one, [(Kind.DO, asked)], after_ns=began_ns + 5_000_000)
        one.step()
        acted = {name: time_ns - began_ns for time_ns, name, _ in one._end.acted}
        assert acted["get-program"] == 0
        assert 5_000_000 <= acted["magnet"] < 6_000_000
        assert [done["id"] for done in one._end.done][-2:] == [9, 8]

    session(goes_on)


def _later(one, said, after_ns):
    kept, plain = list(said), one._end.messages

    def messages():
        if kept and one.bench.now_ns >= after_ns:
            return [kept.pop(0)]
        return plain()

    return messages


def test_the_bench_stops_by_itself_when_the_page_has_gone(session):
    def goes_on(one):
        one._end.said.append((Kind.HELD, None))
        one.step()
        one._clock_s.s += 4.9
        one.step()
        assert [name for _, name, _ in one._end.acted][-1] == "start"
        one._clock_s.s += 0.2
        until(one, 2_600_000_000)
        assert one._end.acted[-1][1:] == ["stop", {"why": "the page that held the controls has gone"}]
        assert [name for _, name, _ in one._end.acted].count("stop") == 1
        assert one.told["state"] == "ready"

    session(goes_on)


def test_what_takes_time_waits_for_a_request_that_is_under_way(session):
    def goes_on(one):
        do(one, "get-program", 8)
        asked = {"id": 9, "name": "get-program", "arguments": {}}
        one._end.messages = _later(one, [(Kind.DO, asked)], after_ns=one.bench.now_ns + 1_000_000)
        until(one, one.bench.now_ns + 100_000_000)
        assert [done["id"] for done in one._end.done][-2:] == [8, 9]
        assert all("result" in done for done in one._end.done[-2:])

    session(goes_on)


@pytest.mark.parametrize(("waited_for", "number"), [((5, 128), 253), ((253, 128), 254), ((254, 253), 255)])
def test_a_stop_has_a_number_that_nobody_waits_for(session, waited_for, number):
    def goes_on(one):
        sent = []
        one._consoles = tuple(SimpleNamespace(last_number=one) for one in waited_for)
        one._write = sent.append
        one.send_stop()
        (line,) = sent
        assert line == console_frame.encode(number, messages.request(requests.STOP))

    session(goes_on)


def test_a_repeated_session_goes_on_only_if_somebody_is_there():
    first = started(a_stand())
    actions = [tuple(one) for one in first._end.acted]
    one = a_stand(Run(actions=actions, until_ns=first.bench.now_ns))
    while one.repeating:
        one.step()
    one.step()
    one._clock_s.s += 5.1
    until(one, 2_600_000_000)
    assert one._end.acted[-1][1] == "stop"
    assert one.told["state"] == "ready"


def test_a_bench_that_hurried_goes_on_at_its_pace_at_once():
    """Coming up and repeating are faster than the wall's clock, and nobody waits for it to catch up."""
    first = started(a_stand())
    actions = [tuple(one) for one in first._end.acted]
    one = a_stand(Run(actions=actions, until_ns=first.bench.now_ns))
    one.pace.set(1.0)
    one.pace._sleep = lambda seconds: setattr(one._clock_s, "s", one._clock_s.s + seconds)
    while one.repeating:
        one.step()
    begun_ns, begun_s = one.bench.now_ns, one._clock_s.s
    until(one, begun_ns + 100_000_000)
    assert one._clock_s.s - begun_s == pytest.approx(0.1, abs=0.03)


def test_a_stop_lets_time_pass_on_a_bench_that_stands_still(session):
    def goes_on(one):
        one._end.said.append((Kind.PACE, {"speed": None, "paused": True, "step": None}))
        one.step()
        stands_ns = one.bench.now_ns
        for _ in range(5):
            one.step()
        assert one.bench.now_ns == stands_ns
        one._end.said.append((Kind.STOP, {"why": ""}))
        until(one, stands_ns + 900_000_000)
        assert one.told["state"] == "ready"
        for _ in range(2000):
            one.step()
        assert one.bench.now_ns < stands_ns + 1_500_000_000

    session(goes_on)


def test_a_step_ends_behind_the_next_pulse(session):
    def goes_on(one):
        one._end.said.append((Kind.PACE, {"speed": None, "paused": True, "step": None}))
        one.step()
        before = len(
            one.bench.trace.edges("stimulator", "L_SHORT") + one.bench.trace.edges("stimulator", "R_SHORT")
        )
        one._end.said.append((Kind.PACE, {"speed": None, "paused": None, "step": "pulse"}))
        for _ in range(1000):
            one.step()
        rises = sorted(
            time_ns
            for line in ("L_SHORT", "R_SHORT")
            for time_ns, level in one.bench.trace.edges("stimulator", line)
            if level
        )
        assert one.bench.now_ns - rises[-1] < 1_000_000
        after = len(
            one.bench.trace.edges("stimulator", "L_SHORT") + one.bench.trace.edges("stimulator", "R_SHORT")
        )
        assert 1 <= after - before <= 2

    session(goes_on)


def test_a_refusal_is_told_and_nothing_enters_the_run():
    one = a_stand()
    until(one, READY_NS)
    do(one, "press", 1, button="START", hold_ms=0)
    do(one, "break", 2, part="left.9", fault="open")
    do(one, "no-such-thing", 3)
    one.step()
    errors = {done["id"]: done["error"] for done in one._end.done}
    assert errors[1].startswith("press: hold_ms = 0: allowed is")
    assert "there is no part 'left.9'" in errors[2].lower()
    assert errors[3] == "There is no action 'no-such-thing'."
    assert not one._end.acted


def test_a_refused_request_names_its_field():
    one = a_stand()
    until(one, READY_NS)
    do(one, "program", 1, fields={"rate_hz": 100_000})
    one.step()
    (done,) = one._end.done
    assert done["field"] == "rate_hz"


def test_what_a_page_does_ends_the_repeating():
    run = Run(actions=[(READY_NS, "magnet", {"state": "on"})], until_ns=600_000_000)
    one = a_stand(run)
    while one.repeating:
        one.step()
    do(one, "press", 1, button="STATUS")
    until(one, READY_NS + 50_000_000)
    assert [name for _, name, _ in one._end.acted] == ["press"]


def test_time_stands_still_while_the_server_does_not_take_what_is_told():
    one = a_stand()
    until(one, 10_000_000)
    one._end.unsent = module.MOST_UNSENT + 1
    now_ns = one.bench.now_ns
    one.step()
    assert one.bench.now_ns == now_ns
