"""Why an implanted stimulator refuses: numbers that continue messages.REASON_..., apart from these.

A board on the bench never imports this: its heap has no room for it. The texts are in messages.REASON_TEXTS.
"""

NOT_IMPLANTED = 14
IMPLANTED = 15
UNCONFIGURED = 16
HEALING = 17
DAY_COMPLETE = 18
TOO_SOON = 19
CLOCK_UNKNOWN = 20
FAULT = 21
INTERFERENCE = 22
MRI_MODE = 23
STORAGE_MODE = 24
END_OF_SERVICE = 25
NOT_MEASURED = 26
RULES = 27
PRESCRIBED = 28
NOT_PRESCRIBED_HERE = 29
CLOCK_KNOWN = 30
JOURNAL = 31
DAY_LIMIT = 32
