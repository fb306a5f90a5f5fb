"""Firmware and modules onto boards: found, written, read back."""
