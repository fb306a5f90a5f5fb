"""Pairing over USB: the host draws the key and gives it to both sides, the stimulator first.

The stimulator keeps a new key as pending beside the old one of the same peer until the new one is used. So
whatever is interrupted between the steps, the peer's key is one that the stimulator has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from stimfw.protocol import roles
from stimfw.telemetry.keys import KEY_BYTES

from stimbench.client.keyring import Keyring
from stimbench.client.remote import Remote
from stimbench.client.stimulator import Stimulator

__all__ = ("pair_clinician", "pair_remote")


def pair_remote(
    stimulator: Stimulator, remote: Remote, take_random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[int, bytes, bytes]:
    """Give a remote a patient's key for a stimulator; both on USB.

    Returns:
        The slot, the stimulator's base and the remote's id.

    Raises:
        WrongStateError: the stimulator's slots are taken, its output is on, or a flash did not take the key.
        NoAnswerError: a board did not answer; running it again mends whatever was left half done.
    """
    own_id = remote.pairings().own_id
    key = take_random(KEY_BYTES)
    slot, base = stimulator.pair(own_id, roles.PATIENT, key)
    remote.pair(base, slot, roles.PATIENT, key)
    return slot, base, own_id


def pair_clinician(
    stimulator: Stimulator, keyring: Keyring, take_random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[int, bytes, bytes]:
    """Give this host a clinician's key for a stimulator on USB, kept in `keyring`.

    Returns:
        The slot, the stimulator's base and this host's id.

    Raises:
        StimbenchError: the key file cannot be used (nothing was sent then), or as for pair_remote.
    """
    own_id = keyring.own_id()
    key = take_random(KEY_BYTES)
    slot, base = stimulator.pair(own_id, roles.CLINICIAN, key)
    keyring.store(base, slot, roles.CLINICIAN, key)
    return slot, base, own_id
