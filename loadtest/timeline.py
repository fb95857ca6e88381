"""What was offered and what was achieved, second by second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from loadtest.measured import Moment

SMOOTH_SECONDS = 3
"""Locust's clock ticks in whole seconds: over fewer, the rate would jump between ticks."""
KEEPS_UP_SHARE = 0.95
"""Of the offered rate: below it, the server is past its knee."""
SETTLE_SECONDS = 2
"""At the beginning of a step, until its users have all begun."""
MOMENTS_MIN = 2
"""Of a step, once it has settled."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Rates at one second of a run, from its start on."""

    second: float
    offered_per_second: float
    achieved_per_second: float
    failed_per_second: float


def paces(moments: Sequence[Moment]) -> list[Pace]:
    """The rates over the last few seconds, at each second."""
    found = []
    for n, now in enumerate(moments[1:], start=1):
        before = moments[max(0, n - SMOOTH_SECONDS)]
        seconds = now.at_seconds - before.at_seconds
        if seconds > 0:
            found.append(
                Pace(
                    now.at_seconds - moments[0].at_seconds,
                    now.offered_per_second,
                    (now.requests - before.requests) / seconds,
                    (now.failures - before.failures) / seconds,
                )
            )
    return found


def offered_requests(moments: Sequence[Moment]) -> float:
    """How many requests all users would have begun, had none had to wait for an answer."""
    return sum(
        (before.offered_per_second + after.offered_per_second)
        / 2
        * (after.at_seconds - before.at_seconds)
        for before, after in pairwise(moments)
    )


def achieved_share(moments: Sequence[Moment]) -> float:
    """Requests made over requests offered, up to the last one made.

    Workers tell of their users every three seconds only, so where there are any the share of a
    short run is off by a few percent, either way.
    """
    made = moments[-1].requests
    last = next(n for n, moment in enumerate(moments) if moment.requests == made)
    offered = offered_requests(moments[: last + 1])
    return made / offered if offered else 0.0


def find_knee(moments: Sequence[Moment]) -> float:
    """The highest rate that was achieved while the server still kept up with the offered one.

    Steps are the times with an unchanged number of users; the knee is the last of those that kept
    up before one did not. 0 where the first one did not.
    """
    knee = 0.0
    for offered, group in groupby(moments, key=lambda moment: moment.offered_per_second):
        step = list(group)[SETTLE_SECONDS:]
        if not offered or len(step) < MOMENTS_MIN:
            continue
        seconds = step[-1].at_seconds - step[0].at_seconds
        achieved = (step[-1].requests - step[0].requests) / seconds
        if achieved < KEEPS_UP_SHARE * offered:
            break
        knee = achieved
    return knee
