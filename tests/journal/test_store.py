"""Files that are no store, or not whole, are one clear error each, and stay as they were."""

import sqlite3

import pytest
from stimbench.journal import schema
from stimbench.journal.errors import StoreError
from stimbench.journal.pull import pull
from stimbench.journal.store import Store, default_path
from support.journals import JournalBoard, implanted


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "j.sqlite"
    with Store(path, create=True) as store:
        pull(JournalBoard(implanted(60)), store, lambda: 1_900_000_000)
    return path


def test_a_store_that_is_not_there_is_not_made_by_reading(tmp_path):
    with pytest.raises(StoreError, match="no such file"):
        Store(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_its_folder_is_made_when_it_is(tmp_path):
    with Store(tmp_path / "a" / "b.sqlite", create=True) as store:
        assert store.devices() == []


@pytest.mark.parametrize("create", [False, True])
def test_a_wrong_file_stays_as_it_was(tmp_path, create):
    path = tmp_path / "letter.txt"
    path.write_text("Dear all, " * 200)
    with pytest.raises(StoreError, match="no store of journals"):
        Store(path, create)
    assert path.read_text() == "Dear all, " * 200


@pytest.mark.parametrize("create", [False, True])
def test_another_program_s_database_stays_as_it_was(tmp_path, create):
    path = tmp_path / "other.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t (x)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="no store of journals"):
        Store(path, create)
    assert path.read_bytes() == before


def test_a_later_version_is_not_touched(path):
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match="later version"):
        Store(path)


def test_a_damaged_store_is_told(path):
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 64] = b"\xa5" * 64
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        Store(path)


def test_a_cut_store_is_told(path):
    path.write_bytes(path.read_bytes()[:-8192])
    with pytest.raises(StoreError, match="damaged"):
        Store(path)


def test_a_process_that_died_in_a_transaction_leaves_a_good_store(path):
    with Store(path) as store:
        store._db.execute("BEGIN IMMEDIATE")
        store._db.execute("INSERT INTO journals (found_s) VALUES (1)")
        copy = path.with_name("copy.sqlite")
        copy.write_bytes(path.read_bytes())
        store._db.execute("ROLLBACK")
    with Store(copy) as store:
        assert store.journals() == [1] and len(list(store.slots(1))) == 62


def test_a_process_that_died_in_a_pull_leaves_what_it_had_written(path):
    journal = implanted(200)
    with Store(path) as store, store.many_pages():
        number = store.begin_journal(1_900_000_000)
        store.add_page(number, journal.slots[:100], [], 1_900_000_000)
        for name in ("j.sqlite", "j.sqlite-wal"):
            (path.parent / ("dead" + name[1:])).write_bytes((path.parent / name).read_bytes())
    with Store(path.parent / "dead.sqlite") as store:
        assert list(store.slots(2)) == journal.slots[:100]


def test_nothing_lies_beside_a_store_when_it_is_closed(path):
    assert [each.name for each in path.parent.iterdir()] == ["j.sqlite"]
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_where_a_store_is_unless_it_is_named():
    assert str(default_path({"STIMBENCH_STORE": "/x/y.sqlite"})) == "/x/y.sqlite"
    assert default_path({}).name == "journals.sqlite"
