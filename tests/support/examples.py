"""The committed example instances as tests use them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

EXAMPLES_PATH = Path(__file__).parents[2] / "data" / "examples" / "android_malware.json"


@dataclass(frozen=True, slots=True)
class Example:
    """One invented app in each accepted format."""

    title: str
    names: list[str]
    object: dict[str, int]
    dense: list[int]


def read_examples() -> list[Example]:
    """All committed examples of the Android malware model."""
    return [Example(**one) for one in json.loads(EXAMPLES_PATH.read_text())["examples"]]
