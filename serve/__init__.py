"""Ray Serve deployments and HTTP, and nothing else."""
