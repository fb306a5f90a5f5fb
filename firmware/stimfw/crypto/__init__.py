"""Cryptography that MicroPython and CPython share: AES-CCM, HKDF, X25519. Pure: no hardware."""
