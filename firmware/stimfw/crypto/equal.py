"""Comparison of secrets: what it does must not tell where two values differ.

Promised: `equal` runs the same bytecodes for any two values of one length, all on small integers,
which MicroPython keeps in the pointer itself (no heap, no carry, no early exit). On the RP2040's Cortex-M0+
the instructions used (EOR, ORR, loads from SRAM) take a fixed number of cycles (ARM DDI 0484, section 3.3).

Not promised, here or elsewhere in this package:
- An interrupt or a garbage collection in between takes its time; neither depends on the bytes compared.
- AES is that of mbedtls: table look-ups at secret indices. The boards keep code and tables in SRAM
  (boards/stimbench_common.cmake), which has no cache: a look-up takes the same time whatever it looks up.
  In flash, behind the XIP cache (RP2040 datasheet, section 2.6.3), it would not.
- X25519 and the XOR of CCM work on Python's big integers: their time depends on leading zeros, and
  CPython's and MicroPython's multiplication on values. X25519 keys of a pairing are used once.
- Nothing is wiped: keys stay in the heap until they are overwritten.
"""


def equal(a: "bytes | memoryview", b: "bytes | memoryview") -> bool:
    """Whether two values are the same, in a time that depends on their lengths alone.

    The lengths themselves are no secret: they are compared first.
    """
    count = len(a)
    if count != len(b):
        return False
    difference = 0
    for i in range(count):
        difference |= a[i] ^ b[i]
    return difference == 0
