"""What the columns of a table are: features, something to keep, or nothing that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontend.pages.many.faults import FileRefused, shorten
from frontend.pages.many.features import FeatureNames
from frontend.pages.many.values import parse_value

NAMES_COLUMN = "features"
"""Of tables that name what is present, instead of a column a feature."""

_KEPT = frozenset({"app", "app_name", "id", "label", "md5", "name", "package", "sha1", "sha256"})
_SUGGESTED_MAX = 50
_HEAD_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Columns:
    """Of a table; numbers are places in its head, from 0."""

    head: tuple[str, ...]
    features: tuple[tuple[int, int], ...]
    """Place in the head and position among the model's features."""
    names: int | None
    """Place of the column that names features."""
    kept: tuple[int, ...]
    unknown: tuple[int, ...]
    missing: tuple[str, ...]
    """Features without a column."""

    def title(self, place: int) -> str:
        """A name to show, also for a column without one."""
        return self.head[place].strip() or f"({place + 1})"

    def suggestions(self, features: FeatureNames) -> tuple[tuple[str, str], ...]:
        """The first unknown columns, and the feature that each probably means."""
        return tuple(
            (shorten(self.title(place)), features.nearest(self.head[place]))
            for place in self.unknown[:_SUGGESTED_MAX]
        )


def sort_columns(
    head: Sequence[str], first_values: Sequence[str | None], features: FeatureNames
) -> Columns:
    """`first_values`: some of the first column, which tell an id from a misspelled feature."""
    found = _find_features(head, features)
    names = None if found else _find_names(head)
    if not found and names is None:
        shown = ", ".join(shorten(name) for name in head[:_HEAD_SHOWN] if name.strip())
        raise FileRefused(
            "no_features", head=shown or "\N{EN DASH}", nearest=_guess(head, features)
        )
    rest = [place for place in range(len(head)) if place not in found and place != names]
    kept = [place for place in rest if _is_kept(head[place])]
    if rest and rest[0] == 0 and 0 not in kept and _is_id(head[0], first_values):
        kept.insert(0, 0)
    present = set(found.values())
    missing = () if names is not None else _absent(features, present)
    return Columns(
        head=tuple(head),
        features=tuple(found.items()),
        names=names,
        kept=tuple(kept),
        unknown=tuple(place for place in rest if place not in kept),
        missing=missing,
    )


def _find_features(head: Sequence[str], features: FeatureNames) -> dict[int, int]:
    found: dict[int, int] = {}
    places: dict[int, int] = {}
    for place, name in enumerate(head):
        position = features.find(name)
        if position is None:
            continue
        if position in places:
            raise FileRefused("column_twice", column=features.names[position])
        places[position] = place
        found[place] = position
    return found


def _find_names(head: Sequence[str]) -> int | None:
    for place, name in enumerate(head):
        if name.strip().casefold() == NAMES_COLUMN:
            return place
    return None


def _absent(features: FeatureNames, present: set[int]) -> tuple[str, ...]:
    return tuple(name for position, name in enumerate(features.names) if position not in present)


def _is_kept(name: str) -> bool:
    return name.strip().casefold() in _KEPT


def _is_id(name: str, values: Sequence[str | None]) -> bool:
    """A first column without a name, or one with something else than zeros and ones in it."""
    return not name.strip() or any(parse_value(value or "") is None for value in values)


def _guess(head: Sequence[str], features: FeatureNames) -> str:
    return next((near for name in head[:_HEAD_SHOWN] if (near := features.nearest(name))), "")
