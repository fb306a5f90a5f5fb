"""The campaign of attacks: every attack on the protocol (stimbench.attacks), with many seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stimfw

from stimbench.attacks import ATTACKS
from stimbench.attacks.stand import firmware_from
from stimbench.campaign.jobs import Job, make_job

__all__ = ("attack", "attack_jobs")

_WORK = "stimbench.checks.campaigns.attacks:attack"


def attack_jobs(seeds: int, share: float, firmware_hashes: Mapping[str, str] | None = None) -> list[Job]:
    """Each attack with each seed.

    Most run on the desk, with the firmware's own modules and without its images. So what the firmware's hash
    is elsewhere is the hash of these modules there.

    Args:
        seeds: how many, from 1 on.
        share: of each attack's full number of tries; each has a number that it does not go below.
        firmware_hashes: of the images, by board; without them attacks on the emulated bench are left out.
    """
    hashes = firmware_hashes or {}
    sources = _sources()
    return [
        make_job(
            _WORK,
            {
                "name": f"{each.name}, seed {seed}",
                "group": each.name,
                "attack": each.name,
                "tries": each.share(share),
                "seed": seed,
                "stimfw": sources,
            },
            hashes if each.on_bench else {},
        )
        for seed in range(1, seeds + 1)
        for each in ATTACKS
        if hashes or not each.on_bench
    ]


def attack(payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """Carry one attack out.

    Args:
        payload: of `attack_jobs`.
        firmware: the images that attacks on the emulated bench run.

    Returns:
        FAIL if a try succeeded; ERROR if fewer tries were made than asked for, or this process has other
        modules of the firmware.
    """
    if payload["stimfw"] != _sources():
        raise RuntimeError("this process has other modules of the firmware than the campaign")
    chosen = {each.name: each for each in ATTACKS}[payload["attack"]]
    with firmware_from(firmware):
        found = chosen.run(payload["tries"], payload["seed"])
    told = f"{found.tries} tries, {found.successes} succeeded; {found.detail}"
    verdict = "FAIL" if found.successes else "PASS" if found.tries >= payload["tries"] else "ERROR"
    return {"verdict": verdict, "told": told, "tries": found.tries, "successes": found.successes}


def _sources() -> str:
    """Hash of the firmware's modules."""
    digest = hashlib.sha256()
    folder = Path(stimfw.__path__[0])
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
