"""The web console: a client of the public HTTP API, and of nothing else."""
