"""What an audit tells of a year on the desk, compared with what was done; and the wear of its flash."""

from collections import Counter
from datetime import date

from stimbench.audit.device import audit_of

from support import stimulator_harness  # noqa: F401 MicroPython's time

# isort: split
from stimfw.protocol import journal_entries, messages
from stimfw.storage import layout

DAY_S = 86_400
RATED_ERASES = 100_000
"""Of each sector: W25Q16JV datasheet, "Features"."""
_EPOCH = date(1970, 1, 1)


def compared(year, store):
    """The audit of the store, compared with what was done; raises AssertionError where they differ."""
    audit = audit_of(store, store.devices()[0], year.desk.true_s())
    assert not audit.findings, audit.findings
    lost = [each.entry.fields for each in audit.of_kind(journal_entries.LOST)]
    assert not lost, lost
    versions = [each.entry.fields["version"] for each in audit.of_kind(journal_entries.PRESCRIBED)]
    versions = sorted(set(versions))  # after a cut the same may be told again
    assert versions == year.versions, (versions, year.versions)
    told = {each.number: each for each in audit.sessions}
    assert len(told) == len(audit.sessions), "a session is told twice"
    numbers = Counter(each.number for each in year.held)
    for each in list(year.held):
        if each.unheard and (each.number not in told or numbers[each.number] > 1):
            numbers[each.number] -= 1
            year.held.remove(each)
            continue
        assert each.number in told, f"{each} is not told"
        _compare(told.pop(each.number), each, year)
    assert not told, f"{told} never was"
    _compare_days(audit, year)
    return audit


def _compare(told, held, year):
    assert told.version == held.version, (told, held)
    day = held.began_s // DAY_S
    is_vague = day in year.unknown_days and (told.began_s is None or told.began_s // DAY_S == day)
    assert is_vague or abs(told.began_s - held.began_s) <= 2, (told, held)
    if held.doubtful and told.cause in (None, messages.STOPPED_FAULT):
        held.cause = None
    if held.cause is not None:
        assert (told.cause, told.elapsed_s) == (held.cause, held.elapsed_s), (told, held)
    else:
        assert not told.is_complete, (told, held)


def _compare_days(audit, year):
    """Each day of which the journal can tell everything is as it was; the others are explained."""
    for day in audit.adherence.days:
        number = day.on.toordinal() - _EPOCH.toordinal()
        of_day = [one for one in year.held if one.began_s // DAY_S == number]
        complete = sum(one.cause == messages.STOPPED_SESSION_OVER for one in of_day)
        if day.unknown:
            assert year.unknown_days & {number - 1, number, number + 1}, day
            continue
        elapsed_s = sum(one.elapsed_s for one in of_day if one.cause is not None)
        was = (year.due[number], complete, len(of_day) - complete, elapsed_s)
        assert (day.prescribed, day.complete, day.cut_short, day.elapsed_s) == was, (day, was)


def wear(flash):
    """Most erases of a block of each area, and fewest and most of the journal's."""
    areas = {
        "progress": flash.erases[layout.PROGRESS : layout.EVENTS],
        "log": flash.erases[layout.EVENTS : layout.EPOCHS],
        "prescriptions": flash.erases[layout.PRESCRIPTIONS : layout.LIFE],
        "journal": flash.erases[layout.JOURNAL : layout.JOURNAL + layout.JOURNAL_BLOCKS],
    }
    most = max(flash.erases)
    assert most < RATED_ERASES, most
    return {name: (min(blocks), max(blocks)) for name, blocks in areas.items()}
