"""The project's figures, measured anew on the emulated bench: `stimbench bench figures`."""
