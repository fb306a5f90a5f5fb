"""What is stimulated and when: ranges, programme, contraction, event log."""
