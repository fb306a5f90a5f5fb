"""The steps of the bring-up, a file for blocks that belong together; all of them in order: `BLOCKS`."""

from __future__ import annotations

from stimbench.bringup.model import Block
from stimbench.bringup.steps import dac, gate, lead, output, radio, supply

__all__ = ("BLOCKS",)

BLOCKS: tuple[Block, ...] = (
    supply.SUPPLY,
    supply.REFERENCES,
    gate.MONOSTABLE,
    gate.GATE,
    gate.RELAYS,
    dac.DAC,
    output.PUMP,
    output.BRIDGE,
    lead.LEAD,
    lead.SENSE,
    radio.RADIO,
)
"""In the order of docs/circuit.md."""
