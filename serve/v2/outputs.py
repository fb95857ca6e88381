"""What a model answers: the tensors that may be asked for by name, and their elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serve.ports import Probabilities
from serve.v2.tensors import pack_texts, refuse, shown

PROBABILITY = "probability"
LABEL = "label"
EXPLANATION = "explanation"
"""Answered only where `explain` is asked for: the JSON that /v1 says of each row."""
DATATYPES = {PROBABILITY: "FP64", LABEL: "BYTES", EXPLANATION: "BYTES"}
"""Of each output, in the order in which all of them are answered."""

Values = Probabilities | Sequence[str]


@dataclass(frozen=True, slots=True)
class Requested:
    """An output to answer, as bytes or as values."""

    name: str
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """An output tensor of shape [rows]."""

    name: str
    binary: bool
    values: Values

    @property
    def datatype(self) -> str:
        """Its name in the protocol."""
        return DATATYPES[self.name]

    def raw(self) -> bytes:
        """Its elements, little-endian."""
        if isinstance(self.values, np.ndarray):
            return self.values.astype("<f8", copy=False).tobytes()
        return pack_texts(self.values)

    def listed(self) -> list[float] | list[str]:
        """Its elements as values."""
        return self.values.tolist() if isinstance(self.values, np.ndarray) else list(self.values)


def available(*, explain: bool) -> tuple[str, ...]:
    """Names of the outputs that a request has."""
    return tuple(name for name in DATATYPES if explain or name != EXPLANATION)


def request_all(binary: bool, *, explain: bool) -> tuple[Requested, ...]:
    """Every output: what a request that names none is answered."""
    return tuple(Requested(name, binary) for name in available(explain=explain))


def check_requested(requested: Sequence[Requested], *, explain: bool) -> tuple[Requested, ...]:
    """The outputs asked for; raises a Refusal for one that is not there, or is there twice."""
    names = [each.name for each in requested]
    known = available(explain=explain)
    for name in names:
        if name not in known:
            hint = "; ask for it by `explain`" if name in DATATYPES else ""
            raise refuse(f"there is no output {shown(name)}{hint}; there is: {', '.join(known)}")
        if names.count(name) > 1:
            raise refuse(f"output {name!r} is asked for twice")
    return tuple(requested)


def select(requested: Sequence[Requested], values: Mapping[str, Values]) -> list[Output]:
    """The outputs asked for, in the order in which they were asked for."""
    return [Output(each.name, each.binary, values[each.name]) for each in requested]
