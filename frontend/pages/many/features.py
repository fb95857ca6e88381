"""Names of features as people write them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cached_property

_PREFIX = "android.permission."
_LIKENESS_MIN = 0.6
_COMPARED_CHARACTERS_MAX = 200


class FeatureNames:
    """The features of a model in its order, found by name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._positions = {name: position for position, name in enumerate(self.names)}
        self._nearest: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: str) -> int | None:
        """Position of the feature called so, with or without `android.permission.` before it."""
        plain = name.strip()
        found = self._positions.get(plain)
        return self._positions.get(plain.removeprefix(_PREFIX)) if found is None else found

    def nearest(self, name: str) -> str:
        """The feature that was probably meant, or nothing."""
        plain = name.strip().removeprefix(_PREFIX).casefold()[:_COMPARED_CHARACTERS_MAX]
        if plain not in self._nearest:
            close = difflib.get_close_matches(plain, self._folded, 1, _LIKENESS_MIN)
            self._nearest[plain] = self._folded[close[0]] if close else ""
        return self._nearest[plain]

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {name.casefold(): name for name in self.names}
