"""Talking to the boards: the console on USB, the radio through a remote, and what can be asked."""

from stimbench.client.console import Console
from stimbench.client.keyring import Keyring
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import Remote, connect_remote
from stimbench.client.stimulator import Stimulator, connect

__all__ = (
    "Console",
    "Keyring",
    "RadioConsole",
    "Remote",
    "Stimulator",
    "connect",
    "connect_remote",
)
