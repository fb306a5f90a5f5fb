"""One end of the radio link: carries frames between the radio and stimfw.logic.link, on both boards.

The radio's IRQ pin falls -> the application's handler sets its wake flag -> the main loop calls service(). An
edge may be missed, so service() may be called at any time, and the loop calls it at least every second.
"""

from micropython import const

from stimfw.drivers.nrf24l01 import FAILED, MAX_PAYLOAD, NRF24L01, SENDING
from stimfw.logic.link import elapsed_ms

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from stimfw.logic.link import Requester, Responder

# Of every bench, until pairing gives each pair of boards its own: benches in one room hear each other.
STIMULATOR_ADDRESS = b"\x9c\x53\xe1\x2a\xb7"
REMOTE_ADDRESS = b"\x35\xca\x4e\x93\xd6"
CHANNEL = const(76)

_FRAMES_A_SERVICE = const(3)  # as many as the radio holds
_GIVE_UP_MS = const(50)  # 16 transmissions of 32 bytes take 16 ms; later the radio has lost what it was to do


def prepare(radio: NRF24L01, requester: bool) -> bool:
    """Test and configure a radio for one end of the link; whether it is there and does what it should.

    The two ends repeat unacknowledged packets at different paces, so that they cannot go on colliding. The
    responder gives up sooner: while it sends it cannot hear a STOP.
    """
    if not radio.present():
        return False
    if requester:
        return radio.configure(REMOTE_ADDRESS, CHANNEL, retries=15, retry_us=500)
    return radio.configure(STIMULATOR_ADDRESS, CHANNEL, retries=5, retry_us=750)


class RadioPort:
    """Owns the radio. `link.on_frame(frame, now_ms)` takes each frame received and may return one to send."""

    def __init__(self, radio: NRF24L01, link: "Requester | Responder") -> None:
        """Args: radio: made ready by prepare() or revive(); link: a Responder or a Requester."""
        self._radio = radio
        self._link = link
        self._peer = REMOTE_ADDRESS
        buffer = memoryview(bytearray(MAX_PAYLOAD))
        # One view of each length, so that receiving allocates none.
        self._views = tuple([buffer[:n] for n in range(MAX_PAYLOAD + 1)])
        self._sending = False
        self._since_ms = 0
        self._next: "bytes | None" = None
        self._listening = False
        self.works = True
        self.sent = 0
        self.tx_failed = 0

    def revive(self, requester: bool) -> bool:
        """Prepare the radio anew if it has lost its settings (at start, or by a brown-out); whether it works.

        To be called now and then, a second apart. Costs one register read if all is well, and waits for the
        crystal (5 ms) if it is not.
        """
        self._peer = STIMULATOR_ADDRESS if requester else REMOTE_ADDRESS
        if not self._radio.alive():
            self._sending = False
            self.works = prepare(self._radio, requester)
            if self.works and self._listening:
                self.listen()
        return self.works

    def listen(self) -> None:
        """Power up and receive."""
        self._listening = True
        self._radio.power_up()
        self._radio.listen()

    def sleep(self) -> None:
        """Give up what is being sent and power down."""
        if self._sending:
            self._radio.abort()
        self._sending = self._listening = False
        self._next = None
        self._radio.power_down()

    def send(self, frame: bytes, now_ms: int) -> None:
        """Begin to send `frame`, instead of whatever is being sent; service() listens when that is over."""
        if self._sending:
            self._radio.abort()
        self._radio.power_up()
        self._next = None
        self._start(frame, now_ms)

    def service(self, now_ms: int) -> bool:
        """Hand over received frames, then go on with the radio's next duty. Never waits.

        Frames come first, and a reply is only noted while they are read: a STOP is executed before anything
        is sent. A flood cannot keep the caller here: it gets a few frames at a time.

        Returns:
            Whether more frames may be waiting, of which no interrupt will tell.
        """
        frames = 0
        length = self._radio.waiting()
        while length and frames < _FRAMES_A_SERVICE:
            view = self._views[length]
            self._radio.receive_into(view)
            self._next = self._link.on_frame(view, now_ms) or self._next
            length = self._radio.waiting()
            frames += 1
        busy = self._sending and self._still_sending(now_ms)
        if self._next and not busy:
            self._start(self._next, now_ms)
            self._next = None
        return length != 0

    def _start(self, frame: bytes, now_ms: int) -> None:
        self._radio.send(frame, self._peer)
        self._sending = True
        self._since_ms = now_ms

    def _still_sending(self, now_ms: int) -> bool:
        result = self._radio.poll()
        if result == SENDING:
            if elapsed_ms(now_ms, self._since_ms) < _GIVE_UP_MS:
                return True
            self._radio.abort()
            result = FAILED
        self._sending = False
        if result == FAILED:
            self.tx_failed += 1
        else:
            self.sent += 1
        if not self._next:
            self._radio.listen()
        return False
