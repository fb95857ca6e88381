"""Invented apps to try the console with."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from frontend.language import Language


@dataclass(frozen=True, slots=True)
class Example:
    """An app by the names of what it asks for."""

    id: str
    title: str
    features: tuple[str, ...]


@cache
def load_examples(language: Language) -> tuple[Example, ...]:
    """All of them; the first is the one that the welcome page shows."""
    content = files("frontend").joinpath("examples.toml").read_text(encoding="utf-8")
    return tuple(
        Example(each["id"], each[language], tuple(each["features"]))
        for each in tomllib.loads(content)["examples"]
    )
