"""What a shadow found fits a terminal of 80 columns, whole."""

from __future__ import annotations

from datetime import date

from rich.console import Console
from rich.table import Table

from billing.reports.shadows import BUCKETS, Differences, ShadowDay, ShadowPair
from farebox.shadow_commands import histogram_table, summary_table

FOUND = ShadowDay(
    date(2026, 11, 24),
    ShadowPair("android-malware", "12", "13"),
    Differences(
        instances=4_000_000,
        disagreements=40_000,
        difference_sum=80_000.0,
        difference_max=0.75,
        histogram=(100_000,) * BUCKETS,
        dropped=3,
        failed=4,
    ),
)


def render(table: Table) -> list[str]:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()


def test_summary_tells_counts_share_and_differences() -> None:
    _, line = render(summary_table([FOUND]))
    assert line.split() == [
        *("2026-11-24", "13", "with", "12", "4000000"),
        *("40000", "(1.00%)", "0.0200", "0.7500", "7"),
    ]


def test_a_day_without_instances_has_no_share() -> None:
    empty = ShadowDay(FOUND.day, FOUND.pair, Differences(dropped=9))
    _, line = render(summary_table([empty]))
    assert line.split()[4:] == ["0", "0", "(0.00%)", "0.0000", "0.0000", "9"]


def test_histogram_has_a_column_for_each_bucket() -> None:
    head, line = render(histogram_table([FOUND]))
    assert head.split()[2:4] == ["<0.001", "0.001+"]
    assert line.split()[4:] == ["100000"] * BUCKETS
