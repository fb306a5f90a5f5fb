"""The stimulator's application; its hardware comes in from the composition root."""
