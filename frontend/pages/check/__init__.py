"""Check an app: pick or paste what it asks for, and read the verdict with its reasons."""

from __future__ import annotations

from frontend.pages.check.page import build_check

__all__ = ["build_check"]
