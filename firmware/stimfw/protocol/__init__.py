"""Requests and replies, their codes, and the console's frames."""
