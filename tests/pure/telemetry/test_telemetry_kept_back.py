"""Property: no START pressed before a stop is executed after it, whatever is kept back and released."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS, Requester
from support.control import control
from support.link_harness import LinkHarness, Rng

START = requests.START
STOP = messages.request(requests.STOP)
SLOTS = (0, 2, 5)
JUST_STOPPED_MS = 1100  # what the application refuses the others for (REASON_JUST_STOPPED)
RUNS = 120
ACTIONS = 160


class Bench(LinkHarness):
    """Three peers, a stimulator whose application ends connections at each stop, an air that keeps frames."""

    random_fails = False

    def __init__(self, seed):
        super().__init__([(slot, roles.PATIENT) for slot in SLOTS], seed)
        self.dice = Rng(seed)
        self.kept = []  # frames to the stimulator, never delivered or to be delivered again
        self.pressed = 0
        self.sent_at = {}  # presses so far, by frame, when it was first in the air
        self.floor = dict([(slot, 0) for slot in SLOTS])  # up to this press nothing may start any more
        self.stopped_ms = -JUST_STOPPED_MS
        self.stopped_by = messages.FROM_NOBODY
        self.frame = b""  # that is being delivered
        self.stops = self.starts = self.late = 0
        self.reply = self._carry_out
        self.air = self._air

    def stop(self, sender):
        """A stop by any route. Who sent it may have pressed START since; the others' are all before it."""
        again = self._just_stopped() and sender != self.stopped_by
        self.stopped_by = messages.FROM_NOBODY if again else sender
        self.stopped_ms = self.now_ms
        for slot in SLOTS:
            pressed = self.sent_at[self.frame] if slot == sender else self.pressed
            self.floor[slot] = max(self.floor[slot], pressed)
        self.stops += 1
        self.stimulator.end_connections(sender, self.now_ms)

    def _just_stopped(self):
        return self.now_ms - self.stopped_ms < JUST_STOPPED_MS

    def _carry_out(self, message):
        slot = self.executed[-1][2]
        if message[0] == requests.STOP:
            self.stop(slot)
        elif message[0] == START:
            if self._just_stopped() and slot != self.stopped_by:
                return messages.reply(START, messages.WRONG_STATE, b"\0\x0b")
            number = int.from_bytes(message[1:], "little")
            assert number > self.floor[slot], "press %d of %d" % (number, self.floor[slot])
            self.starts += 1
        return messages.reply(message[0], messages.OK)

    def start_stimulator(self):
        """As after a reset; its source of randomness may fail."""
        super().start_stimulator()
        rng = Rng(self.seed + self.epoch)

        def take(count):
            if self.random_fails and count > 1:
                raise OSError("the random source failed its tests")
            return rng.take(count)

        self.stimulator._random = take

    def deliver(self, frame):
        self.frame = bytes(frame)
        return super().deliver(frame)

    def _air(self, frame, to_stimulator):
        self.sent_at.setdefault(bytes(frame), self.pressed)
        chance = self.dice.below(10)
        if not to_stimulator:
            return [frame] if chance < 7 else []
        if chance >= 5:
            self.kept.append(frame)
        return [frame] if chance < 7 else []

    def press(self, slot, start):
        """Somebody presses START (each press is told apart) or STOP."""
        if start:
            self.pressed += 1
            message = messages.request(START, self.pressed.to_bytes(2, "little"))
        else:
            message = STOP
        self.peers[slot].begin(message, LIMIT_MS if start else STOP_LIMIT_MS, self.now_ms)

    def release(self):
        """Frames that were kept back come, in whatever order; answers go to whom they are for."""
        for _ in range(1 + self.dice.below(4)):
            if self.kept:
                newest = min(len(self.kept), 8 if self.dice.below(2) else 60)
                frame = self.kept[-1 - self.dice.below(newest)]
                self.late += 1
                self._answer(self.peers[frame[1]], self.deliver(frame))

    def act(self):
        slot = SLOTS[self.dice.below(len(SLOTS))]
        what = self.dice.below(24)
        if what < 5:
            self.press(slot, True)
        elif what == 5:
            self.press(slot, False)
        elif what == 6:
            self.now_ms += self.dice.below(2 * JUST_STOPPED_MS)
        elif what == 7 and self.dice.below(2):
            self.stop((messages.FROM_USB, messages.FROM_NOBODY)[self.dice.below(2)])  # USB, the magnet
        elif what < 10:
            self.race(slot)
        elif what < 13:
            self.release()
        elif what == 13 and self.dice.below(3) == 0:
            self.start_peer(slot)
        elif what == 14 and self.dice.below(6) == 0:
            self.start_stimulator()
            self.stop(messages.FROM_NOBODY)
        elif what == 15 and self.dice.below(4) == 0:
            self.now_ms += self.dice.below(30_000)
            self.stimulator.expire(self.now_ms)
        else:
            self.turns(6)

    def race(self, slot):
        """START is pressed, and kept back for the most part; soon somebody stops; later it is released."""
        self.press(slot, True)
        self.turns(3)
        who = self.dice.below(4)
        if who == 0:
            self.stop((messages.FROM_USB, messages.FROM_NOBODY)[self.dice.below(2)])
        else:
            self.press(slot if who < 3 else SLOTS[self.dice.below(len(SLOTS))], False)
        self.random_fails = self.dice.below(3) == 0
        self.turns(5)
        self.random_fails = False
        self.now_ms += self.dice.below(3) * JUST_STOPPED_MS
        self.release()

    def turns(self, most):
        for _ in range(1 + self.dice.below(most)):
            self.turn()

    def turn(self):
        """Every peer that has something to send sends it; a few milliseconds pass."""
        for slot in SLOTS:
            if self.peers[slot].state == Requester.WAITING:
                self.step(slot)
        self.now_ms += self.dice.below(12)


@control("C-09")
def test_no_start_from_before_a_stop_is_executed_after_it():
    stops = starts = late = 0
    for seed in range(RUNS):
        bench = Bench(1000 + seed)
        for _ in range(ACTIONS):
            bench.act()
            del bench.kept[:-60]
        bench.heard.clear()
        stops, starts, late = stops + bench.stops, starts + bench.starts, late + bench.late
    assert stops > 8 * RUNS and starts > 4 * RUNS and late > 50 * RUNS, (stops, starts, late)
