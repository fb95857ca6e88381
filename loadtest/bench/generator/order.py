"""What the generator is told to do: a file of one JSON line, then the bodies as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """One run: where to, with which requests, how many at once, for how long."""

    host: str
    port: int
    path: str
    headers: list[str]
    keys: list[str]
    marker: str
    """Stands right before each probability in an answer; empty where answers are float64."""
    expected: list[list[float]]
    """The right probabilities for each body; an empty list takes any one between 0 and 1."""
    connections: int
    seconds: float
    rate: float | None
    """Requests a second to offer; None is the closed loop."""
    waits: bool
    """Whether a request of the open loop that finds no free connection waits for one."""
    seed: int
    timeout_seconds: float


def write_order(path: Path, order: Order, bodies: Sequence[bytes]) -> None:
    """Write both to `path`, readable by this user alone: there are keys in it."""
    line = json.dumps({**asdict(order), "body_bytes": [len(body) for body in bodies]})
    path.touch(mode=0o600)
    path.write_bytes(b"".join([line.encode(), b"\n", *bodies]))


def read_order(path: Path) -> tuple[Order, list[bytes]]:
    """What `write_order` wrote."""
    line, _, content = path.read_bytes().partition(b"\n")
    said = json.loads(line)
    bodies, at = [], 0
    for length in said.pop("body_bytes"):
        bodies.append(content[at : at + length])
        at += length
    return Order(**said), bodies
