"""What makes a benchmark fail: wrong answers and wrong money, never speed alone."""

from __future__ import annotations

from loadtest.bench.run import OK, TOO_MANY_REQUESTS, Run

EXPECTED_STATUSES = {OK, TOO_MANY_REQUESTS}
"""A full queue is refused with 429; every other status is a fault, since all keys can pay."""


def faults_of(run: Run) -> list[str]:
    """What one run saw that must not be."""
    faults = []
    if run.wrong:
        faults.append(f"{run.wrong} wrong answers with status 200, such as {run.wrong_samples[0]}")
    unexpected = {s: n for s, n in run.other_statuses.items() if s not in EXPECTED_STATUSES}
    if unexpected:
        faults.append(f"unexpected statuses: {unexpected}")
    if run.refused_without_retry_after:
        faults.append(f"{run.refused_without_retry_after} answers of status 429 had no Retry-After")
    if not run.answers_200:
        faults.append("a run without one answer of status 200")
    return faults
