"""The one place that holds the version of firmware and tools."""

VERSION = "0.1.0"
