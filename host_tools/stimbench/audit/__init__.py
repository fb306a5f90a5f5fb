"""What journals and outcomes say: of one device, of a service, for a registry, for an incident report."""
