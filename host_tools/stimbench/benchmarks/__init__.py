"""The figures of the documentation, measured."""
