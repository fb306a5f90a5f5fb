"""From a programme to PIO words and samples, and from samples to impedances."""
