"""Fields of a request, read one by one: what is unknown or of another type is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Self

from serve.v2.tensors import DATATYPES, Datatype, refuse, shown

INPUT = "features"
"""The one input of every model: a row of zeros and ones for each app."""
_RANK = 2


@dataclass(frozen=True, slots=True)
class Reader:
    """An object of a request, and what a sentence calls it."""

    fields: Mapping[str, Any]
    about: str

    @classmethod
    def of(cls, value: object, about: str, known: AbstractSet[str]) -> Self:
        """An object with none but `known` fields; a Refusal otherwise."""
        if not isinstance(value, Mapping):
            raise refuse(f"{about} is not an object: {shown(value)}")
        for name in value:
            if name not in known:
                there = ", ".join(sorted(known))
                raise refuse(f"{about} has an unknown field {shown(name)}; known: {there}")
        return cls(value, about)

    def text(self, name: str) -> str | None:
        """A string, or None where it is left out."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def count(self, name: str) -> int | None:
        """A number of things, or None where it is left out."""
        value = self.fields.get(name)
        if value is None:
            return None
        if type(value) is not int or value < 0:
            raise self._wrong(name, "a number from 0 on")
        return value

    def items(self, name: str) -> list[Any]:
        """A list."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def _wrong(self, name: str, what: str) -> Exception:
        if name not in self.fields:
            return refuse(f"{self.about} has no `{name}`; it is {what}")
        return refuse(f"`{name}` of {self.about} is {what}, not {shown(self.fields[name])}")


def read_parameters(given: Reader, known: AbstractSet[str]) -> Reader:
    """The `parameters` of an object, none but `known` ones: a misspelled one would go unheeded."""
    said = given.fields.get("parameters")
    return Reader.of({} if said is None else said, f"`parameters` of {given.about}", known)


def read_tensor_head(
    name: str | None, datatype: str | None, shape: Sequence[Any]
) -> tuple[str, Datatype, int, int]:
    """Name, datatype, rows and columns of the input; a Refusal where they cannot be features."""
    if name != INPUT:
        raise refuse(f"there is no input {shown(name)}; there is: {INPUT}")
    known = DATATYPES.get(datatype or "")
    if known is None:
        raise refuse(
            f"input {name!r} is {shown(datatype)}; features are one of {', '.join(DATATYPES)}"
        )
    if len(shape) != _RANK or not all(type(size) is int and size > 0 for size in shape):
        raise refuse(f"input {name!r} has shape {shown(list(shape))}; it is [rows, features]")
    return name, known, shape[0], shape[1]
