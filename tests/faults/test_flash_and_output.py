"""Flash is written with the output off only: the processor stands still for it, with interrupts off."""

from stimbench.bench import provision
from stimfw.protocol import messages, requests, roles
from support import scene
from support.board import Board
from support.scene import MS

PENDING, ACTIVE = 1, 2  # docs/telemetry.md, PAIRINGS
NEW_ID, NEW_KEY = b"newp", bytes(range(32))
USED_MS = 1000
SETTLED_MS = 200


def state_of(board, slot):
    return {one.slot: one.state for one in board.client.pairings().pairings}[slot]


def test_a_new_key_first_used_while_pulsing_is_settled_after_the_session(
    board: Board, bench, heap_in_contact
):
    slot, base = board.client.pair(NEW_ID, roles.PATIENT, NEW_KEY)
    peer = scene.Peer(bench, provision.Provisioned(base, slot, roles.PATIENT, NEW_KEY, NEW_ID), seed=2)
    scene.pulse(board)
    flash = bench.board("stimulator").flash
    operations, began_ns = len(flash.operations), bench.now_ns
    bench.run_for(60 * MS)  # the host's requests have left garbage: its collection is behind a pulse
    peer.join()
    bench.run_to(began_ns + USED_MS * MS)
    assert board.client.counters()["radio_connections"] == 1, "it is in use"
    assert len(flash.operations) == operations, "the flash is written while pulsing"
    assert state_of(board, slot) == PENDING
    assert scene.cathodic_edges(bench, bench.now_ns - USED_MS * MS) == 2 * USED_MS // scene.PERIOD_MS
    assert peer.ask(messages.request(requests.STOP))[1] == messages.OK
    bench.run_for(SETTLED_MS * MS)
    assert len(flash.operations) > operations and state_of(board, slot) == ACTIVE
    scene.assert_stays_off(bench, bench.now_ns - SETTLED_MS * MS)
    board.client.forget(slot)  # with it go its connections, whose keys an idle board does not hold
