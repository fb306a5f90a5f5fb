"""Stores with made-up lives of devices."""

import pytest
from stimbench.audit.device import audit_of
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from support.journals import DAY_S, DEVICE, JournalBoard, Year, kept, prescription


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "j.sqlite", create=True) as opened:
        opened.rows("PRAGMA synchronous = OFF")  # no power is cut here
        yield opened


@pytest.fixture
def year():
    return Year()


@pytest.fixture
def audited(store):
    """Pulls a life on a day after activation and audits it: `audited(year, day)`."""

    def done(year, day, device=DEVICE, prescriptions=None):
        now_s = year.activation_s + day * DAY_S + 12 * 3600
        given = [kept(1, prescription())] if prescriptions is None else prescriptions
        pull(JournalBoard(year.journal, given), store, lambda: now_s)
        return audit_of(store, device.hex(), now_s)

    return done
