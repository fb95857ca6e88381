"""Times the reports on a large ledger: `make bench-reports`."""
