"""Drivers: they take their hardware through the constructor and touch none before."""
