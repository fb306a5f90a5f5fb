"""Pure logic: no hardware, the same code on both boards, on the host and in the tests."""
