"""The clinician's key file: private, whole at every moment, and epochs that never come twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import stat
from itertools import pairwise

import pytest
from filelock import FileLock, Timeout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stimbench.client import keyring as module
from stimbench.client.keyring import HostPairing, KeyFileError, Keyring, default_path
from stimbench.errors import StimbenchError
from stimfw.protocol import roles

BASE, OTHER = b"\x01\x02\x03\x04", b"\x05\x06\x07\x08"
KEY, NEW_KEY = bytes(range(32)), bytes(range(32, 64))


FIRST_DAY = "2026-11-29"


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def held(keyring):
    keyring.store(BASE, 2, roles.CLINICIAN, KEY)
    return keyring


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_stored_is_there_for_the_next_process(held):
    (found,) = Keyring(held.path).pairings()
    assert found == HostPairing(BASE, 2, roles.CLINICIAN, KEY, held.own_id(), epoch=0, day=FIRST_DAY)


def test_file_and_folder_are_the_users_alone_whatever_the_umask(keyring):
    before = os.umask(0)
    try:
        keyring.store(BASE, 0, roles.CLINICIAN, KEY)
        keyring.begin(BASE)
    finally:
        os.umask(before)
    assert (mode(keyring.path), mode(keyring.path.parent)) == (0o600, 0o700)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(held, bits):
    held.path.chmod(bits)
    for use in (held.pairings, held.own_id, lambda: held.begin(BASE), lambda: held.forget(BASE)):
        with pytest.raises(KeyFileError, match="chmod 600") as caught:
            use()
        assert caught.value.exit_code == 2


def test_a_folder_in_which_others_can_replace_it_is_refused(held):
    held.path.parent.chmod(0o777)
    with pytest.raises(KeyFileError, match="chmod 700"):
        held.pairings()


def test_no_key_is_ever_shown(held):
    held.path.write_text(held.path.read_text().replace('"clinician"', '"surgeon"'))
    with pytest.raises(KeyFileError) as caught:
        held.pairings()
    shown = str(caught.value) + repr(caught.value.__cause__) + repr(HostPairing(BASE, 0, 2, KEY, OTHER))
    assert KEY.hex() not in shown and repr(KEY) not in shown and repr(KEY)[2:20] not in shown


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data["pairings"][0].update(key="00"),
        lambda data: data["pairings"][0].update(epoch=-1),
        lambda data: data["pairings"][0].update(epoch="1"),
        lambda data: data["pairings"][0].update(slot=6),
        lambda data: data["pairings"][0].update(role="service"),
        lambda data: data["pairings"][0].update(generation=65536),
        lambda data: data["pairings"][0].update(steps=9),
        lambda data: data["pairings"][0].update(day="today"),
        lambda data: data.update(format=3),
        lambda data: data.update(format=0),
        lambda data: data.update(more=1),
        lambda data: data.pop("peer_id"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(held, damage):
    data = json.loads(held.path.read_text())
    damage(data)
    text = json.dumps(data)
    held.path.write_text(text)
    with pytest.raises(KeyFileError, match="damaged"):
        held.begin(BASE)
    assert held.path.read_text() == text


def test_a_cut_file_is_refused(held):
    held.path.write_bytes(held.path.read_bytes()[:100])
    with pytest.raises(KeyFileError, match="damaged"):
        held.pairings()


def test_every_run_has_an_epoch_of_its_own_and_it_is_on_disk_before_it_is_given(held):
    for epoch in range(1, 5):
        assert held.begin(BASE).epoch == epoch
        assert json.loads(held.path.read_text())["pairings"][0]["epoch"] == epoch


def test_a_new_key_does_not_take_the_epoch_back(held):
    held.begin(BASE)
    held.store(BASE, 3, roles.CLINICIAN, NEW_KEY)
    begun = held.begin(BASE)
    assert (begun.epoch, begun.key, begun.slot) == (2, NEW_KEY, 3)


def test_epochs_that_are_used_up_end_the_key(held):
    data = json.loads(held.path.read_text())
    data["pairings"][0]["epoch"] = 0xFFFFFFFF
    held.path.write_text(json.dumps(data))
    with pytest.raises(KeyFileError, match="used up"):
        held.begin(BASE)


def test_a_stimulator_without_a_key_is_told(held):
    with pytest.raises(KeyFileError, match=r"05060708.*stimbench pair --clinician"):
        held.begin(OTHER)


def test_the_hosts_id_stays(keyring):
    first = keyring.own_id()
    assert len(first) == 4 and Keyring(keyring.path).own_id() == first


def test_forgetting(held):
    held.store(OTHER, 1, roles.CLINICIAN, NEW_KEY)
    assert held.forget(BASE) and not held.forget(BASE)
    assert [pairing.base for pairing in held.pairings()] == [OTHER]
    assert KEY.hex() not in held.path.read_text()


def test_asking_makes_no_file(keyring):
    assert keyring.pairings() == [] and not keyring.forget(BASE)
    assert not keyring.path.parent.exists()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_between_write_and_rename_leaves_the_old_file(held, monkeypatch, step):
    before = held.path.read_bytes()

    def die(*_args):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(module.os, step, die)
        with pytest.raises(Crash):
            held.begin(BASE)
    assert held.path.read_bytes() == before
    assert held.begin(BASE).epoch == 1
    assert {path.name for path in held.path.parent.iterdir()} == {"keys.json", "keys.json.lock"}


def test_the_new_file_is_on_the_disk_before_it_takes_the_olds_name(held, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            module.os, name, lambda *args, name=name, real=real: (order.append(name), real(*args))
        )
    held.begin(BASE)
    assert order == ["fsync", "replace", "fsync"]


def test_a_full_disk_gives_no_epoch(held, monkeypatch):
    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StimbenchError, match="No space left"):
        held.begin(BASE)


def take_epochs(path, count, results):
    ring = Keyring(path)
    results.put([ring.begin(BASE).epoch for _ in range(count)])


def test_processes_at_once_never_share_an_epoch(held):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=take_epochs, args=(held.path, 25, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    epochs = [epoch for _ in workers for epoch in results.get(timeout=60)]
    for worker in workers:
        worker.join()
    assert sorted(epochs) == list(range(1, 76))


def test_the_environment_names_the_file(tmp_path):
    assert default_path({"STIMBENCH_KEYS": str(tmp_path / "k")}) == tmp_path / "k"
    assert default_path({}).name == "keys.json" and "stimbench" in str(default_path({}))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["begin", "store", "forget other"]),
            st.sampled_from([None, "open", "fsync", "replace"]),
        ),
        max_size=12,
    )
)
def test_epochs_only_rise_whatever_crashes(tmp_path_factory, steps):
    ring = Keyring(tmp_path_factory.mktemp("keys") / "keys.json", random.Random(1).randbytes)
    ring.store(BASE, 0, roles.CLINICIAN, KEY)
    ring.store(OTHER, 1, roles.CLINICIAN, KEY)
    given_out = [0]

    def die(*_args):
        raise Crash

    real_open = os.open

    def dies_at_the_draft(path, *args):
        if str(path).endswith(".new"):
            raise Crash
        return real_open(path, *args)

    for action, crash in steps:
        with pytest.MonkeyPatch.context() as patch:
            if crash == "open":
                patch.setattr(module.os, "open", dies_at_the_draft)
            elif crash:
                patch.setattr(module.os, crash, die)
            try:
                if action == "begin":
                    given_out.append(ring.begin(BASE).epoch)
                elif action == "store":
                    ring.store(BASE, 0, roles.CLINICIAN, NEW_KEY)
                else:
                    ring.forget(OTHER)
            except Crash:
                pass
    assert all(later > earlier for earlier, later in pairwise(given_out))
    assert ring.begin(BASE).epoch > given_out[-1]


def hold_the_lock(path, taken, release):
    with FileLock(path.with_name(path.name + ".lock")):
        taken.set()
        release.wait(60)
        os._exit(9)  # dies with the lock


def test_a_process_that_died_leaves_no_lock(held):
    context = multiprocessing.get_context("fork")
    taken, release = context.Event(), context.Event()
    holder = context.Process(target=hold_the_lock, args=(held.path, taken, release))
    holder.start()
    assert taken.wait(60)
    with pytest.raises(Timeout):
        FileLock(held.path.with_name("keys.json.lock"), timeout=0).acquire()
    release.set()
    assert held.begin(BASE).epoch == 1
    holder.join()
    assert holder.exitcode == 9


def test_a_lock_that_cannot_be_made_is_told(held):
    lock = held.path.with_name("keys.json.lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(StimbenchError, match="cannot be locked"):
        held.begin(BASE)


def test_the_lock_file_is_the_users_alone(held):
    assert mode(held.path.with_name("keys.json.lock")) == 0o600
