"""Figures of campaigns: many benches on many processes."""
