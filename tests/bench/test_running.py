"""How running benches are found: a private folder, names, dead ones; and the links to the ptys."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from stimbench.bench import running
from stimbench.bench.links import folder_for_links, link_to, unlink_from
from stimbench.errors import InputError, PortError

BOARDS = ("stimulator", "remote")


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    """A runtime folder of the test's own, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_no_bench_is_a_sentence(runtime):
    with pytest.raises(PortError, match=r"No bench runs: start one .*`stimbench bench up`") as caught:
        running.find(None)
    assert caught.value.exit_code == 4
    assert running.running() == []


def test_a_bench_is_found_once_it_is_announced_and_gone_at_its_end(runtime):
    with running.claim(None) as (name, _):
        assert name == "bench" and running.running() == []
        made = running.announce(name, {"remote": "/dev/pts/9"}, {})
        assert running.find(None) == running.find("bench") == made
        assert len(made.token) >= 32 and made.pid == os.getpid()
        for path, mode in ((running.folder(), 0o700), (running.folder() / "bench.json", 0o600)):
            assert stat.S_IMODE(path.stat().st_mode) == mode
        assert stat.S_IMODE(Path(made.socket).stat().st_mode) == 0o600
    assert running.running() == [] and {path.name for path in running.folder().iterdir()} == {"lock"}


def test_several_benches_have_names_and_one_must_be_named(runtime):
    with (
        running.claim(None) as (first, _),
        running.claim(None) as (second, _),
        running.claim("x-1") as (third, _),
    ):
        assert (first, second, third) == ("bench", "bench-2", "x-1")
        tokens = {running.announce(name, {}, {}).token for name in (first, second, third)}
        assert len(tokens) == 3
        with pytest.raises(
            InputError, match=r"3 benches run \(bench, bench-2, x-1\)\. Say which one: --bench"
        ) as caught:
            running.find(None)
        assert caught.value.exit_code == 2
        assert running.find("bench-2").name == "bench-2"
        with pytest.raises(PortError, match="No bench 'y' runs; there is bench, bench-2, x-1"):
            running.find("y")
        with pytest.raises(InputError, match="A bench named 'x-1' runs already"), running.claim("x-1"):
            pass
    with pytest.raises(PortError, match="No bench 'y' runs; none runs"):
        running.find("y")


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "-a", "x" * 32, "a\n"])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(InputError, match="a name has 1 to 31 small letters"), running.claim(name):
        pass


def test_what_a_killed_bench_left_is_noticed_and_removed(runtime):
    place = running.folder()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(place / "bench.sock"))
    running.announce("bench", {}, {})
    dead.close()
    assert {path.name for path in place.iterdir()} >= {"bench.sock", "bench.json"}
    assert running.running() == []
    assert not (place / "bench.sock").exists() and not (place / "bench.json").exists()
    with running.claim(None) as (name, _):
        assert name == "bench", "its name is free again"


@pytest.mark.parametrize("text", ["", "{}", '{"name": 1}', "\x00", "[" * 5000])
def test_a_record_that_cannot_be_read_is_passed_over(runtime, text):
    with running.claim("a") as _, running.claim("b") as _:
        running.announce("a", {}, {})
        (running.folder() / "b.json").write_text(text)
        assert [one.name for one in running.running()] == ["a"]


def test_a_folder_that_others_may_use_is_refused(runtime):
    running.folder().chmod(0o755)
    with pytest.raises(PortError, match=r"Others can read or change .*stimbench, where benches leave"):
        running.folder()


def test_a_folder_in_a_place_where_others_may_write_is_refused(runtime, monkeypatch):
    monkeypatch.setattr(running, "user_runtime_path", lambda *_, **__: runtime / "stimbench")
    runtime.chmod(0o777)
    with pytest.raises(PortError, match=f"Others can read or change {runtime}, where"):
        running.folder()


def test_a_path_that_is_too_long_for_a_socket_is_a_sentence(runtime, monkeypatch):
    deep = runtime / ("x" * 100)
    deep.mkdir(mode=0o700)
    monkeypatch.setattr(running, "user_runtime_path", lambda *_, **__: deep / "stimbench")
    with (
        pytest.raises(PortError, match=r"bench\.sock cannot be made: AF_UNIX path too long"),
        running.claim(None),
    ):
        pass
    assert not list((deep / "stimbench").glob("*.sock"))


def test_a_folder_that_is_a_link_is_refused(runtime, tmp_path):
    (runtime / "stimbench").symlink_to(tmp_path)
    with pytest.raises(PortError, match="Others can read or change"):
        running.folder()


# Links.


def linked(folder, in_use=None):
    return folder_for_links(folder, BOARDS, in_use or {})


def test_links_are_made_and_go_with_their_folder(tmp_path):
    folder = tmp_path / "boards"
    with linked(folder) as links:
        link_to(links["remote"], "/dev/pts/7")
        assert os.readlink(folder / "remote") == "/dev/pts/7"
        unlink_from(links["remote"], "/dev/pts/7")
    assert not folder.exists()
    folder.mkdir()
    with linked(folder):
        pass
    assert folder.is_dir(), "it was the user's"


def test_a_link_that_a_killed_bench_left_is_replaced(tmp_path):
    (tmp_path / "remote").symlink_to("/dev/pts/1234")
    with linked(tmp_path) as links:
        link_to(links["remote"], "/dev/pts/7")
    assert os.readlink(tmp_path / "remote") == "/dev/pts/7"
    assert [path.name for path in tmp_path.iterdir()] == ["remote"], "nothing half done beside it"


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_not_ours_is_not_replaced(tmp_path, kind):
    there = tmp_path / "remote"
    if kind == "file":
        there.write_text("precious")
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to("/dev/null")
    with pytest.raises(InputError, match="remote is there and is no link of a bench"), linked(tmp_path):
        pass
    with pytest.raises(InputError, match="no link of a bench"):
        link_to(there, "/dev/pts/7")
    assert os.path.lexists(there) and not (tmp_path / "stimulator").exists()
    assert kind != "file" or there.read_text() == "precious"


def test_a_link_of_a_running_bench_is_not_taken_from_it(tmp_path):
    (tmp_path / "remote").symlink_to("/dev/pts/7")
    in_use = {str(tmp_path / "remote"): "bench"}
    with pytest.raises(InputError, match="remote is in use by the bench 'bench'"), linked(tmp_path, in_use):
        pass
    assert os.readlink(tmp_path / "remote") == "/dev/pts/7"


def test_a_link_that_somebody_changed_meanwhile_stays(tmp_path):
    link_to(tmp_path / "remote", "/dev/pts/7")
    link_to(tmp_path / "remote", "/dev/pts/8")
    unlink_from(tmp_path / "remote", "/dev/pts/7")
    assert os.readlink(tmp_path / "remote") == "/dev/pts/8"
    unlink_from(tmp_path / "nothing", "/dev/pts/7")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    with (
        pytest.raises(InputError, match="the folder cannot be made: No such file"),
        linked(tmp_path / "a" / "b"),
    ):
        pass
