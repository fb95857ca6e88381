"""Account: the balance, and all that belongs to whoever is signed in."""

from frontend.pages.account.page import build_account

__all__ = ["build_account"]
