"""Drift as operators see it, and the chore that looks out for it."""
