"""Measures the product on a large ledger beside an empty one: `make bench-growth`."""
