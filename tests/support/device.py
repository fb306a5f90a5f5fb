"""Fixtures and hooks of the device tests: which target, which bench, and the heap afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.pytest_plugin import run
from stimfw.protocol import roles

from support import copies, scene, stack_room, targets
from support.board import Board, emulated_board, wired_board
from support.branches import branch

HEAP_TOLERANCE = 1536
"""Bytes that a used application may hold beyond an idle one: its last results, replies and session."""
_IDLE_HEAP = pytest.StashKey[dict[str, int]]()
_BOOTED = {"board", "both", "alone"}
"""Fixtures that are a bench which has booted: once for all tests that want it."""


def wired(config: pytest.Config) -> bool:
    """Whether the boards under test are wired ones."""
    return not run.is_emulated(config)


def check_heap(item: pytest.Item) -> None:
    """Fail the test if its board has less heap than an idle one, collected both times.

    A test that speaks by radio is compared with an idle board that has one connection.
    """
    board = item.funcargs.get("board")
    if not isinstance(board, Board) or not board.can_be_asked():
        return
    idle = item.funcargs.get("heap_in_contact", item.funcargs["idle_heap"])
    free = board.free_heap()
    if free < idle - HEAP_TOLERANCE:
        pytest.fail(
            f"heap: {free} bytes free after the test, {idle} on an idle board: {idle - free} are held, "
            f"{HEAP_TOLERANCE} are tolerated",
            pytrace=False,
        )


def _in_a_copy(item: pytest.Item) -> bool:
    """Whether a test's function is called in a copy of this process, on a bench that has booted.

    So no test sees what another one did to the bench, in whatever order they run. Not on a wired board; nor
    with a thread (`dut`); nor when it needs a bench that was only just switched on.
    """
    names = set(getattr(item, "fixturenames", ()))
    return bool(names & _BOOTED) and not wired(item.config) and not names & {"dut", "console_path"}


def call(item: pytest.Function) -> bool:
    """For pytest_pyfunc_call: the test, then the check of its board's heap."""

    def body() -> None:
        item.obj(**{name: item.funcargs[name] for name in item._fixtureinfo.argnames})
        check_heap(item)
        if _in_a_copy(item) and not item.get_closest_marker("deep_stack"):
            stack_room.check(copies.booted(item).bench)

    if _in_a_copy(item):
        branch(body)
    else:
        body()
    return True


@pytest.fixture
def idle_heap(request: pytest.FixtureRequest) -> int:
    """Free heap of a board that booted and was asked nothing, collected; of each board once."""
    if not wired(request.config):
        return copies.idle_heap()
    known = request.config.stash.setdefault(_IDLE_HEAP, {})
    port = targets.ports(request.config)["stimulator"]
    if port not in known:
        with wired_board(port) as board:
            known[port] = board.free_heap()
    return known[port]


@pytest.fixture(scope="session")
def heap_in_contact() -> int:
    """The same of a board with which one peer has a connection: its keys and last frames are held."""
    return copies.heap_in_contact()


@pytest.fixture
def _switched_on(request: pytest.FixtureRequest) -> Iterator[tuple[Bench, provision.Provisioned]]:
    if _in_a_copy(request.node):
        booted = copies.booted(request.node)
        yield booted.bench, booted.pairing
        return
    fields = copies.fields_of(request.node)
    with Bench(BenchConfig(**fields)) as made:
        if "remote" in fields["boards"]:
            provision.pair(made)
        yield made, provision.add_peer(made, roles.PATIENT, seed=copies.SEED)


@pytest.fixture
def bench(_switched_on: tuple[Bench, provision.Provisioned]) -> Bench:
    """An emulated bench, just switched on. The marker `bench(...)` gives fields of its BenchConfig.

    Its remote is paired, if it has one. A test that asks for it needs the emulator, and is deselected on a
    wired board. With `board`, its stimulator has booted.
    """
    return _switched_on[0]


@pytest.fixture
def peer(
    request: pytest.FixtureRequest,
    _switched_on: tuple[Bench, provision.Provisioned],
    bench: Bench,
    heap_in_contact: int,
) -> scene.Peer:
    """A patient's transmitter without a board, paired with the bench's stimulator, not yet connected."""
    if _in_a_copy(request.node):
        return copies.booted(request.node).peer
    return scene.Peer(bench, _switched_on[1])


@pytest.fixture
def board(request: pytest.FixtureRequest, idle_heap: int) -> Iterator[Board]:
    """The stimulator under test, just booted; on the test's own bench if it has one."""
    if _in_a_copy(request.node):
        yield copies.booted(request.node).board
        return
    if not wired(request.config):
        made = emulated_board(request.getfixturevalue("bench"))
        made.wait_ready()
        yield made
        return
    with wired_board(targets.ports(request.config)["stimulator"]) as made:
        yield made


@pytest.fixture
def remote(request: pytest.FixtureRequest) -> Iterator[Board]:
    """The remote under test, just booted; an emulated one has no stimulator to talk to."""
    if not wired(request.config):
        with Bench(BenchConfig(boards=("remote",))) as alone:
            made = emulated_board(alone, "remote")
            made.wait_ready()
            yield made
        return
    with wired_board(targets.ports(request.config)["remote"], "remote") as made:
        yield made


def image(name: str) -> Path:
    """The built image of a board."""
    return Path(__file__).resolve().parents[2] / "build" / f"{name}.uf2"
