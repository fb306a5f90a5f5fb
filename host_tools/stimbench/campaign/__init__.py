"""Many jobs on many processes: each done once, each result a file, whatever is interrupted."""
