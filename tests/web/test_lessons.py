"""The lessons on the page: each check passes for what the bench did, and for nothing else."""

import json

import pytest
from stimbench.bench.actions import ActionError
from stimbench.lessons.registry import LESSONS
from stimbench.web import prose
from stimbench.web.course import COURSE
from stimbench.web.eavesdropper import Frame
from stimbench.web.evidence import Evidence, Pulse
from stimbench.web.views import VIEWS
from stimfw.telemetry import frames
from support.web import do, ready_stand, run_for, state_of

MS = 1_000_000
NOW_NS = 10_000 * MS


def train(rate_hz=20, width_us=214, until_ns=NOW_NS, lag_ms=0, count=20):
    period_ns = 10**9 // rate_hz
    first_ns = until_ns - count * period_ns + lag_ms * MS
    return [Pulse(first_ns + at * period_ns, width_us * 1000, 0, width_us * 1000) for at in range(count)]


def session(**more):
    pulses = {"left": train(), "right": train(lag_ms=25)}
    return Evidence(**({"now_ns": NOW_NS, "state": "hold", "left_ua": 2000, "pulses": pulses} | more))


def frame(opens, kind=frames.REQUEST, injected=False, opened=True):
    return Frame(0, 0, 0, 76, b"", bytes(32), kind, opens=opens, opened=opened, is_injected=injected)


OHM = {("left", 1, 2): 500.0, ("left", 1, 3): 500.0}
RIGHT = {
    1: [session(), session(answer=214), session(answer=428),
        session(pulses={"left": train(width_us=428), "right": ()}), session(answer=2),
        Evidence(now_ns=NOW_NS, state="ready")],
    2: [session(), session(answer=214), session(answer=49.6), Evidence(now_ns=NOW_NS, state="ready"),
        session(refused=["allowed is at most 1675 uA for 25 nA of net direct current"]),
        Evidence(program={"rate_hz": 200})],
    3: [Evidence(measured_ns=5, since_ns=5), Evidence(pair_ohm=OHM, answer=502),
        Evidence(pair_ohm=OHM | {("left", 1, 3): 2250.0}), Evidence(measured_ns=5, since_ns=5),
        Evidence(answer=3), Evidence(state="ready")],
    4: [session(state="ramp up"), session(), session(answer=20), session(answer=25),
        session(state="ramp down"), session(state="rest"), Evidence(now_ns=NOW_NS, state="ready")],
    5: [session(), session(broken=["left.2 open"]), session(answer=-12),
        session(broken=["left.2 open"], since_ns=NOW_NS - 2_100 * MS),
        session(broken=["left.1 short to left.2", "left.2 short to left.1"]),
        Evidence(now_ns=NOW_NS, state="ready"), Evidence(state="ready")],
    6: [Evidence(frames=[frame("START; number 0")]), Evidence(frames=[frame("STOP; number 1")]),
        Evidence(answer=32), Evidence(answer=5),
        Evidence(state="ready", frames=[frame("START; number 0", injected=True)]),
        Evidence(frames=[frame("no key", injected=True, opened=False)])],
    7: [session(), Evidence(hung=True), Evidence(watchdog=True), session(),
        Evidence(now_ns=NOW_NS, state="ready", magnet=True), Evidence(state="ready")],
}  # fmt: skip
"""Of each step, what the bench shows when it was done."""
NOTHING = Evidence(now_ns=NOW_NS, since_ns=NOW_NS)
"""A board that does not answer, and no record."""


def steps():
    return [(number, at) for number, course in COURSE.items() for at in range(len(course))]


@pytest.mark.parametrize(("number", "at"), steps())
def test_a_check_passes_for_what_it_is_about_and_for_nothing_else(number, at):
    check = COURSE[number][at].check
    assert check(RIGHT[number][at])
    assert not check(NOTHING)


@pytest.mark.parametrize(
    ("number", "at", "wrong"),
    [
        (1, 0, session(state="ready")),
        (1, 0, session(pulses={"left": train(), "right": ()})),
        (1, 1, session(answer=200)),
        (1, 2, session(answer=100)),
        (1, 3, session()),
        (1, 5, session(state="ready")),
        (2, 2, session(answer=50.5 * 1.03)),
        (2, 4, session(refused=["rate_hz = 300: allowed is 1 to 200 Hz"])),
        (2, 5, Evidence(program={"rate_hz": 200}, refused=["too much"])),
        (3, 0, Evidence(measured_ns=4, since_ns=5)),
        (3, 1, Evidence(pair_ohm=OHM, answer=250)),
        (3, 5, Evidence(state="ready", broken=["left.3 2000 ohm in series"])),
        (4, 3, session(answer=50)),
        (4, 3, session(pulses={"left": train(), "right": ()}, answer=25)),
        (5, 1, Evidence(state="ready", broken=["left.2 open"])),
        (5, 3, session(broken=["left.2 open"], since_ns=NOW_NS - 1_900 * MS)),
        (5, 4, session(broken=["left.2 short to left.1", "left.3 open"])),
        (6, 0, Evidence(frames=[frame("START; number 0", injected=True)])),
        (6, 4, session(frames=[frame("START; number 0", injected=True)])),
        (6, 5, Evidence(frames=[frame("no key", opened=False)])),
        (7, 4, session(magnet=True)),
        (7, 5, Evidence(state="ready", magnet=True)),
    ],
)
def test_a_check_is_not_passed_by_less(number, at, wrong):
    assert not COURSE[number][at].check(wrong)


def test_every_lesson_of_the_tutorial_has_steps_and_every_step_a_view_that_is_there():
    assert sorted(COURSE) == [lesson.number for lesson in LESSONS]
    known = {view.name for view in VIEWS}
    for course in COURSE.values():
        assert {step.view for step in course if step.view} <= known
        assert all(step.do and step.seen for step in course)


def test_texts_of_the_lessons_are_plain_data():
    about = next(view for view in VIEWS if view.name == "lessons").about()
    assert json.loads(json.dumps(about)) == about
    for one, lesson in zip(about["lessons"], LESSONS, strict=True):
        assert one["title"] == lesson.title
        assert one["introduction"] and one["field"] and one["think"]


def test_markdown_becomes_elements_and_only_links_to_the_web_stay():
    text = "A *b* `c`, [d](https://e.org/f), [g](h.md), [i](javascript:j).\n\n- k\n- <b>l</b>\n"
    paragraph, bullets = prose.tree_of(text)
    assert [one for one in paragraph[1] if not isinstance(one, str)] == [
        ["em", ["b"]], ["code", ["c"]], ["a", ["d"], "https://e.org/f"],
    ]  # fmt: skip
    assert _flat([paragraph]) == "A b c, d, g, [i](javascript:j)."
    assert bullets == ["ul", [["li", [["p", ["k"]]]], ["li", [["p", ["<b>l</b>"]]]]]]


def _flat(nodes):
    return "".join(one if isinstance(one, str) else _flat(one[1]) for one in nodes)


# On the bench.


@pytest.fixture(scope="module")
def stand():
    return ready_stand()


def look(stand):
    state_of(stand, "lessons")
    return state_of(stand, "lessons")


def test_a_learner_takes_the_first_lesson(stand):
    assert look(stand)["open"] is None
    with pytest.raises(ActionError, match="No lesson"):
        do(stand, "lesson-again")
    do(stand, "lesson-open", number=1)
    assert look(stand)["done"] == {}
    do(stand, "clinician-program", fields={"left.amplitude_ua": 2000, "right.amplitude_ua": 2000})
    assert look(stand)["done"] == {}
    do(stand, "start")
    run_for(stand, 1.2)
    assert look(stand)["done"] == {1: 1}
    assert not do(stand, "lesson-answer", value=200)["right"]
    assert look(stand)["wrong"] == 1
    assert do(stand, "lesson-answer", value=214)["right"]
    assert do(stand, "lesson-answer", value=428)["right"]
    assert look(stand) == {"open": 1, "done": {1: 3}, "wrong": 0}
    do(stand, "stop")
    run_for(stand, 1.2)
    do(stand, "clinician-program", fields={"width_us": 428})
    do(stand, "start")
    run_for(stand, 1.0)
    assert look(stand)["done"] == {1: 4}
    do(stand, "lesson-answer", value=2)
    do(stand, "stop")
    run_for(stand, 1.2)
    assert look(stand)["done"] == {1: 6}
    with pytest.raises(ActionError, match="No number"):
        do(stand, "lesson-answer", value=1)
    do(stand, "lesson-again")
    assert look(stand)["done"] == {}


def test_a_cycle_is_seen_from_its_ramp_to_its_rest(stand):
    do(stand, "lesson-open", number=4)
    fields = {"left.amplitude_ua": 2000, "right.amplitude_ua": 2000, "width_us": 214, "on_ms": 1000,
              "off_ms": 3000, "ramp_up_ms": 800, "ramp_down_ms": 800}  # fmt: skip
    do(stand, "clinician-program", fields=fields)
    do(stand, "start")
    asked = {2: 20, 3: 25}
    for _ in range(45):
        run_for(stand, 0.1)
        done = look(stand)["done"].get(4, 0)
        if done in asked:
            assert do(stand, "lesson-answer", value=asked.pop(done))["right"]
    assert look(stand)["done"][4] == 6
    do(stand, "stop")
    run_for(stand, 1.2)
    assert look(stand)["done"][4] == 7


def test_a_hang_is_seen_by_its_reset(stand):
    do(stand, "lesson-open", number=7)
    do(stand, "start")
    run_for(stand, 1.0)
    assert look(stand)["done"][7] == 1
    do(stand, "break", part="stimulator", fault="hung")
    assert look(stand)["done"][7] == 2
    run_for(stand, 3.5)
    assert look(stand)["done"][7] == 3
    assert stand.told["state"] == "ready"


def test_the_impedance_of_a_dry_contact_is_what_the_bench_has(stand):
    do(stand, "lesson-open", number=3)
    do(stand, "clinician-impedance")
    assert look(stand)["done"][3] == 1
    pairs = stand.memory["clinician"].pairs
    told = next(one for one in pairs if (one.lead, one.cathode, one.anode) == (0, 1, 2))
    assert do(stand, "lesson-answer", value=told.ohm)["right"]
    assert look(stand)["done"][3] == 2
    do(stand, "break", part="left.3", fault="resistance", value=2000)
    assert look(stand)["done"][3] == 3
    assert look(stand)["done"][3] == 3  # the measurement before the break does not count
    do(stand, "mend")
