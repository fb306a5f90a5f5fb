"""The tutorial's lessons: each runs on the emulated bench, and says what it shows."""
