"""Alembic's environment; `billing.migrate` runs it."""
