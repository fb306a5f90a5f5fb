"""The emulated RP2040: its CPU core, and what rp2040py leaves out of the chip."""
