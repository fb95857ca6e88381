"""Failed requests, for people: why, and when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from loadtest.tally import Failure

LINES_MAX = 20
SHOWN_CHARACTERS_MAX = 160


def describe_status(status: int, body: bytes) -> str:
    """An answer that should have been another: the code of a problem document, else its text."""
    try:
        problem = json.loads(body)
        said = f"{problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        said = body.decode(errors="replace")
    return f"status {status} {said[:SHOWN_CHARACTERS_MAX]}"


def failure_lines(
    failures: Sequence[Failure],
    began_seconds: float,
    around: Callable[[float], str] | None = None,
) -> list[str]:
    """One line for all failures of a kind that were sent within the same second, the first ones."""
    kinds = Counter(
        (int(each.at_seconds - began_seconds), each.name, each.why) for each in failures
    )
    lines = []
    for (second, name, why), count in sorted(kinds.items()):
        where = f" ({around(began_seconds + second)})" if around else ""
        lines.append(f"at {second} s{where}: {count} x {name}: {why}")
    left_out = len(lines) - LINES_MAX
    return lines[:LINES_MAX] + ([f"and {left_out} more such lines"] if left_out > 0 else [])
