"""Figures of the page that `stimbench serve` gives, in Debian's Chromium without a window."""
