"""Parts of the documentation that are made from the firmware's own tables."""
