"""Carries the frames of one client at a time: the remote's own requests, a pairing's, or the modem's.

A client has `poll(now_ms) -> frame or None`, `on_frame(frame, now_ms)`, `sent(delivered, now_ms)` and
`wait_ms(now_ms)`; what is in a frame is the client's.
"""

from typing import TYPE_CHECKING

from stimfw.radio.searcher import RadioSearcher

if TYPE_CHECKING:
    from typing import Protocol

    class Client(Protocol):
        """Whose frames are carried."""

        def poll(self, now_ms: int) -> "bytes | None": ...
        def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> None: ...
        def sent(self, delivered: bool, now_ms: int) -> None: ...
        def wait_ms(self, now_ms: int) -> int: ...


class FrameTransport:
    """Joins the radio and its present client."""

    def __init__(self) -> None:
        self._client: "Client | None" = None
        self._to = self._own = b""
        self._pairing = False
        self._flying = False

    def attach(self, radio: RadioSearcher) -> None:
        """The radio whose link this object is."""
        self._radio = radio

    def on_frame(self, view: memoryview, now_ms: int) -> None:
        """The radio received a frame."""
        if self._client is not None:
            self._client.on_frame(view, now_ms)

    def begin(self, client: "Client", to: bytes, own: bytes, pairing: bool = False) -> bool:
        """Carry the frames of `client` from `own` to `to`, in place of any other's; whether the radio works.

        pairing: on pairing's channel, at the lowest power.
        """
        if not self._radio.revive():
            self.end()
            return False
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
        if self._flying and radio.state != RadioSearcher.SEARCHING:
            self._flying = False
            client.sent(radio.state == RadioSearcher.DELIVERED, now_ms)
        if not self._flying:
            frame = client.poll(now_ms)
            if frame is not None and radio.revive():
                low = self._pairing
                radio.send(frame, self._to, self._own, now_ms, search=not low, low_power=low)
                self._flying = True
        return more

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
