"""What is stimulated and when: states, ranges, programme, contraction, the gate's time, event log."""
