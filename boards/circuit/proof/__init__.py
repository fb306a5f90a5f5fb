"""What the circuit does, measured in SPICE."""
