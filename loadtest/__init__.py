"""Load tests and benchmarks: a black box to the server."""
