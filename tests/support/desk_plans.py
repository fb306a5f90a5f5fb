"""Random prescriptions and test trains: most can be kept, and some pass a limit or are none at all."""

from support import stimulator_harness  # noqa: F401 MicroPython's time

# isort: split
from stimfw.protocol import requests

ROW = requests.row_of(requests.SET_PRESCRIPTION)
FIELDS = ROW[requests.BODY_FIELDS].split()
_MOST = {"off_ms": 0xFFFFFFFF, "between_s": 0xFFFFFFFF, "activation_s": 0xFFFFFFFF, "sessions_a_day": 0xFF}
_ODD = (0, 1, 2, 25, 99, 1000, 1800, 3600, 10_000, 10_025, 65_535)


def as_dict(values):
    """By the names of SET_PRESCRIPTION's fields."""
    return dict(zip(FIELDS, values, strict=True))


def plan(dice, now_s):
    """Values in the order of SET_PRESCRIPTION."""
    fields = dict(_shared(dice, now_s))
    for side in ("left", "right"):
        fields.update(_lead(dice, side))
    if dice.random() < 0.35:
        for name in dice.sample(FIELDS, dice.randrange(1, 4)):
            most = 0xFF if name.endswith(("cathode", "anode")) else _MOST.get(name, 0xFFFF)
            value = dice.choice((dice.choice(_ODD), dice.randrange(most + 1), fields[name] * 2))
            fields[name] = min(most, value)
    return [fields[name] for name in FIELDS]


def _shared(dice, now_s):
    on_ms = dice.choice((1000, 2000, 5000, 10_000))
    ramp_ms = dice.choice((0, 500, 2000))
    return {
        "rate_hz": dice.choice((2, 10, 20, 20, 40, 100)),
        "ramp_up_ms": ramp_ms,
        "ramp_down_ms": ramp_ms,
        "on_ms": on_ms,
        "off_ms": on_ms + 2 * ramp_ms + dice.choice((0, 5000, 20_000)),
        "session_s": dice.choice((60, 120, 600, 1800, 3600)),
        "sessions_a_day": dice.choice((1, 2, 2, 3, 6)),
        "between_s": dice.choice((1800, 1800, 3600, 3600, 14_400, 600)),
        "activation_s": dice.choice((0, 0, 0, now_s, now_s + 3600, now_s + 86_400)),
        "contact_s": dice.choice((0, 0, 20, 300)),
    }


def _lead(dice, side):
    cathode = dice.randrange(4)
    ua = dice.choice((0, 500, 1500, 3000, 4500, 6000))
    least_ua, most_ua = dice.choice(((0, 0), (ua, ua), (ua // 50 * 25, ua + 1000), (0, ua + 500)))
    fields = {
        "cathode": cathode,
        "anode": (cathode + dice.randrange(1, 4)) % 4,
        "amplitude_ua": ua,
        "width_us": dice.choice((60, 120, 214, 300)),
        "gap_us": dice.choice((0, 0, 3, 100)),
        "least_ua": least_ua,
        "most_ua": most_ua,
    }
    return {side + "." + name: value for name, value in fields.items()}


def train(dice):
    """lead, cathode, anode, amplitude_ua, width_us, gap_us, rate_hz, pulses of a TRAIN."""
    cathode = dice.randrange(4)
    return (
        dice.choice((0, 0, 1, 1, 1, 2)), cathode, (cathode + dice.randrange(4)) % 4,
        dice.choice((500, 2000, 5000, 10_000, 10_025)), dice.choice((60, 214, 400, 1000)),
        dice.choice((0, 100)), dice.choice((1, 20, 50)), dice.choice((1, 5, 20, 200)),
    )  # fmt: skip
