"""What the remote shows of an implanted stimulator: each state, reason and meaning, a second time."""

from stimfw.protocol import messages, therapy_reasons
from stimfw.therapy import watch_table
from stimfw.ui import fault_meanings, feedback, therapy_feedback
from stimfw.ui.feedback import AMBER, GREEN, HIGH_HZ, LOW_HZ, RED, Player
from support.control import control

BEEP = (0, HIGH_HZ, 100)
ALL = GREEN | AMBER | RED
# docs/remote.md. Long blinks: what to do (1 wait, 2 later, 3 the clinic, 4 a clinician); short ones: which.
REASONS = {
    therapy_reasons.HEALING: (1, 1),
    therapy_reasons.DAY_COMPLETE: (1, 2),
    therapy_reasons.TOO_SOON: (1, 3),
    therapy_reasons.DAY_LIMIT: (1, 4),
    therapy_reasons.CLOCK_UNKNOWN: (2, 1),
    therapy_reasons.INTERFERENCE: (2, 2),
    therapy_reasons.UNCONFIGURED: (3, 1),
    therapy_reasons.FAULT: (3, 2),
    therapy_reasons.MRI_MODE: (3, 3),
    therapy_reasons.STORAGE_MODE: (3, 4),
    therapy_reasons.END_OF_SERVICE: (3, 5),
    therapy_reasons.JOURNAL: (3, 6),
    therapy_reasons.NOT_IMPLANTED: (4, 1),
    therapy_reasons.IMPLANTED: (4, 2),
    therapy_reasons.NOT_MEASURED: (4, 3),
    therapy_reasons.RULES: (4, 4),
    therapy_reasons.PRESCRIBED: (4, 5),
    therapy_reasons.NOT_PRESCRIBED_HERE: (4, 6),
    therapy_reasons.CLOCK_KNOWN: (4, 7),
}


def lit(pattern):
    """(lights, ms) of what is lit, in order."""
    return [(lights, span_ms) for lights, _, span_ms in pattern if lights]


def tones(pattern):
    return [tone_hz for _, tone_hz, _ in pattern if tone_hz]


def length_ms(pattern):
    return sum([span_ms for _, _, span_ms in pattern])


@control("C-46", "C-65")
def test_a_therapys_reason_is_told_in_long_and_short_blinks():
    for reason, (long, short) in REASONS.items():
        pattern = feedback.reason_code(reason)
        assert lit(pattern) == [(AMBER, 600)] * long + [(AMBER, 250)] * short, reason
        assert not tones(pattern) and length_ms(pattern) < 7500
        assert [step[2] for step in pattern if not step[0]] == [250] * (long + short)
    assert set(REASONS) == set(range(messages.REASON_RANDOM + 1, len(messages.REASON_TEXTS)))
    assert len(set(REASONS.values())) == len(REASONS), "no two are shown alike"


def test_a_reason_that_this_firmware_does_not_know_is_one_long_light():
    for reason in (0, len(messages.REASON_TEXTS), 255):
        assert feedback.reason_code(reason) == ((AMBER, 0, 1000),)


def test_a_refusal_begins_with_two_beeps_as_any_other():
    for reason in REASONS:
        pattern = feedback.refused(reason)
        head = feedback.refused(1)[:4]
        assert pattern[:4] == head and pattern[4:] == feedback.reason_code(reason)
        assert tones(pattern) == [HIGH_HZ] * 2


def test_the_states_of_an_implanted_stimulator():
    for name, wanted in (
        ("unconfigured", [(AMBER, 1000)]),
        ("healing", [(AMBER, 500)] * 2),
        ("stopped", [(GREEN, 1000), (AMBER, 250)]),
        ("complete", [(GREEN, 500)] * 3),
        ("interference", [(GREEN, 150), (AMBER, 150)] * 2),
        ("mri mode", [(ALL, 1000)]),
        ("storage", [(ALL, 250)] * 2),
        ("test train", [(GREEN, 150)] * 4),
    ):
        state = messages.STATE_NAMES.index(name)
        pattern = feedback.status(state, False)
        assert pattern[0] == BEEP and lit(pattern) == wanted and tones(pattern) == [HIGH_HZ], name
        near = feedback.status(state, True)
        assert near[: len(pattern)] == pattern and lit(near[len(pattern) :]) == [(AMBER, 250)] * 3


def test_an_output_that_is_on_looks_the_same_in_every_state():
    train = messages.STATE_NAMES.index("test train")
    seen = feedback.status(train, False)
    assert lit(seen) == lit(feedback.status(messages.HOLD, False))
    assert feedback.status(train + 1, False) == seen, "of a state that nobody knows it may be on"


def test_progress_is_four_quarters_green_when_they_are_over():
    for elapsed_s, over in ((0, 0), (449, 0), (450, 1), (899, 1), (900, 2), (1350, 3), (1799, 3), (1800, 4)):
        pattern = therapy_feedback.progress(elapsed_s, 1800)
        assert lit(pattern) == [(GREEN, 400)] * over + [(AMBER, 400)] * (4 - over), elapsed_s
        assert tones(pattern) == [1000]
    assert lit(therapy_feedback.progress(65535, 60)) == [(GREEN, 400)] * 4
    assert lit(therapy_feedback.progress(100, 0)) == [(AMBER, 400)] * 4


def test_today_is_a_blink_for_each_session_green_when_it_has_begun():
    for left, a_day, begun in ((2, 2, 0), (1, 2, 1), (0, 2, 2), (10, 10, 0), (0, 10, 10), (5, 2, 0)):
        pattern = therapy_feedback.today(left, a_day)
        assert lit(pattern) == [(GREEN, 400)] * begun + [(AMBER, 400)] * (a_day - begun), (left, a_day)
        assert tones(pattern) == [1000] * 2
    assert len(lit(therapy_feedback.today(200, 255))) == 10


def test_why_nothing_begins_is_three_beeps_and_the_reason():
    pattern = therapy_feedback.why_not(therapy_reasons.TOO_SOON)
    assert tones(pattern) == [1000] * 3 and lit(pattern) == [(AMBER, 600)] + [(AMBER, 250)] * 3
    for reason in range(messages.REASON_RANDOM + 1):
        assert therapy_feedback.why_not(reason) == (), "the state or a press of START tells it"


@control("C-65")
def test_three_meanings_look_and_sound_different():
    """A light alone is enough, and so is a sound alone: not everybody sees and hears all."""
    shown = (therapy_feedback.TRY_LATER, therapy_feedback.CALL_CLINIC, therapy_feedback.SEE_DOCTOR)
    whats = (therapy_feedback.LATER, therapy_feedback.CLINIC, therapy_feedback.DOCTOR)
    assert [therapy_feedback.meaning(what)[1:] for what in whats] == list(shown)
    assert [sorted({light for light, _ in lit(one)}) for one in shown] == [[AMBER], [RED | AMBER], [RED]]
    assert [sorted(set(tones(one))) for one in shown] == [[LOW_HZ], [1000], [LOW_HZ, HIGH_HZ]]
    for what in (0, 1, 4, 99):
        assert therapy_feedback.meaning(what) == therapy_feedback.meaning(therapy_feedback.CLINIC)


def test_no_two_patterns_are_alike():
    """As an eye and an ear take them: equal neighbours are one."""
    shown = [feedback.status(state, False) for state in range(7, 15)]
    shown += [feedback.status(state, False) for state in (0, 4, 5, 6)]
    shown += [feedback.refused(reason) for reason in REASONS]
    shown += [feedback.refused(reason) for reason in range(14)]
    shown += [therapy_feedback.TRY_LATER, therapy_feedback.CALL_CLINIC, therapy_feedback.SEE_DOCTOR]
    shown += [feedback.NO_ANSWER, feedback.NO_RADIO, feedback.NO_FLASH, feedback.LINK_LOST]
    shown += [feedback.NOT_PAIRED]
    merged = []
    for pattern in shown:
        steps = []
        for lights, tone_hz, span_ms in pattern:
            if steps and steps[-1][:2] == (lights, tone_hz):
                span_ms += steps.pop()[2]
            steps.append((lights, tone_hz, span_ms))
        assert steps not in merged
        merged.append(steps)


def test_the_longest_that_status_can_show_ends():
    state = messages.STATE_NAMES.index("interference")
    pattern = feedback.status(state, True) + therapy_feedback.progress(0, 1)
    pattern = pattern + therapy_feedback.today(10, 10) + therapy_feedback.meaning(therapy_feedback.DOCTOR)
    player, now_ms = Player(), 0
    player.play(pattern, 0)
    while player.playing():
        now_ms += player.wait_ms(now_ms)
        player.update(now_ms)
    assert (player.lights, player.tone_hz) == (0, 0) and now_ms == length_ms(pattern) < 20_000


@control("C-65")
def test_each_fault_means_what_the_watch_says():
    words = {
        "call the clinic": therapy_feedback.CLINIC,
        "stop and see a doctor": therapy_feedback.DOCTOR,
        "try again later, at another place": therapy_feedback.LATER,
    }
    for row in watch_table.TABLE[1:]:
        assert fault_meanings.of(row[watch_table.NUMBER]) == words[row[watch_table.MEANING]], row
    doctor = [row[1] for row in watch_table.TABLE if fault_meanings.of(row[0]) == therapy_feedback.DOCTOR]
    assert doctor == ["over-stimulation", "charge imbalance", "direct current", "temperature"]
    later = [row[1] for row in watch_table.TABLE if fault_meanings.of(row[0]) == therapy_feedback.LATER]
    assert later == ["interference"]


def test_a_fault_that_nobody_knows_means_the_clinic():
    for fault in (0, len(watch_table.TABLE), 200, 255):
        assert fault_meanings.of(fault) == therapy_feedback.CLINIC
