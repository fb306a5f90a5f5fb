"""Targets by name and serial number, and boards that one process claims at a time."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from stimbench.bench import running
from stimbench.devices.claims import TargetPool, lock_folder
from stimbench.devices.targets import Target, emulated_target, port_of, read_targets, resolve
from stimbench.errors import BoardLostError, InputError, PortError

FILE = """
[[target]]
name = "desk-1"
stimulator = "AAAA"
remote = "CCCC"
has = ["500-ohm"]

[[target]]
name = "desk-2"
stimulator = "BBBB"
"""


@dataclass
class Port:
    device: str
    serial_number: str | None = None
    product: str | None = "stimbench stimulator"


@pytest.fixture
def ports(tmp_path: Path) -> list[Port]:
    """Two stimulators and a remote, plugged in; their ports are files here."""
    found = [Port("acm0", "AAAA"), Port("acm1", "BBBB"), Port("acm2", "CCCC", "stimbench remote")]
    for port in found:
        port.device = str(tmp_path / port.device)
        Path(port.device).touch()
    return found


@pytest.fixture
def known(tmp_path: Path) -> tuple[Target, ...]:
    path = tmp_path / "targets.toml"
    path.write_text(FILE)
    return read_targets(path)


def names(targets: tuple[Target, ...]) -> list[str]:
    return [target.name for target in targets]


# What a person may name.


def test_a_target_is_named_by_port_serial_number_or_name(known, ports) -> None:
    assert resolve("emulated", (), ports) == (emulated_target(),)
    assert resolve("/dev/ttyACM7", (), ()) == (Target("/dev/ttyACM7", stimulator="/dev/ttyACM7"),)
    assert resolve("BBBB", (), ports) == (Target("BBBB", stimulator="BBBB"),)
    assert resolve("CCCC", (), ports) == (Target("CCCC", remote="CCCC"),)
    assert names(resolve("desk-2, desk-1", known, ports)) == ["desk-2", "desk-1"]
    assert names(resolve("BBBB", known, ports)) == ["desk-2"]


def test_all_are_those_of_the_file_or_the_stimulators_that_are_plugged_in(known, ports) -> None:
    assert names(resolve("all", known, [])) == ["desk-1", "desk-2"]
    assert names(resolve("all", (), ports)) == ["AAAA", "BBBB"]
    with pytest.raises(PortError, match="No stimulator is plugged in"):
        resolve("all", (), [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("ZZZZ", r"no target ZZZZ: .* plugged in \(AAAA, BBBB, CCCC\), .* targets \(desk-1, desk-2\)"),
        ("desk-1,all", "stand alone"),
        ("emulated,BBBB", "stand alone"),
        ("", "stand alone"),
        ("desk-1,AAAA", "desk-1 is named twice"),
        ("desk-2,desk-2", "desk-2 is named twice"),
    ],
)
def test_words_that_name_nothing_are_one_sentence(words: str, told: str, known, ports) -> None:
    with pytest.raises(InputError, match=told):
        resolve(words, known, ports)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[target]]\nname = 'one'\n", "one names no board"),
        ("[[target]]\nname = 'A B'\nstimulator = 'X'\n", "target.0.name: "),
        ("[[target]]\nname = 'all'\nstimulator = 'X'\n", "all: no target may be called so"),
        (FILE.replace("BBBB", "AAAA"), "AAAA is there twice"),
        (FILE.replace("desk-2", "desk-1"), "desk-1 is there twice"),
        (FILE.replace("has", "hat"), "target.0.hat: "),
        (FILE.replace("500-ohm", "500 Ohm"), "'500 Ohm' in has"),
        ("[[target", "targets.toml: "),
        ("", "target: Field required"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_sentence(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        read_targets(path)
    assert str(path) in str(caught.value)


def test_what_a_target_has(known) -> None:
    assert known[0].capabilities == {"stimulator", "remote", "500-ohm"}
    assert known[1].capabilities == {"stimulator"}
    assert {"stimulator", "remote", "bench", "capture", "power", "radio"} == emulated_target().capabilities


def test_a_board_is_found_by_its_serial_number_on_whatever_port(ports) -> None:
    assert port_of("BBBB", ports).endswith("acm1")
    ports[1].device = "/dev/ttyACM9"
    assert port_of("BBBB", ports) == "/dev/ttyACM9"
    with pytest.raises(PortError, match="serial number ZZZZ is not plugged in"):
        port_of("ZZZZ", ports)


# Claims.


@pytest.fixture
def make_pool(known, ports, tmp_path: Path):
    pools = []

    def make(targets=known, first: int = 0) -> TargetPool:
        pools.append(TargetPool(targets, lambda: ports, tmp_path / "locks", first))
        return pools[-1]

    yield make
    for pool in pools:
        pool.release()


def test_each_process_has_a_board_of_its_own_and_keeps_it(make_pool) -> None:
    one, other = make_pool(), make_pool()
    assert one.claim().name == one.claim().name == "desk-1"
    assert other.claim().name == "desk-2"
    with pytest.raises(PortError, match=r"desk-1 is claimed .* desk-2 is claimed") as caught:
        make_pool().claim()
    assert not isinstance(caught.value, BoardLostError)
    one.release()
    assert make_pool().claim().name == "desk-1"


def test_processes_begin_with_different_boards(make_pool) -> None:
    assert make_pool(first=1).claim().name == "desk-2"
    assert make_pool(first=2).claim().name == "desk-1"


def test_a_claim_has_the_ports_of_now(make_pool, ports, tmp_path: Path) -> None:
    pool = make_pool()
    assert pool.claim().boards == {"stimulator": ports[0].device, "remote": ports[2].device}
    ports[0].device = str(tmp_path / "acm9")
    Path(ports[0].device).touch()
    assert pool.claim().stimulator == ports[0].device


def test_the_lock_is_of_the_board_and_not_of_the_words_that_name_it(make_pool, ports) -> None:
    make_pool().claim()
    by_port = make_pool((Target("port", stimulator=ports[0].device),))
    with pytest.raises(PortError, match="port is claimed by another process"):
        by_port.claim()
    of_its_remote = make_pool((Target("handheld", remote="CCCC"),))
    with pytest.raises(PortError, match="handheld is claimed by another process"):
        of_its_remote.claim()


def test_a_board_that_is_lost_makes_way_for_the_next_one(make_pool, ports) -> None:
    pool = make_pool()
    pool.claim()
    pool.lose("desk-1 went away.")
    assert pool.claim().name == "desk-2"
    Path(ports[1].device).unlink()  # between two tests
    told = r"No board is left\. desk-1 went away\. desk-2 was lost: There is no"
    with pytest.raises(BoardLostError, match=told):
        pool.claim()


def test_what_a_process_lost_others_may_find_again(make_pool) -> None:
    pool = make_pool()
    pool.claim()
    pool.lose("desk-1 went away.")
    assert make_pool().claim().name == "desk-1"


def test_half_a_target_is_not_kept(make_pool) -> None:
    remote = make_pool((Target("handheld", remote="CCCC"),))
    remote.claim()
    whole = make_pool()
    assert whole.claim().name == "desk-2"
    only = make_pool((Target("alone", stimulator="AAAA"),))
    assert only.claim().name == "alone"


def test_a_process_that_dies_gives_its_board_back(make_pool, ports, tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from stimbench.devices.claims import TargetPool; "
        "from stimbench.devices.targets import Target; "
        "pool = TargetPool([Target('one', stimulator=sys.argv[1])], lambda: [], Path(sys.argv[2])); "
        "pool.claim(); print('claimed', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, ports[0].device, str(tmp_path / "locks")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "claimed\n"
        mine = TargetPool([Target("one", stimulator=ports[0].device)], lambda: [], tmp_path / "locks")
        with pytest.raises(PortError, match="claimed by another process"):
            mine.claim()
        other.kill()
        other.wait()
        assert mine.claim().name == "one"
        mine.release()


def test_the_folder_of_the_locks_is_private_and_benches_accept_it(ports, monkeypatch) -> None:
    """A board's test may be the first program of a machine that makes it."""
    with tempfile.TemporaryDirectory() as place:
        monkeypatch.setenv("XDG_RUNTIME_DIR", place)
        pool = TargetPool([Target("one", stimulator=ports[0].device)], lambda: [])
        pool.claim()
        assert lock_folder().is_relative_to(place)
        assert [path.stat().st_mode & 0o777 for path in (lock_folder(), running.folder())] == [0o700, 0o700]
        pool.release()


def test_locks_in_a_folder_that_others_may_change_are_refused(ports, monkeypatch) -> None:
    with tempfile.TemporaryDirectory() as place:
        monkeypatch.setenv("XDG_RUNTIME_DIR", place)
        running.folder().chmod(0o777)
        pool = TargetPool([Target("one", stimulator=ports[0].device)], lambda: [])
        with pytest.raises(PortError, match="Others can read or change"):
            pool.claim()
