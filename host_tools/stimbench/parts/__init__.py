"""Models of the bench's parts, at register and pin level, each from its datasheet."""
