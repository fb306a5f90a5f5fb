"""The protocol above the radio: frames, pairing, the secure channel, roles. Pure: no hardware, no clock."""
