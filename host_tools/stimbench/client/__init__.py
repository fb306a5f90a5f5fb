"""Talking to the boards: links, the console on USB, the radio through a remote, and what can be asked."""

from stimbench.client.console import Console
from stimbench.client.keyring import Keyring
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import Remote, connect_remote
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.link import DeviceLink, Link

__all__ = (
    "Console",
    "DeviceLink",
    "Keyring",
    "Link",
    "RadioConsole",
    "Remote",
    "Stimulator",
    "connect",
    "connect_remote",
)
