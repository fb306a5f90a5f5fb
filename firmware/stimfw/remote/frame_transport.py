"""Carries the frames of one client at a time: the remote's own requests, a pairing's, or the modem's.

A client has `poll(now_ms) -> frame or None`, `channel`, `copies`, `on_frame(frame, now_ms)`,
`sent(went, now_ms)` and `wait_ms(now_ms)`: what is in a frame, where it is sent and how often, is its own.
`sent()` tells whether the burst is out, and not whether it arrived: only an answer that the client finds
authentic can.
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.radio.searcher import RadioSender

if TYPE_CHECKING:
    from typing import Protocol

    class Client(Protocol):
        """Whose frames are carried."""

        @property
        def channel(self) -> int:
            """Where the frame that poll() gives is to be sent, 0-125."""

        @property
        def copies(self) -> int:
            """How often in its burst, 1-8."""

        def poll(self, now_ms: int) -> "bytes | None": ...
        def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> "bool | None":
            """A frame came; true if it was the answer that was waited for."""

        def sent(self, went: bool, now_ms: int) -> None: ...
        def wait_ms(self, now_ms: int) -> int: ...


_BUSY_LIMIT = const(3)
"""After so many busy channels in a row a frame is sent on an occupied one: nobody can silence it so."""


class FrameTransport:
    """Joins the radio and its present client."""

    def __init__(self) -> None:
        self._client: "Client | None" = None
        self._to = self._own = b""
        self._pairing = False
        self._flying = False
        self._busy = 0  # channels in a row

    def attach(self, radio: RadioSender) -> None:
        """The radio whose link this object is."""
        self._radio = radio

    def on_frame(self, view: memoryview, now_ms: int) -> "bool | None":
        """The radio received a frame; true if it was the answer that was waited for."""
        return self._client.on_frame(view, now_ms) if self._client is not None else None

    def begin(self, client: "Client", to: bytes, own: bytes, pairing: bool = False) -> bool:
        """Carry the frames of `client` from `own` to `to`, in place of any other's; whether the radio works.

        pairing: on pairing's channel, at the lowest power.
        """
        if not self._radio.revive():
            self.end()
            return False
        self._radio.wake()
        if client is not self._client:
            self._busy = 0  # a modem's frames are one client's, though each begins anew
        self._client, self._to, self._own, self._pairing = client, to, own, pairing
        self._flying = False
        return True

    def end(self) -> None:
        """The radio sleeps."""
        self._client = None
        self._flying = False
        self._radio.sleep()

    def poll(self, now_ms: int) -> bool:
        """Go on with the radio, and send the client's next frame; whether there is more to do at once."""
        radio, client = self._radio, self._client
        if client is None:
            return False
        more = radio.poll(now_ms)
        if self._flying and radio.state != RadioSender.SENDING:
            self._end_flight(client, radio.state == RadioSender.LISTENING, now_ms)
        # A busy channel is told at once: whether to look again there or elsewhere is the client's.
        for _ in range(_BUSY_LIMIT + 1):
            if self._flying or not self._send(client, now_ms):
                break
        return more

    def _send(self, client: "Client", now_ms: int) -> bool:
        """Send what the client has, if anything; whether it may have more at once."""
        frame = client.poll(now_ms)
        if frame is None:
            return False
        radio = self._radio
        if not radio.revive():
            client.sent(False, now_ms)
            return False
        force = self._busy >= _BUSY_LIMIT
        to, own, channel = self._to, self._own, client.channel
        radio.send(frame, to, own, channel, now_ms, force, self._pairing, client.copies)
        if radio.state == RadioSender.SENDING:
            self._flying = True
            return False
        self._end_flight(client, False, now_ms)
        return True

    def _end_flight(self, client: "Client", went: bool, now_ms: int) -> None:
        self._flying = False
        self._busy = 0 if went else self._busy + 1
        client.sent(went, now_ms)

    def flying(self) -> bool:
        """Whether a frame is on its way."""
        return self._flying

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() has something to do; -1 if only an interrupt can tell."""
        if self._client is None:
            return -1
        if self._flying:
            return self._radio.wait_ms(now_ms)
        return self._client.wait_ms(now_ms)
