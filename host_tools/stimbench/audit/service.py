"""Reviews a service: of all its devices, how many reached the clinically meaningful change, and when.

A device counts at a time if a score was taken within the window around it; the nearest one counts. Where the
window is over without one it was not seen, whatever the reason, and that is told beside the share: a service
that sees its best patients only has a fine share. Months are counted from activation, or from implantation
where the journal does not tell that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stimbench.audit.device import DeviceAudit, ScoreChange, audit_of
from stimbench.audit.intervals import wilson
from stimbench.audit.published import Published, published_at
from stimbench.audit.timeline import day_of
from stimbench.errors import InputError
from stimbench.journal.store import Store

__all__ = ("MEASURES", "Reached", "Review", "Share", "review", "stores_of", "window_days")

MEASURES = {"nrs": ("nrs",), "odi": ("odi",), "both": ("nrs", "odi")}
_FIRST_MONTHS = (3, 6, 12)
_YEAR = 12
_MONTH_DAYS = 365.25 / 12


def window_days(months: int) -> int:
    """How many days before and after a time a score may be taken: this project's choice, no two overlap."""
    return {3: 30, 6: 45, 12: 60}.get(months, 90)


@dataclass(frozen=True)
class Share:
    """A share of devices with its 95 % confidence interval (Wilson); None where none was seen."""

    reached: int
    seen: int

    @property
    def share(self) -> float | None:
        """Reached to seen."""
        return self.reached / self.seen if self.seen else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """From and to."""
        return wilson(self.reached, self.seen) if self.seen else None


@dataclass(frozen=True)
class Reached:
    """Who reached the meaningful change of a measure at a time.

    Attributes:
        measure: of MEASURES.
        months: since the beginning.
        share: of those that were seen.
        explanted: of those that were not seen, how many had no device any more.
        not_seen: the window is over without a score, or without a baseline.
        not_yet: the window is not over.
        published: what others have found; None: no figure is known here.
    """

    measure: str
    months: int
    share: Share
    not_seen: int
    explanted: int
    not_yet: int
    published: Published | None

    @property
    def least(self) -> Share:
        """As if none of those that were not seen had reached it."""
        return Share(self.share.reached, self.share.seen + self.not_seen)


@dataclass(frozen=True)
class Review:
    """A service.

    Attributes:
        on: the day of the review.
        devices: each once.
        reached: by measure and time.
        undated: devices whose beginning nobody knows: they are in no share.
        notes: what has to be known about the files.
    """

    on: date
    devices: Sequence[DeviceAudit]
    reached: Sequence[Reached]
    undated: int
    notes: Sequence[str]


def stores_of(paths: Iterable[Path]) -> list[Path]:
    """The stores that are named: files, and all `*.sqlite` in folders.

    Raises:
        InputError: a folder has none, or a path is not there.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.sqlite")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path} has no store: no file *.sqlite.")
        found += [each for each in inside if each not in found]
    return found


def review(paths: Sequence[Path], now_s: int) -> Review:
    """Review the devices of stores.

    Args:
        paths: of the files.
        now_s: seconds since 1970.

    Raises:
        StoreError: one of them cannot be used.
        InputError: there is no device in them.
    """
    devices: dict[str, DeviceAudit] = {}
    notes: list[str] = []
    for path in paths:
        with Store(path) as store:
            for device_id in store.devices():
                audit, other = audit_of(store, device_id, now_s), devices.get(device_id)
                if other is None:
                    devices[device_id] = audit
                    continue
                note = "it is counted once, from the one with more of it."
                notes.append(f"Device {device_id} is in more than one store: {note}")
                devices[device_id] = max(other, audit, key=_size)
    if not devices:
        raise InputError("There is no device in these stores.")
    today = datetime.fromtimestamp(now_s, UTC).date()
    every = [devices[device_id] for device_id in sorted(devices)]
    dated = [each for each in every if each.began is not None]
    times = _times(dated, today)
    reached = [_reached(measure, months, dated, today) for months in times for measure in MEASURES]
    return Review(today, every, reached, len(every) - len(dated), tuple(dict.fromkeys(notes)))


def _size(audit: DeviceAudit) -> int:
    return len(audit.found) + len(audit.changes) + len(audit.baselines) + len(audit.events)


def _times(devices: Sequence[DeviceAudit], today: date) -> list[int]:
    """3, 6 and 12 months and then each year that any device has come near to."""
    longest = max(((today - each.began).days for each in devices if each.began), default=0)
    years = []
    months = 2 * _YEAR
    while months * _MONTH_DAYS - window_days(months) <= longest:
        years.append(months)
        months += _YEAR
    return [*_FIRST_MONTHS, *years]


def _reached(measure: str, months: int, devices: Sequence[DeviceAudit], today: date) -> Reached:
    reached = seen = not_seen = explanted = not_yet = 0
    for device in devices:
        due = (device.began or today) + timedelta(days=round(months * _MONTH_DAYS))
        window = timedelta(days=window_days(months))
        found = [_nearest(device, name, due, window) for name in MEASURES[measure]]
        ended = _ended(device)
        if all(change is not None and change.meaningful is not None for change in found):
            seen += 1
            reached += all(change is not None and bool(change.meaningful) for change in found)
        elif today <= due + window and (ended is None or ended > due + window):
            not_yet += 1
        else:
            not_seen += 1
            explanted += ended is not None and ended <= due + window
    return Reached(measure, months, Share(reached, seen), not_seen, explanted, not_yet,
                   published_at(measure, months))  # fmt: skip


def _nearest(device: DeviceAudit, name: str, due: date, window: timedelta) -> ScoreChange | None:
    inside = [
        each for each in device.changes
        if each.score.name == name and each.meaningful is not None and abs(each.score.on - due) <= window
    ]  # fmt: skip
    return min(inside, key=lambda each: (abs(each.score.on - due), each.score.on), default=None)


def _ended(device: DeviceAudit) -> date | None:
    """The day of the explantation; None: the device is in place, as far as is known."""
    days = [event.on for event in device.events if event.field.ends]
    if device.explanted_s is not None:
        days.append(day_of(device.explanted_s))
    return min(days, default=None)
