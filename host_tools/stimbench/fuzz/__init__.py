"""Fuzzing of everything that reads bytes from outside: each parser, and what it feeds.

`script`, `mutation`, `rounds` and the modules `target_...` but `target_host` run on MicroPython too.
"""
