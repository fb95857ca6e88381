"""Accounts, credits, prices and charges: plain Python and PostgreSQL; knows no Ray and no HTTP."""
