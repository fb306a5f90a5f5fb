"""From the circuit to ngspice and back."""
