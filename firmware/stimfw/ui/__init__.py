"""What buttons, the magnet, lights and sounds mean."""
