"""Drawings of the circuit and pictures of waves."""
