"""Talking to a board over its service console: links, the console, and the stimulator's requests."""

from stimbench.client.console import Console
from stimbench.client.link import DeviceLink, Link
from stimbench.client.stimulator import Stimulator, connect

__all__ = ("Console", "DeviceLink", "Link", "Stimulator", "connect")
