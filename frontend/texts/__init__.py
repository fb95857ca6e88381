"""What the console says. Each language has a folder with a file a section, and all have the same
sections and names; {braces} are filled in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from frontend.language import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of one language, by section and name: `texts("check", "title")`."""

    language: Language
    sections: dict[str, dict[str, Any]]

    def __call__(self, section: str, name: str, /, **values: object) -> str:
        """The text, with its `{placeholders}` filled in."""
        text: str = self.sections[section][name]
        return text.format(**values) if values else text

    def section(self, name: str) -> dict[str, Any]:
        """All texts of a section, for a template."""
        return self.sections[name]

    def problem(self, code: str) -> str | None:
        """What to say for a problem's code; None where the server's own words have to do."""
        return self.sections["problems"].get(code)


@cache
def load_texts(language: Language) -> Texts:
    """Read a language's files once."""
    return Texts(
        language,
        {
            file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
            for file in files(__name__).joinpath(str(language)).iterdir()
        },
    )
