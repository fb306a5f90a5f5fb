"""What a key may over the air, request by request; and STOP by any peer, whatever another one is doing."""

import struct

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimfw.protocol import messages, requests, roles
from stimfw.therapy import program
from support import scene
from support.board import emulated_board
from support.scene import HOLD, MS, Peer

PATIENT, CLINICIAN, SECOND_PATIENT = range(3)  # slots
SERVICE_ONLY = (requests.PAIRINGS, requests.PAIR, requests.FORGET, requests.FACTORY_RESET)
CLINICIANS = (
    requests.IDENTIFY, requests.GET_PROGRAM, requests.SET_PROGRAM, requests.IMPEDANCE,
    requests.IMPEDANCE_RESULTS, requests.PULSES, requests.DETAILS, requests.COUNTERS, requests.SELF_TEST,
    requests.TEST_STIMULATION, requests.GET_WINDOW, requests.SET_WINDOW, requests.LOG, requests.GET_TIME,
    requests.SET_TIME, requests.STRANGERS,
)  # fmt: skip
"""docs/telemetry.md, Roles; not read from the table under test."""
BODIES = {
    requests.SET_PROGRAM: program.default().replaced({"rate_hz": 60}).pack(),
    requests.IMPEDANCE_RESULTS: b"\0",
    requests.PULSES: bytes(4),
    requests.TEST_STIMULATION: b"\x05",
    requests.SET_WINDOW: struct.pack(requests.AMPLITUDE_WINDOW, 0, 5000, 0, 5000),
    requests.LOG: bytes(4),
    requests.STRANGERS: bytes(4),
    requests.SET_TIME: struct.pack("<I", 1_700_000_000),
    requests.PAIR: b"evil" + bytes((roles.CLINICIAN,)) + bytes(32),
    requests.FORGET: bytes((messages.ALL_SLOTS,)),
}
WINDOW_UA = (500, 1500, 0, 1000)
STOP_NS = 5 * MS  # from the end of STOP's packet
ANY_NS = 20 * MS  # the same, while the stimulator is answering somebody else
"""Its radio cannot hear while it sends: the peer repeats."""

pytestmark = pytest.mark.emulated


class TwoBoards:
    """A stimulator, and peers in three of its slots."""

    def __init__(self):
        self.bench = Bench(BenchConfig(boards=("stimulator",)))
        keys = (roles.PATIENT, 1), (roles.CLINICIAN, 2), (roles.PATIENT, 3)
        pairings = [provision.add_peer(self.bench, *key) for key in keys]
        assert [pairing.slot for pairing in pairings] == [PATIENT, CLINICIAN, SECOND_PATIENT]
        self.board = emulated_board(self.bench)
        self.board.wait_ready()
        self.peers = [Peer(self.bench, pairing, seed=pairing.slot).join() for pairing in pairings]

    def restart(self):
        """The stimulator starts again; all peers have a connection then."""
        self.board.reset()
        for peer in self.peers:
            peer.join()

    def meet_after_a_stop(self):
        """It ended the others' connections, and what they ask for is refused for 1.1 s."""
        self.bench.run_for(1200 * MS)
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
        """Sender, opcode and repeats of each FORBIDDEN in the log."""
        return [
            (event.sender, event.detail, event.repeats)
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
def boards():
    """The tests share it; each leaves the output off."""
    made = TwoBoards()
    with made.bench:
        yield made


@pytest.mark.control("C-27")
def test_what_is_not_for_a_role_is_forbidden_noted_and_changes_nothing(boards):
    boards.restart()  # the minute in which what a peer repeats is one event begins anew
    boards.board.set(**HOLD)
    before, edges = boards.settings(), len(scene.edges(boards.bench))
    asked = [(PATIENT, opcode) for opcode in CLINICIANS + SERVICE_ONLY]
    asked += [(CLINICIAN, opcode) for opcode in SERVICE_ONLY] + [(SECOND_PATIENT, requests.LOG)]
    counted = boards.board.client.counters()["forbidden"]
    for slot, opcode in asked:
        # Nothing but the role shall stand in the way: a factory reset needs the magnet.
        boards.bench.magnet(opcode == requests.FACTORY_RESET)
        assert boards.ask(slot, opcode, BODIES.get(opcode, b"")) == (messages.FORBIDDEN, b""), (slot, opcode)
    boards.bench.magnet(False)
    last = {slot: (opcode, sum(other == slot for other, _ in asked) - 1) for slot, opcode in asked}
    assert boards.forbidden() == [(slot, *last[slot]) for slot in (PATIENT, CLINICIAN, SECOND_PATIENT)]
    assert boards.board.client.counters()["forbidden"] == counted + len(asked)
    assert boards.settings() == before and len(scene.edges(boards.bench)) == edges
    # A clinician by radio reads the same.
    code, body = boards.ask(CLINICIAN, requests.LOG, bytes(4))
    assert code == messages.OK and bytes((messages.EVENT_FORBIDDEN, PATIENT, *last[PATIENT])) in body
    code, body = boards.ask(CLINICIAN, requests.STRANGERS, bytes(4))
    assert code == messages.OK and struct.unpack("<I", body[4:8]) == (0,), "nothing was forged"


@pytest.mark.control("C-13")
def test_a_patient_chooses_amplitudes_within_the_window_only(boards):
    amplitude = lambda *wanted: boards.ask(PATIENT, requests.AMPLITUDE, struct.pack("<HH", *wanted))  # noqa: E731
    boards.restart()
    outside = (messages.WRONG_STATE, bytes((messages.READY, messages.REASON_WINDOW)))
    before = boards.programme()
    for wanted in ((0, 0), (1000, 1000), (100, 0)):
        assert amplitude(*wanted) == outside, "closed at each start"
    assert boards.programme() == before
    window = struct.pack(requests.AMPLITUDE_WINDOW, *WINDOW_UA)
    assert boards.ask(CLINICIAN, requests.SET_WINDOW, window) == (messages.OK, b"")
    for wanted in ((500, 0), (1500, 1000), (900, 400)):
        assert amplitude(*wanted) == (messages.OK, b"")
        assert boards.board.client.program().amplitude_ua == wanted
    for wanted in ((499, 0), (1501, 0), (900, 1001), (65535, 0)):
        assert amplitude(*wanted) == outside
    assert boards.board.client.program().amplitude_ua == (900, 400)


@pytest.mark.parametrize("sender", [CLINICIAN, messages.FROM_USB])
def test_the_window_ends_with_the_programme_that_it_was_for(boards, sender):
    def send(opcode, body):
        return boards.ask(CLINICIAN, opcode, body) if sender == CLINICIAN else boards.board.ask(opcode, body)

    def patient_may(*wanted):
        return boards.ask(PATIENT, requests.AMPLITUDE, struct.pack("<HH", *wanted))[0] == messages.OK

    boards.restart()
    window = struct.pack(requests.AMPLITUDE_WINDOW, *WINDOW_UA)
    assert boards.ask(CLINICIAN, requests.SET_WINDOW, window)[0] == messages.OK
    assert patient_may(900, 400)
    held = program.unpack(boards.programme())
    assert send(requests.SET_PROGRAM, held.replaced({"left.amplitude_ua": 600}).pack())[0] == messages.OK
    assert patient_may(900, 400), "other amplitudes are the same programme"
    assert send(requests.SET_PROGRAM, held.replaced({"width_us": 1000}).pack())[0] == messages.OK
    assert not patient_may(900, 400) and not boards.board.client.window().is_open
    assert boards.board.client.program().amplitude_ua == (900, 400)
    events = [event for event in boards.board.client.log() if event.kind == messages.EVENT_WINDOW_SET]
    assert (events[-1].sender, events[-1].detail_text) == (sender, "closed")


@pytest.mark.control("C-04")
def test_any_peer_stops_what_another_one_started(boards):
    boards.board.set(**HOLD)
    for starter, stopper in ((PATIENT, SECOND_PATIENT), (CLINICIAN, PATIENT), (SECOND_PATIENT, CLINICIAN)):
        boards.meet_after_a_stop()
        assert boards.ask(starter, requests.START) == (messages.OK, b"")
        boards.board.wait_state(messages.HOLD)
        boards.bench.run_for(60 * MS)
        boards.assert_off(boards.peers[stopper].request(requests.STOP))
        boards.peers[stopper].finish()


def test_stop_in_the_middle_of_anothers_request_of_many_pieces(boards):
    boards.board.set(**HOLD)
    boards.meet_after_a_stop()
    clinician, patient = boards.peers[CLINICIAN], boards.peers[PATIENT]
    wanted = program.unpack(boards.programme()).replaced({"rate_hz": 33}).pack()
    assert boards.ask(SECOND_PATIENT, requests.START)[0] == messages.OK
    boards.board.wait_state(messages.HOLD)
    clinician.requester.begin(messages.request(requests.SET_PROGRAM, wanted), 1000, boards.bench.now_ns // MS)
    first = clinician.requester.poll(boards.bench.now_ns // MS)
    clinician.inject(first)
    boards.bench.run_for(4 * MS)
    assert boards.board.client.status().state == messages.HOLD, "one piece is no request"
    boards.assert_off(patient.request(requests.STOP), ANY_NS)
    assert patient.finish() == messages.reply(requests.STOP, messages.OK)
    assert messages.parse_reply(requests.SET_PROGRAM, clinician.finish())[0] == messages.OK
    assert program.unpack(boards.programme()).rate_hz == 33, "the clinician's request went on where it was"


@pytest.mark.control("C-04")
@pytest.mark.parametrize("opcode", [requests.TEST_STIMULATION, requests.IMPEDANCE])
def test_a_patient_stops_what_a_clinician_does(boards, opcode):
    boards.board.set(**HOLD, width_us=214, rate_hz=20)  # whatever others here have set
    boards.meet_after_a_stop()
    assert boards.ask(CLINICIAN, opcode, BODIES.get(opcode, b"")) == (messages.OK, b"")
    boards.bench.run_for(200 * MS + (scene.SELF_TEST_NS if opcode == requests.TEST_STIMULATION else 0))
    assert boards.board.state() in (messages.HOLD, messages.MEASURING)
    heard_ns = boards.peers[PATIENT].request(requests.STOP)
    assert scene.edges(boards.bench, heard_ns - 150 * MS)
    boards.assert_off(heard_ns)
    boards.peers[PATIENT].finish()
