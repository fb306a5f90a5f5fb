"""What a campaign consists of, as its folder's run.json has it, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stimbench import __version__
from stimbench.campaign.jobs import Job

__all__ = ("Plan",)

_FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """The whole of a campaign, before anything of it is done.

    Attributes:
        campaign: its name, `power-cuts` say.
        firmware: hash by board.
        jobs: all of them, in order.
        version: of stimbench.
    """

    campaign: str
    firmware: Mapping[str, str]
    jobs: Sequence[Job]
    version: str = __version__

    def as_text(self) -> str:
        """For run.json."""
        data = {
            "format": _FORMAT,
            "stimbench": self.version,
            "campaign": self.campaign,
            "firmware": dict(self.firmware),
            "jobs": [{"key": job.key, "work": job.work, "payload": dict(job.payload)} for job in self.jobs],
        }
        return json.dumps(data, indent=1)

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """From run.json.

        Raises:
            ValueError: it is no such file, or of another format; the text says so.
        """
        data: Any = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise ValueError(f"it is not of format {_FORMAT}")
        try:
            jobs = tuple(Job(each["key"], each["work"], dict(each["payload"])) for each in data["jobs"])
            return cls(str(data["campaign"]), dict(data["firmware"]), jobs, str(data["stimbench"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error

    def difference(self, other: Plan) -> str:
        """Why the results of `other` are not those of this one; empty if they are."""
        if other.campaign != self.campaign:
            return f"it is of the campaign {other.campaign!r}, and not of {self.campaign!r}"
        if other.version != self.version:
            return f"it is of stimbench {other.version}, and this is {self.version}"
        for board in sorted({*self.firmware, *other.firmware}):
            old, new = other.firmware.get(board, "none"), self.firmware.get(board, "none")
            if old != new:
                return f"it is of another firmware of the {board} ({old[:12]}, and now {new[:12]})"
        mine, theirs = {job.key for job in self.jobs}, {job.key for job in other.jobs}
        if mine != theirs:
            strange = len(theirs - mine)
            return f"it is of other cases: {strange} of its {len(theirs)} are not among these {len(mine)}"
        return ""
