"""Describes features by name in one language, and finds them by what is said of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "ru")
UNKNOWN_GROUP = "other"


@dataclass(frozen=True, slots=True)
class Description:
    """What one feature means; `text` is empty where nothing is known."""

    name: str
    group: str
    text: str


@dataclass(frozen=True, slots=True)
class FeatureCatalogue:
    """Descriptions of features in one language; `titles` are the groups' in the order shown."""

    titles: Mapping[str, str]
    descriptions: Mapping[str, Description]

    def describe(self, name: str) -> Description:
        """What is known of `name`; a feature of another set is in group `other`, without text."""
        return self.descriptions.get(name) or Description(name, UNKNOWN_GROUP, "")

    def groups(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Title of a group to its names, sorted; groups in the order shown, none of them empty."""
        members: dict[str, list[str]] = {group: [] for group in self.titles}
        for name in sorted(names, key=str.casefold):
            members[self.describe(name).group].append(name)
        return {self.titles[group]: tuple(found) for group, found in members.items() if found}

    def search(self, text: str, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that hold every word of `text` in name or description; order is kept."""
        words = _plain(text).split()
        return tuple(name for name in names if self._holds(name, words))

    def _holds(self, name: str, words: list[str]) -> bool:
        said = _plain(f"{name} {self.describe(name).text}")
        return all(word in said for word in words)


@cache
def load_catalogue(language: str) -> FeatureCatalogue:
    """Read the committed descriptions in `language`, one of `LANGUAGES`; once for each."""
    if language not in LANGUAGES:
        raise ValueError(f"no descriptions in {language!r}: choose one of {', '.join(LANGUAGES)}")
    source = files("frontend.features") / "android_malware.toml"
    content = tomllib.loads(source.read_text(encoding="utf-8"))
    return FeatureCatalogue(
        titles={group: title[language] for group, title in content["groups"].items()},
        descriptions={
            name: Description(name, entry["group"], entry[language])
            for name, entry in content["features"].items()
        },
    )


def _plain(text: str) -> str:
    """As compared in a search: neither case, nor `_` for a space, nor dots over a letter count."""
    return text.casefold().replace("_", " ").replace("ё", "е")  # noqa: RUF001 - Cyrillic
