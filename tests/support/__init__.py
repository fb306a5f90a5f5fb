"""What several tests share. `pio_cycles` also runs on MicroPython; the rest is for CPython."""
