"""A stimulator and a remote that pair: a clock of its own, an air that can do anything, one person."""

from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder

from support.link_harness import Rng

BASE = b"\x11\x22\x33\x44"
REMOTE_ID = b"rmte"
OLD = {"base": BASE, "slot": 0, "role": 1, "key": b"o" * 32}
GLANCE_MS = 50
"""How quick the person is."""
LOOK_MS = blink_code.PASS_MS
LATER_MS = 250
"""So much later one of two lights may be for the person who compares them."""
_P = (1 << 255) - 19


class QuickCurve:
    """In place of X25519: multiplication modulo p, which commutes as well and is quick. Nothing is secret."""

    BASE_POINT = b"\x09" + bytes(31)

    def __init__(self, slices=2):
        self.slices = slices

    def steps(self, secret, u):
        product = int.from_bytes(secret, "little") * int.from_bytes(u, "little") % _P
        for _ in range(self.slices):
            yield
        return product.to_bytes(32, "little")

    def shared_steps(self, secret, peer):
        result = yield from self.steps(secret, peer)
        if not any(result):
            raise ValueError("zero")
        return result


def clear_air(frame, to_stimulator):
    """Everything arrives, at once, once: a list of (delay in ms, frame)."""
    return [(0, frame)]


class PairingHarness:
    """Both machines, their flash, and the time. What is in flash outlives restart_...()."""

    def __init__(self, seed=1, curve=None, air=clear_air, slice_ms=1):
        self.rng = Rng(seed)
        self.curve = curve or QuickCurve()
        self.air = air
        self.slice_ms = slice_ms
        self.now_ms = 1000 * seed
        self.table = {0: (REMOTE_ID, OLD["role"], OLD["key"])}
        self.kept = OLD  # the remote's
        self.full = self.worn = False
        self.heard = []  # (to the stimulator, frame), as sent
        self._flying = []  # (time, number, to the stimulator, frame)
        self._looked_ms = None
        self.restart_stimulator()
        self.restart_remote()

    def restart_stimulator(self):
        self.stimulator = PairingResponder(lambda: BASE, self._add, self.rng.take, self.curve)

    def restart_remote(self):
        self.remote = PairingRequester(REMOTE_ID, self._store, self.rng.take, self.curve)

    def _add(self, peer_id, role, key):
        if self.full:
            raise RuntimeError("full")
        self.table[1] = (peer_id, role, key)
        return 1

    def _store(self, base, slot, role, key):
        if self.worn:
            raise OSError("worn")
        self.kept = {"base": base, "slot": slot, "role": role, "key": key}

    def begin(self):
        self.stimulator.open(self.now_ms)
        self.remote.begin(self.now_ms)

    def pair(self, limit_ms=40_000, person=True):
        """Begin, and go on until both have ended; the time that it took in ms."""
        began_ms = self.now_ms
        self.begin()
        self.go(limit_ms, person)
        return self.now_ms - began_ms

    def go(self, limit_ms, person=True):
        end_ms = self.now_ms + limit_ms
        while self.now_ms < end_ms and not self.over():
            self.step()
            if person:
                self.person()

    def over(self):
        remote = self.remote
        gone = remote.state in (remote.IDLE, remote.STORED, remote.FAILED)
        return gone and (remote.state == remote.STORED or not self.stimulator.is_open(self.now_ms))

    def step(self):
        """What is due now; then on to the time at which something else is."""
        working = self.stimulator.compute() | self.remote.compute()
        frame = self.remote.poll(self.now_ms)
        if frame is not None:
            self._send(True, frame)
        self._deliver()
        self.now_ms += self._pause_ms(working)

    def _pause_ms(self, working):
        if working:
            return self.slice_ms
        waits = [self.stimulator.wait_ms(self.now_ms), self.remote.wait_ms(self.now_ms)]
        waits += [flight[0] - self.now_ms for flight in self._flying]
        waits = [max(1, wait) for wait in waits if wait >= 0]
        waits.append(GLANCE_MS)
        return min(waits)

    def _send(self, to_stimulator, frame):
        self.heard.append((to_stimulator, bytes(frame)))
        for delay_ms, arriving in self.air(frame, to_stimulator):
            self._flying.append((self.now_ms + delay_ms, to_stimulator, arriving))

    def _deliver(self):
        while True:
            due = [flight for flight in self._flying if flight[0] <= self.now_ms]
            if not due:
                return
            self._flying = [flight for flight in self._flying if flight[0] > self.now_ms]
            for _, to_stimulator, frame in due:
                self._arrive(to_stimulator, frame)

    def _arrive(self, to_stimulator, frame):
        if not to_stimulator:
            self.remote.on_frame(memoryview(frame), self.now_ms)
            return
        answer = self.stimulator.on_frame(memoryview(frame), self.now_ms)
        if answer is not None:
            self._send(False, answer)

    # The person.

    def comparing(self):
        stimulator, remote = self.stimulator, self.remote
        return remote.state == remote.COMPARING and stimulator.outcome == stimulator.COMPARING

    def alike(self):
        """Whether both lights blink alike, as an eye tells that follows each from its marker on."""
        times = range(self.now_ms, self.now_ms + LOOK_MS)
        here = [self.stimulator.lit(now_ms) for now_ms in times]
        there = [self.remote.lit(now_ms) for now_ms in times]
        if -1 in here or -1 in there:
            return False
        seen, twice = bytes(here), bytes(there) * 2
        return any([seen == twice[later_ms % LOOK_MS :][:LOOK_MS] for later_ms in range(-LATER_MS, LATER_MS)])

    def person(self):
        """Looks for a whole pass of the code, then confirms on both sides, or refuses."""
        self.stimulator.consent(self.now_ms)  # nothing before it is awaited
        if self.remote.state != self.remote.COMPARING:
            return
        if self._looked_ms is None:
            self._looked_ms = self.now_ms
        if self.now_ms - self._looked_ms < LOOK_MS:
            return
        if self.alike():
            self.remote.accept(self.now_ms)
        else:
            self.remote.refuse()

    # What has become of it.

    def paired_again(self):
        """Both hold the same new key, the stimulator beside the old one."""
        new = self.table.get(1)
        return (
            new is not None
            and new[:2] == (REMOTE_ID, 1)
            and self.kept == {"base": BASE, "slot": 1, "role": 1, "key": new[2]}
            and len(new[2]) == 32
            and self.stimulator.outcome == self.stimulator.STORED
            and self.remote.state == self.remote.STORED
        )

    def as_before(self):
        return 1 not in self.table and self.kept is OLD

    def consistent(self):
        """The remote's key is one that the stimulator has, in the slot that the remote believes."""
        return self.table[self.kept["slot"]] == (REMOTE_ID, 1, self.kept["key"])


def working_remote(now_ms=1000):
    """A remote that has computed its own key and sent nothing yet."""
    remote = PairingRequester(REMOTE_ID, None, Rng(1).take, QuickCurve())
    remote.begin(now_ms)
    while remote.compute():
        pass
    return remote


def confirming(seed=1):
    """Ends whose remote has its confirmation to send; no answer to it has come."""
    ends = PairingHarness(seed)
    ends.begin()
    for _ in range(1000):
        ends.stimulator.compute()
        ends.remote.compute()
        if ends.remote._step == pk.CONFIRM and ends.remote._frame and ends.stimulator._keys is not None:
            return ends
        frame = ends.remote.poll(ends.now_ms)
        if frame is not None and frame[1] < pk.CONFIRM:
            answer = ends.stimulator.on_frame(frame, ends.now_ms)
            if answer is not None:
                ends.remote.on_frame(answer, ends.now_ms)
        ends.now_ms += 1
    raise AssertionError("no confirmation in a second")


def compared(seed=1):
    """Ends whose persons have seen the code once as a whole."""
    ends = comparing(seed)
    ends.now_ms += LOOK_MS
    return ends


def comparing(seed=1):
    """Ends whose persons compare the code."""
    ends = PairingHarness(seed)
    ends.begin()
    for _ in range(10_000):
        if ends.comparing():
            return ends
        ends.step()
    raise AssertionError("nothing to compare")
