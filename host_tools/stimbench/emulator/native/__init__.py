"""The CPU core in C, and what joins it to rp2040py."""
