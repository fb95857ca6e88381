"""Whether a peer answers what LightGBM says of the same rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import httpx

from loadtest.champion import champion_file
from loadtest.inputs import Row
from loadtest.peers.catalog import RunningPeer
from loadtest.peers.model import PeerModel
from loadtest.peers.process import PeerFailed

TOLERANCE = 1e-6
ANSWER_SECONDS = 10
NUMBER = re.compile(rb"\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)")


def check_peer(running: RunningPeer, rows: Sequence[Row], model: Path | None = None) -> None:
    """Ask for each row alone; raises PeerFailed at the first answer that is not LightGBM's.

    A billed peer charges its first account for each.
    """
    own = PeerModel(model or champion_file())
    expected = own.predict(own.matrix(rows))
    target = running.target
    headers = {"Content-Type": "application/json"}
    if target.keys:
        headers["Authorization"] = f"Bearer {target.keys[0]}"
    with httpx.Client(base_url=target.base_url, headers=headers, timeout=ANSWER_SECONDS) as client:
        for row, probability in zip(rows, expected, strict=True):
            answer = client.post(target.path, content=target.encode(row))
            fault = answer_fault(answer, target.marker, probability)
            if fault:
                raise PeerFailed(f"{target.name}: {fault}")


def answer_fault(answer: httpx.Response, marker: bytes, expected: float) -> str | None:
    """None where the answer is 200 with the expected probability, else what is wrong."""
    if answer.status_code != httpx.codes.OK:
        return f"status {answer.status_code}: {answer.text[:200]}"
    said = read_probability(answer.content, marker)
    if said is None:
        return f"no probability in {answer.text[:200]}"
    if abs(said - expected) > TOLERANCE:
        return f"probability {said}, LightGBM says {expected}"
    return None


def read_probability(answer: bytes, marker: bytes) -> float | None:
    """The number right after `marker`; None where there is none."""
    _, found, rest = answer.partition(marker)
    number = NUMBER.match(rest) if found else None
    return float(number.group(1)) if number else None
