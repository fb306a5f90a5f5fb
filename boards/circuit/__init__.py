"""Both boards' circuits as source, and their proof: `make hardware`.

Resistors and saline only, never a person or an animal.
"""
