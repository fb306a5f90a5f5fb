"""Builds the firmware of both boards from Debian's source packages.

Standard library only: it runs before the virtual environment exists.
"""
