"""Links and kept runs: what is written comes back, and nothing else is taken."""

import json
import os
import stat
import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.errors import InputError
from stimbench.web.kept import Kept, keep, latest, path_of, tidy
from stimbench.web.run_file import Run, RunConfig, from_link, to_link

NAMES = st.text(min_size=1, max_size=10)
VALUES = st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.text(max_size=8)
RUNS = st.builds(
    lambda seed, paired, actions, more: Run(
        config=RunConfig(seed=seed, paired=paired),
        actions=sorted(actions, key=lambda one: one[0]),
        until_ns=max([0, *(one[0] for one in actions)]) + more,
    ),
    st.integers(0, (1 << 53) - 1),
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, 1 << 50), NAMES, st.dictionaries(NAMES, VALUES, max_size=3)), max_size=8
    ),
    st.integers(0, 1 << 40),
)


@settings(max_examples=40)
@given(RUNS)
def test_a_link_brings_the_run_back(run):
    link = to_link(run)
    assert from_link(link) == run
    assert set(link) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@settings(max_examples=40)
@given(RUNS, st.data())
def test_a_damaged_link_is_refused(run, data):
    link = to_link(run)
    cut = link[: data.draw(st.integers(0, len(link) - 1))]
    with pytest.raises(InputError, match="no link to a run"):
        from_link(cut)


def packed(data):
    return urlsafe_b64encode(zlib.compress(json.dumps(data).encode())).rstrip(b"=").decode()


@pytest.mark.parametrize("data", [
    [], {"config": {"seed": -1}}, {"config": {"shell": "rm"}}, {"actions": [[5, "press", {}]], "until_ns": 4},
    {"actions": [[5, "a", {}], [4, "b", {}]], "until_ns": 9}, {"actions": [[1, "", {}]], "until_ns": 9},
    {"actions": [[-1, "a", {}]]},
], ids=str)  # fmt: skip
def test_a_link_to_something_else_is_refused(data):
    with pytest.raises(InputError, match="no link to a run"):
        from_link(packed(data))


def test_a_link_that_swells_is_refused():
    bomb = urlsafe_b64encode(zlib.compress(b" " * (64 << 20))).rstrip(b"=").decode()
    assert len(bomb) < 200_000
    with pytest.raises(InputError, match="no link to a run"):
        from_link(bomb)


def test_the_last_kept_run_comes_back(tmp_path):
    run = Run(actions=[(5, "press", {"button": "START"})], until_ns=9)
    kept = Kept(port=8137, cookie="c" * 43, run=run)
    keep(kept, tmp_path)
    keep(kept, tmp_path)
    assert latest(0, tmp_path) == latest(8137, tmp_path) == kept
    assert stat.S_IMODE(path_of(8137, tmp_path).stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["page-8137.json"]


def test_without_a_kept_run_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="no server kept a run"):
        latest(0, tmp_path)
    path_of(1, tmp_path).write_text("{")
    with pytest.raises(InputError, match="cannot be read: remove it"):
        latest(0, tmp_path)


def test_old_runs_are_removed_and_the_last_few_stay(tmp_path):
    for port in range(1, 12):
        keep(Kept(port=port, cookie="c" * 43, run=Run()), tmp_path)
        os.utime(path_of(port, tmp_path), (port, port))
    tidy(tmp_path)
    assert sorted(int(one.stem.split("-")[1]) for one in tmp_path.iterdir()) == list(range(4, 12))
    assert latest(0, tmp_path).port == 11
