"""A board boots once for all tests that need it just booted; each goes on in a copy of this process.

Booting costs the emulator two seconds, and nearly every test of the device begins with it. A bench cannot be
copied, but a process can: a bench is booted here and never run again, and each test's function is called in a
fork.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimfw.protocol import roles

from support import scene
from support.board import emulated_board

SEED = 2
"""Of the pairing that every bench of a test has."""


class Booted:
    """A bench whose stimulator is ready; only a copy of this process may run it."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.bench = Bench(BenchConfig(**fields))
        if "remote" in fields["boards"]:
            provision.pair(self.bench)
        self.pairing = provision.add_peer(self.bench, roles.PATIENT, seed=SEED)
        self.board = emulated_board(self.bench)
        self.board.wait_ready()

    @cached_property
    def peer(self) -> scene.Peer:
        """One for all tests: in the air it stays."""
        return scene.Peer(self.bench, self.pairing)


_BOOTED: dict[str, Booted] = {}


def fields_of(item: pytest.Item) -> dict[str, Any]:
    """Of BenchConfig, as the test's marker `bench(...)` has them."""
    marker = item.get_closest_marker("bench")
    return {"boards": ("stimulator",), **(marker.kwargs if marker else {})}


def booted(item: pytest.Item) -> Booted:
    """The bench that a test begins with."""
    fields = fields_of(item)
    name = repr(sorted(fields.items()))
    if name not in _BOOTED:
        _BOOTED[name] = Booted(fields)
    return _BOOTED[name]


@cache
def idle_heap() -> int:
    """Free heap of a board that booted and was asked nothing, collected.

    It has one pairing, as each board under test: the keys for its next HELLO are made at the start.
    """
    with Bench(BenchConfig(boards=("stimulator",))) as bench:
        provision.add_peer(bench, roles.PATIENT, seed=SEED)
        board = emulated_board(bench)
        board.wait_ready()
        return board.free_heap()


@cache
def heap_in_contact() -> int:
    """The same of a board with which one peer has a connection: its keys and last frames are held."""
    with Bench(BenchConfig(boards=("stimulator",))) as bench:
        pairing = provision.add_peer(bench, roles.PATIENT, seed=SEED)
        board = emulated_board(bench)
        board.wait_ready()
        scene.Peer(bench, pairing).join()
        return board.free_heap()
