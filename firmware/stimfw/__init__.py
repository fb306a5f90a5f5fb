"""The firmware of the stimbench stimulator and remote."""
