"""A link with a clock of its own, and a script at the other end: no board, no thread, no sleep."""


class FakeLink:
    """Delivers what `respond(line, now_s)` returns: a list of (delay in s, bytes)."""

    name = "/dev/fake"

    def __init__(self, respond) -> None:
        self.respond = respond
        self.time_s = 100.0
        self.pending: list[tuple[float, bytes]] = []
        self.written: list[bytes] = []
        self.closed = False

    def now_s(self):
        return self.time_s

    def wait(self, seconds):
        self.time_s += seconds

    def write(self, data):
        self.written.append(data)
        self.pending += [(self.time_s + delay, piece) for delay, piece in self.respond(data, self.time_s)]
        self.pending.sort(key=lambda item: item[0])

    def read(self, deadline_s):
        if not self.pending or self.pending[0][0] > deadline_s:
            self.time_s = max(self.time_s, deadline_s)
            return b""
        due_s, data = self.pending.pop(0)
        self.time_s = max(self.time_s, due_s)
        return data

    def close(self):
        self.closed = True
