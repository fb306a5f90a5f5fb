"""How two boards come to share a key by radio."""
