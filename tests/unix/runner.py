"""Runs one test function of one file on MicroPython: `micropython runner.py FOLDER MODULE FUNCTION`."""

import sys

sys.path.append(sys.argv[1])
module = __import__(sys.argv[2])
try:
    getattr(module, sys.argv[3])()
except AssertionError as error:
    # An assert has no text of its own there: the lines that the traceback names tell what was expected.
    sys.print_exception(error)
    sys.exit(1)
