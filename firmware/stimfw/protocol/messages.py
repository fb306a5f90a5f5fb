"""What the host, the remote and the stimulator say to each other, whatever carries it.

A request is `[opcode][body]`, a reply `[opcode | REPLY][code][body]`. All numbers are little endian.
The console (stimfw.protocol.console_frame) and the radio (stimfw.telemetry) carry these bytes and know
nothing of their meaning. The requests themselves: stimfw.protocol.requests.
"""

REPLY = 0x80
MAX_BODY = 240
"""Bytes of a body."""

# Reply codes.
OK = 0
OUT_OF_RANGE = 1  # body: index in program.FIELD_NAMES (u8), value (u32)
WRONG_STATE = 2  # body: the state (u8), reason (u8)
UNKNOWN_OPCODE = 3
BAD_LENGTH = 4
FORBIDDEN = 5  # not for the sender's role

CODE_NAMES = ("ok", "out of range", "wrong state", "unknown opcode", "bad length", "forbidden to this role")

# States of the stimulator.
READY = 0
RAMP_UP = 1
HOLD = 2
RAMP_DOWN = 3
REST = 4
MEASURING = 5
FAULT = 6
STATE_NAMES = (
    "ready", "ramp up", "hold", "ramp down", "rest", "measuring impedance", "fault",
    "unconfigured", "healing", "stopped", "complete", "interference", "mri mode", "storage", "test train",
)  # fmt: skip
"""From `unconfigured` on: of an implanted stimulator alone (stimfw.therapy.machine)."""

# Why a request is refused in a state.
REASON_NONE = 0
REASON_SELF_TEST = 1
REASON_LOCKED = 2
REASON_MAGNET = 3
REASON_NO_AMPLITUDE = 4
REASON_BUSY = 5
REASON_PAIRING = 6
REASON_WINDOW = 7
REASON_NO_MAGNET = 8
REASON_FULL = 9
REASON_STORAGE = 10
REASON_JUST_STOPPED = 11
REASON_ROLE = 12
REASON_RANDOM = 13
REASON_TEXTS = (
    "",
    "the self-test failed",
    "locked while the output is on",
    "a magnet is present",
    "both amplitudes are zero",
    "a measurement is running",
    "the pairing window is open",
    "outside the amplitudes that the clinician allowed",
    "it needs the magnet at the stimulator",
    "all slots are taken: forget a pairing first",
    "the flash did not take it",
    "somebody else stopped it just now: ask again in a second",
    "this id belongs to a peer of another role: forget that one first",
    "the random source failed its tests",
    # From here on: stimfw.protocol.therapy_reasons.
    "the stimulator is not implanted",
    "the stimulator is implanted: its prescription says what it does",
    "it has no prescription",
    "the healing time is not over",
    "all sessions of today are done",
    "the last session was too short a time ago",
    "it does not know the time: a clinician or its remote can tell it",
    "it has found a fault: call the clinic",
    "something near it disturbs its measurements: try again later, at another place",
    "MRI mode: only a clinician ends it",
    "it is in storage",
    "its battery is at the end of its service",
    "the impedance was not measured since the electrodes last changed",
    "the prescription fails a rule",
    "the prescription cannot change while a session runs",
    "a patient cannot change this",
    "it knows the time already",
    "the journal cannot be written",
    "today's stimulation has reached its limit",
)

# Why the output last went off.
STOPPED_NEVER_ON = 0
STOPPED_REMOTE = 1
STOPPED_HOST = 2
STOPPED_MAGNET = 3
STOPPED_SESSION_OVER = 4
STOPPED_REPL = 5
STOPPED_FAULT = 6
STOPPED_CONTACT = 7
STOP_NAMES = (
    "never on", "remote", "host", "magnet", "session over", "console interrupt", "fault", "no contact",
    "watch", "host gone", "interference", "limit",
)  # fmt: skip

# Parts that the self-test may find failed, by bit.
PART_NAMES = (
    "dac", "matrix", "radio", "sense", "supply", "filesystem", "epochs", "pairings", "random",
    "gate", "relay", "bridge", "pump", "reference", "idle leg", "clock",
)  # fmt: skip
PART_DAC = 1
PART_MATRIX = 2
PART_RADIO = 4
PART_SENSE = 8
PART_SUPPLY = 16
PART_FILESYSTEM = 32  # littlefs, which holds nothing of ours
PART_EPOCHS = 64
PART_PAIRINGS = 128
PART_RANDOM = 256
# From here on the log has kinds of its own: detail is a u8.
PART_GATE = 512  # the monostable: it does not open, close in its time, or close with its reset
PART_RELAY = 1024
PART_BRIDGE = 2048
PART_PUMP = 4096
PART_REFERENCE = 8192
PART_IDLE = 16384
PART_CLOCK = 32768
LATER_PARTS = 9  # how far EVENT_LATER_PART_... shift them

FLAG_MAGNET = 1
FLAG_PAIRING = 2  # the pairing window is open
FLAG_UNPAIRED = 4  # of a remote: it has no pairing
FLAG_IMPLANTED = 8  # it is no board on the bench: it answers THERAPY
FLAG_CALIBRATED = 16  # amplitudes and measurements go by the record of GET_CALIBRATION
FLAG_CALIBRATION_DAMAGED = 32  # there is a record that cannot be used: nominal factors
FLAG_RADIO_NEEDS_ACTIVATE = 64  # PART_RADIO failed because of it: an nRF24L01 without the plus, or like it

COUNTER_NAMES = (
    "console_frames",
    "console_bad",
    "console_oversized",
    "console_tx_dropped",
    "radio_frames",
    "radio_bad",
    "radio_duplicates",
    "radio_tx_failed",
    "refused",
    "magnet_stops",
    "missed_measurements",
    "radio_forged",  # tags that did not verify
    "radio_replayed",  # frames that were good once
    "radio_over_budget",  # dropped unverified
    "radio_connections",
    "forbidden",  # requests that the sender's role may not make
)

# Pairings.
SLOTS = 6
ALL_SLOTS = 0xFF

# What has become of the frame that the modem was given.
MODEM_IDLE = 0
MODEM_SENDING = 1
MODEM_SENT = 2  # the burst is out, and the radio listens; whether it arrived only an answer tells
MODEM_BUSY = 3  # nothing was sent: the channel was occupied, or the radio failed

# Senders and kinds of the event log: since the start, in RAM.
FROM_USB = 0xFE
FROM_NOBODY = 0xFF
EVENT_NAMES = (
    "started",  # detail: reset cause
    "forbidden",  # detail: opcode
    "forged",  # detail: kind of frame; at most one a second
    "replayed",  # detail: kind of frame; at most one a second
    "flood",  # detail: level of the back-off, 0 when it is over
    "connected",
    "window opened",
    "window closed",  # detail: how far the pairing had got
    "paired",  # detail: role
    "forgotten",
    "magnet",
    "programme set",
    "time set",
    "window set",  # the patient's amplitudes; detail: 1 open, 0 closed, by a change of the programme too
    "factory reset",
    "session",  # detail: 0, or the seconds of a test stimulation
    "measurement",
    "self-test",
    "measurement over",  # it ended by itself, or a self-test did
    "output off",  # detail: STOPPED_...; not if it was off already
    "part failed",  # detail: PART_... bits that were lost; 0: PART_RANDOM
    "part mended",  # detail: PART_... bits that work again
    "left amplitude",  # of the programme; detail: in LOG_AMPLITUDE_STEP_UA, rounded up
    "right amplitude",
    "link lost",  # during a session, with the peer that began it
    "link back",
    "contact lost",  # no authentic frame for the programme's contact_s: the session ramps down
    "pairing expired",  # given and not used in time
    "key retired",  # its successor was used
    "output part failed",  # detail: bits from PART_GATE on, shifted by LATER_PARTS
    "output part mended",
)
LOG_AMPLITUDE_STEP_UA = 50
EVENT_STARTED = 0
EVENT_FORBIDDEN = 1
EVENT_FORGED = 2
EVENT_REPLAYED = 3
EVENT_FLOOD = 4
EVENT_CONNECTED = 5
EVENT_WINDOW_OPENED = 6
EVENT_WINDOW_CLOSED = 7
EVENT_PAIRED = 8
EVENT_FORGOTTEN = 9
EVENT_MAGNET = 10
EVENT_PROGRAM_SET = 11
EVENT_TIME_SET = 12
EVENT_WINDOW_SET = 13
EVENT_FACTORY_RESET = 14
EVENT_SESSION = 15
EVENT_MEASURING = 16
EVENT_SELF_TEST = 17
EVENT_MEASURED = 18
EVENT_STOPPED = 19
EVENT_PART_FAILED = 20
EVENT_PART_MENDED = 21
EVENT_LEFT_AMPLITUDE = 22
EVENT_RIGHT_AMPLITUDE = 23
EVENT_LINK_LOST = 24
EVENT_LINK_BACK = 25
EVENT_CONTACT_LOST = 26
EVENT_PAIRING_EXPIRED = 27
EVENT_KEY_RETIRED = 28
EVENT_LATER_PART_FAILED = 29
EVENT_LATER_PART_MENDED = 30

# What was found of an electrode pair.
KIND_OK = 0
KIND_OPEN = 1
KIND_SHORT = 2
KIND_NOT_MEASURED = 3
KIND_NAMES = ("ok", "open", "short", "not measured")


def record_parts(epochs_failed: bool, pairings_failed: bool) -> int:
    """The PART_... bits of the records on flash."""
    return (PART_EPOCHS if epochs_failed else 0) | (PART_PAIRINGS if pairings_failed else 0)


def request(opcode: int, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    return bytes((opcode,)) + body


def reply(opcode: int, code: int, body: bytes = b"") -> bytes:
    """The bytes of a reply to `opcode`."""
    return bytes((opcode | REPLY, code)) + body


def parse_reply(opcode: int, message: bytes) -> "tuple[int, bytes]":
    """The code and the body of a reply to `opcode`.

    Raises:
        ValueError: the message is no reply to that opcode.
    """
    if len(message) < 2 or message[0] != opcode | REPLY:
        raise ValueError("not a reply to request 0x%02x" % opcode)
    return message[1], bytes(message[2:])
