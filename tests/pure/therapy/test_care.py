"""What an implanted stimulator knows of its therapy: conditions, refusals, and what outlives a restart."""

from stimfw.protocol import journal_entries, messages, therapy_reasons
from stimfw.therapy import battery, care, machine, prescription
from stimfw.therapy.care import Care
from support.control import control

DAY_S = 86_400
NOW_S = 20_000 * DAY_S + 8 * 3600
NOBODY = messages.FROM_NOBODY
PLAN = prescription.default().replaced(
    {"left.amplitude_ua": 2000, "right.amplitude_ua": 3000, "activation_s": NOW_S, "session_s": 600}
)


class Device:
    """A Care with a clock, and the entries that it noted."""

    def __init__(self, payload=None, time_s=NOW_S):
        self.time_s = time_s
        self.uptime_s = 100
        self.entries = []
        self.care = Care(payload, self._note, lambda: self.time_s, lambda: self.uptime_s)

    def _note(self, kind, sender, *values):
        body = journal_entries.pack(kind, *values)
        self.entries.append((kind, sender, journal_entries.unpack(kind, body)))

    def prescribed(self):
        self.care.hold(PLAN, 7)
        return self

    def pass_s(self, seconds):
        self.uptime_s += seconds
        if self.time_s:
            self.time_s += seconds
        self.care.look()

    def session(self, cause=messages.STOPPED_SESSION_OVER):
        assert self.care.refusal() == 0
        self.care.begin(2)
        self.pass_s(600)
        self.care.end(cause, 600, 20, NOBODY)

    def restarted(self, time_s=0):
        other = Device(self.care.pack(), time_s)
        return other.prescribed()


def test_a_device_that_was_just_implanted_has_no_prescription():
    device = Device()
    assert device.care.conditions() == machine.CONDITION_UNCONFIGURED
    assert device.care.refusal() == therapy_reasons.UNCONFIGURED


@control("C-59", "C-58")
def test_it_heals_until_the_prescriptions_activation_and_a_lost_clock_stands_still():
    device = Device(time_s=NOW_S - 10).prescribed()
    assert device.care.conditions() == machine.CONDITION_HEALING
    assert device.care.refusal() == therapy_reasons.HEALING
    assert device.care.next_s() == 10
    device.pass_s(9)
    assert device.care.is_healing()
    device.pass_s(1)
    assert device.care.conditions() == 0 and device.care.refusal() == 0
    lost = Device(time_s=NOW_S - 10).prescribed()
    lost.care.look()
    lost.time_s = 0
    lost.pass_s(40 * DAY_S)
    assert lost.care.is_healing() and lost.care.refusal() != 0


def test_sessions_are_counted_and_the_day_is_complete():
    device = Device().prescribed()
    device.session()
    assert device.care.sessions_left() == 1
    assert device.care.refusal() == therapy_reasons.TOO_SOON and device.care.conditions() == 0
    device.pass_s(PLAN.between_s)
    device.session()
    assert device.care.conditions() == machine.CONDITION_COMPLETE
    assert device.care.refusal() == therapy_reasons.DAY_COMPLETE
    device.pass_s(DAY_S)
    assert device.care.conditions() == 0 and device.care.refusal() == 0


def test_a_session_that_was_stopped_shows_until_the_next_one_or_the_next_day():
    device = Device().prescribed()
    device.session(messages.STOPPED_REMOTE)
    assert device.care.conditions() == machine.CONDITION_STOPPED
    device.pass_s(PLAN.between_s)
    device.care.begin(2)
    assert device.care.conditions() & machine.CONDITION_STOPPED == 0
    device.care.end(messages.STOPPED_MAGNET, 3, 0, NOBODY)
    assert device.care.conditions() == machine.CONDITION_COMPLETE | machine.CONDITION_STOPPED
    device.pass_s(DAY_S)
    assert device.care.conditions() == 0


def test_a_session_is_noted_from_its_begin_to_its_end():
    device = Device().prescribed()
    device.session()
    began, ended = device.entries
    assert began == (
        journal_entries.SESSION_BEGAN, 2,
        {"version": 7, "planned_s": 600, "session": 1, "number_today": 1},
    )  # fmt: skip
    assert ended == (
        journal_entries.SESSION_ENDED, NOBODY,
        {"session": 1, "cause": messages.STOPPED_SESSION_OVER, "elapsed_s": 600, "cycles": 20, "fault": 0},
    )  # fmt: skip


def test_a_fault_stays_until_a_clinician_clears_it_through_every_restart():
    device = Device().prescribed()
    device.care.found(5, 1)
    device.care.found(6, 0)
    again = device.restarted(NOW_S)
    assert (again.care.fault, again.care.fault_lead) == (5, 1)  # the first one stays
    assert again.care.conditions() == machine.CONDITION_FAULT
    assert again.care.refusal() == therapy_reasons.FAULT
    again.care.clear_fault(NOBODY)
    assert again.entries == [(journal_entries.FAULT_CLEARED, NOBODY, {"fault": 5})]
    assert again.care.conditions() == 0 and again.care.refusal() == 0


@control("C-61")
def test_modes_outlive_a_restart_and_are_noted_once():
    for mode, bit in ((care.MRI, machine.CONDITION_MRI), (care.STORAGE, machine.CONDITION_STORAGE)):
        device = Device().prescribed()
        device.care.set_mode(mode, 3)
        device.care.set_mode(mode, 3)
        assert device.entries == [(journal_entries.MODE, 3, {"before": care.NORMAL, "after": mode})]
        assert device.restarted(NOW_S).care.conditions() & bit


@control("C-57", "C-58")
def test_a_restart_gives_no_session_back_and_a_lost_clock_none_at_all():
    device = Device().prescribed()
    device.session()
    device.pass_s(PLAN.between_s)
    device.care.begin(2)
    cut = device.restarted()  # in the session
    assert cut.care.schedule.was_interrupted
    assert cut.care.sessions_left() == 0 and cut.care.refusal() != 0
    cut.pass_s(3 * DAY_S)  # whatever passes, it may be the same day
    assert cut.care.sessions_left() == 0


def test_references_and_the_version_outlive_a_restart():
    device = Device().prescribed()
    device.care.reference_ohm[0], device.care.reference_ohm[1] = 510, 65_535
    again = Device(device.care.pack())
    assert again.care.reference_ohm == [510, 65_535]
    assert again.care.version == 7 and again.care.prescription is None


@control("C-33", "C-57")
def test_the_journals_number_is_kept_and_an_older_record_without_it_is_read():
    device = Device()
    device.care.journal_number = 0x01020304
    payload = device.care.pack()
    assert len(payload) == care.PACKED_BYTES and Care(payload, None, int, int).journal_number == 0x01020304
    older = Care(payload[:-4], None, int, int)
    assert older.journal_number == 0 and older.pack()[:-4] == payload[:-4]


def test_a_record_that_was_lost_uses_the_day_up_and_waits_for_a_clinician():
    device = Device().prescribed()
    device.care.lose(NOW_S - DAY_S)
    assert device.care.conditions() & machine.CONDITION_FAULT
    assert device.care.refusal() == therapy_reasons.FAULT
    device.care.unsound = False
    assert device.care.sessions_left() == 0 or device.care.schedule.day == NOW_S // DAY_S


def test_what_is_no_record_of_this_version_is_refused():
    good = Device().prescribed().care.pack()
    for bad in (
        b"",
        good[:5],
        bytes((care.VERSION + 1,)) + good[1:],
        good[:1] + b"\x03" + good[2:],
        good + b"\0",
    ):
        try:
            Device(bad)
            raise AssertionError(bad)
        except ValueError:
            pass


def test_the_battery_steps_are_noted():
    device = Device().prescribed()
    changes = []
    for _ in range(6):
        changes.append(device.care.read_supply(3200))
        device.pass_s(DAY_S)
    kinds = [(entry[0], entry[2]["after"]) for entry in device.entries]
    assert kinds == [
        (journal_entries.BATTERY, battery.REPLACE_SOON), (journal_entries.BATTERY, battery.END_OF_SERVICE),
    ]  # fmt: skip
    assert device.care.refusal() == therapy_reasons.END_OF_SERVICE
    assert not device.care.read_supply(5000)


@control("C-59")
def test_nothing_begins_without_a_prescription():
    device = Device()
    try:
        device.care.begin(2)
        raise AssertionError
    except ValueError:
        pass
