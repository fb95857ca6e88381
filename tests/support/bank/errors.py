"""How the bank says no."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was done. `code` is that of the product's error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
