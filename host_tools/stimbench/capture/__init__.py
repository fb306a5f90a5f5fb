"""Recordings: `Capture` is one, `recorder` makes it on the bench, `vcd` and `sigrok` write and read files."""
