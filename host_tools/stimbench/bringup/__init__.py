"""Guided bring-up of a stimulator's board, one block at a time: docs/bringup.md."""
