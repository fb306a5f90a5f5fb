"""What a key may over the air, request by request; and STOP by any peer, whatever another one is doing."""

import struct

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimfw.logic import messages, program
from stimfw.telemetry import roles
from support import scene
from support.board import EmulatedBoard
from support.scene import HOLD, MS, Peer

PATIENT, CLINICIAN, SECOND_PATIENT = range(3)  # slots
SERVICE_ONLY = (messages.PAIRINGS, messages.PAIR, messages.FORGET, messages.FACTORY_RESET)
CLINICIANS = (
    messages.IDENTIFY, messages.GET_PROGRAM, messages.SET_PROGRAM, messages.IMPEDANCE,
    messages.IMPEDANCE_RESULTS, messages.PULSES, messages.DETAILS, messages.COUNTERS, messages.SELF_TEST,
    messages.TEST_STIMULATION, messages.GET_WINDOW, messages.SET_WINDOW, messages.LOG, messages.GET_TIME,
    messages.SET_TIME,
)  # fmt: skip
"""docs/telemetry.md, Roles; not read from the table under test."""
BODIES = {
    messages.SET_PROGRAM: program.default().replaced({"rate_hz": 60}).pack(),
    messages.IMPEDANCE_RESULTS: b"\0",
    messages.PULSES: bytes(4),
    messages.TEST_STIMULATION: b"\x05",
    messages.SET_WINDOW: struct.pack(messages.AMPLITUDE_WINDOW, 0, 5000, 0, 5000),
    messages.LOG: bytes(4),
    messages.SET_TIME: struct.pack("<I", 1_700_000_000),
    messages.PAIR: b"evil" + bytes((roles.CLINICIAN,)) + bytes(32),
    messages.FORGET: bytes((messages.ALL_SLOTS,)),
}
WINDOW_UA = (500, 1500, 0, 1000)
STOP_NS = 5 * MS  # from the end of STOP's packet
ANY_NS = 20 * MS  # the same, while the stimulator is answering somebody else
"""Its radio cannot hear while it sends: the peer repeats."""

pytestmark = pytest.mark.emulated


class Room:
    """A stimulator, and peers in three of its slots."""

    def __init__(self):
        self.bench = Bench(BenchConfig(boards=("stimulator",)))
        keys = (roles.PATIENT, 1), (roles.CLINICIAN, 2), (roles.PATIENT, 3)
        pairings = [provision.add_peer(self.bench, *key) for key in keys]
        assert [pairing.slot for pairing in pairings] == [PATIENT, CLINICIAN, SECOND_PATIENT]
        self.board = EmulatedBoard(self.bench)
        self.board.wait_ready()
        self.peers = [Peer(self.bench, pairing, seed=pairing.slot).join() for pairing in pairings]

    def restart(self):
        """The stimulator starts again; all peers have a connection then."""
        self.board.reset()
        for peer in self.peers:
            peer.join()

    def ask(self, slot, opcode, body=b""):
        """A request by radio: code and body of the reply."""
        reply = self.peers[slot].ask(messages.request(opcode, body))
        assert reply is not None
        return messages.parse_reply(opcode, reply)

    def programme(self):
        return self.board.client.program().pack()

    def settings(self):
        """What a request could have changed."""
        client = self.board.client
        return self.programme(), client.window(), client.time(), client.pairings(), client.status().state

    def forbidden(self):
        """Sender and opcode of each FORBIDDEN in the log."""
        return [
            (event.sender, event.detail)
            for event in self.board.client.log()
            if event.kind == messages.EVENT_FORBIDDEN
        ]

    def assert_off(self, heard_ns, within_ns=STOP_NS):
        """Off, and it stays so."""
        self.bench.run_to(max(self.bench.now_ns, heard_ns + within_ns))
        scene.assert_stays_off(self.bench, heard_ns + within_ns, 120 * MS)
        status = self.board.client.status()
        assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_REMOTE)


@pytest.fixture(scope="module")
def room():
    """The tests share it; each leaves the output off."""
    made = Room()
    with made.bench:
        yield made


def test_what_is_not_for_a_role_is_forbidden_noted_and_changes_nothing(room):
    room.board.set(**HOLD)
    before, edges = room.settings(), len(scene.edges(room.bench))
    forbidden = room.forbidden()
    asked = [(PATIENT, opcode) for opcode in CLINICIANS + SERVICE_ONLY]
    asked += [(CLINICIAN, opcode) for opcode in SERVICE_ONLY] + [(SECOND_PATIENT, messages.LOG)]
    counted = room.board.client.counters()["forbidden"]
    for slot, opcode in asked:
        # Nothing but the role shall stand in the way: a factory reset needs the magnet.
        room.bench.magnet(opcode == messages.FACTORY_RESET)
        assert room.ask(slot, opcode, BODIES.get(opcode, b"")) == (messages.FORBIDDEN, b""), (slot, opcode)
    room.bench.magnet(False)
    assert room.forbidden() == forbidden + asked
    assert room.board.client.counters()["forbidden"] == counted + len(asked)
    assert room.settings() == before and len(scene.edges(room.bench)) == edges
    # A clinician by radio reads the same.
    code, body = room.ask(CLINICIAN, messages.LOG, bytes(4))
    assert code == messages.OK and bytes((messages.EVENT_FORBIDDEN, PATIENT, messages.IDENTIFY)) in body


def test_a_patient_chooses_amplitudes_within_the_window_only(room):
    amplitude = lambda *wanted: room.ask(PATIENT, messages.AMPLITUDE, struct.pack("<HH", *wanted))  # noqa: E731
    room.restart()
    outside = (messages.WRONG_STATE, bytes((messages.READY, messages.REASON_WINDOW)))
    before = room.programme()
    for wanted in ((0, 0), (1000, 1000), (100, 0)):
        assert amplitude(*wanted) == outside, "closed at each start"
    assert room.programme() == before
    window = struct.pack(messages.AMPLITUDE_WINDOW, *WINDOW_UA)
    assert room.ask(CLINICIAN, messages.SET_WINDOW, window) == (messages.OK, b"")
    for wanted in ((500, 0), (1500, 1000), (900, 400)):
        assert amplitude(*wanted) == (messages.OK, b"")
        assert room.board.client.program().amplitude_ua == wanted
    for wanted in ((499, 0), (1501, 0), (900, 1001), (65535, 0)):
        assert amplitude(*wanted) == outside
    assert room.board.client.program().amplitude_ua == (900, 400)


def test_any_peer_stops_what_another_one_started(room):
    room.board.set(**HOLD)
    for starter, stopper in ((PATIENT, SECOND_PATIENT), (CLINICIAN, PATIENT), (SECOND_PATIENT, CLINICIAN)):
        assert room.ask(starter, messages.START) == (messages.OK, b"")
        room.board.wait_state(messages.HOLD)
        room.bench.run_for(60 * MS)
        room.assert_off(room.peers[stopper].request(messages.STOP))
        room.peers[stopper].finish()


def test_stop_in_the_middle_of_anothers_request_of_many_pieces(room):
    room.board.set(**HOLD)
    clinician, patient = room.peers[CLINICIAN], room.peers[PATIENT]
    wanted = program.unpack(room.programme()).replaced({"rate_hz": 33}).pack()
    assert room.ask(SECOND_PATIENT, messages.START)[0] == messages.OK
    room.board.wait_state(messages.HOLD)
    clinician.requester.begin(messages.request(messages.SET_PROGRAM, wanted), 1000, room.bench.now_ns // MS)
    first = clinician.requester.poll(room.bench.now_ns // MS)
    clinician.inject(first)
    room.bench.run_for(4 * MS)
    assert room.board.client.status().state == messages.HOLD, "one piece is no request"
    room.assert_off(patient.request(messages.STOP), ANY_NS)
    assert patient.finish() == messages.reply(messages.STOP, messages.OK)
    assert messages.parse_reply(messages.SET_PROGRAM, clinician.finish())[0] == messages.OK
    assert program.unpack(room.programme()).rate_hz == 33, "the clinician's request went on where it was"


@pytest.mark.parametrize("opcode", [messages.TEST_STIMULATION, messages.IMPEDANCE])
def test_a_patient_stops_what_a_clinician_does(room, opcode):
    room.board.set(**HOLD)
    assert room.ask(CLINICIAN, opcode, BODIES.get(opcode, b"")) == (messages.OK, b"")
    room.bench.run_for(200 * MS)
    assert room.board.state() in (messages.HOLD, messages.MEASURING)
    heard_ns = room.peers[PATIENT].request(messages.STOP)
    assert scene.edges(room.bench, heard_ns - 150 * MS)
    room.assert_off(heard_ns)
    room.peers[PATIENT].finish()
