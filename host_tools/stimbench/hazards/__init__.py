"""What can go wrong, what is done against it, and whether a test that passed shows it."""
