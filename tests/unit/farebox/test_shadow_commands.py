"""What is told of a challenger in the shadow."""

from __future__ import annotations

from datetime import date

from billing.reports.shadows import Differences, ShadowDay, ShadowPair
from farebox.shadow_commands import describe_day

DAY, PAIR = date(2026, 5, 4), ShadowPair("fox", "1", "2")
HEAD = "2026-05-04  fox: 2 in the shadow of 1"


def test_a_day_is_told_in_lines_that_fit_a_terminal() -> None:
    found = Differences(200, 3, 5.0, 0.75, (150, 0, 0, 0, 47, 0, 0, 3), dropped=7, failed=1)
    lines = describe_day(ShadowDay(DAY, PAIR, found))
    assert lines == [
        HEAD,
        "  200 instances, 3 (1.50 %) with another label",
        "  difference on average 0.0250, at most 0.7500",
        "  differences: 150 from 0, 47 from 0.05, 3 from 0.5",
        "  left out: 7 as too many waited, 1 that 2 could not score",
    ]
    assert max(map(len, lines)) <= 80


def test_a_day_on_which_nothing_could_be_compared_says_why() -> None:
    lines = describe_day(ShadowDay(DAY, PAIR, Differences(failed=4)))
    assert lines == [HEAD, "  left out: 0 as too many waited, 4 that 2 could not score"]
