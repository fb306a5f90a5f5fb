"""Runs vectors on MicroPython: a JSON list a line on stdin, of a kind, values in hex, and what is expected.

The last line says how many were right; a wrong one ends it.
"""

import json
import sys
from binascii import unhexlify

from stimfw.crypto import hkdf, x25519
from stimfw.crypto.ccm import Ccm, NotAuthenticError


def ccm(key, nonce, header, plaintext, sealed, tag_bytes, good):
    one = Ccm(unhexlify(key), tag_bytes)
    nonce, header, sealed = unhexlify(nonce), unhexlify(header), unhexlify(sealed)
    try:
        opened = one.open(nonce, header, sealed)
    except NotAuthenticError:
        return not good
    return good and opened == unhexlify(plaintext) and one.seal(nonce, header, opened) == sealed


def keys(salt, secret, info, length, prk, output):
    found = hkdf.extract(unhexlify(salt), unhexlify(secret))
    return found == unhexlify(prk) and hkdf.expand(found, unhexlify(info), length) == unhexlify(output)


def product(scalar, u, wanted):
    return x25519.scalar_mult(unhexlify(scalar), unhexlify(u)) == unhexlify(wanted)


KINDS = {"ccm": ccm, "hkdf": keys, "x25519": product}

count = 0
for line in sys.stdin:
    kind, values = json.loads(line)
    if not KINDS[kind](*values):
        print("wrong:", line)
        sys.exit(1)
    count += 1
print(count)
