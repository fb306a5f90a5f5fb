"""The radio link: the stimulator listens, the remote searches."""
