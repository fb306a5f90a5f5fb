"""Runs test functions of one file on MicroPython: `micropython runner.py FOLDER MODULE FUNCTION...`.

For each function, in the order given, a line that begins with a byte of 1 and says `passed FUNCTION` or
`failed FUNCTION`; after the latter comes the traceback. Ends with 1 if one failed.
"""

import sys

sys.path.append(sys.argv[1])
module = __import__(sys.argv[2])
failed = False
for name in sys.argv[3:]:
    try:
        getattr(module, name)()
    except Exception as error:
        # An assert has no text of its own there: the lines that the traceback names tell what was expected.
        print("\x01failed", name)
        sys.print_exception(error, sys.stdout)
        failed = True
    else:
        print("\x01passed", name)
sys.exit(1 if failed else 0)
