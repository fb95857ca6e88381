"""Locust's CSV files."""

from pathlib import Path

from loadtest.measured import ALL, read_figures, read_moments

STATS = """\
Type,Name,Request Count,Failure Count,Median Response Time,Requests/s,50%,95%,99%
POST,dense,90,1,12,9.5,12,40,60
,Aggregated,100,2,12,10.5,12,44,66
"""
HISTORY = """\
Timestamp,User Count,Type,Name,Requests/s,50%,95%,99%,Total Request Count,Total Failure Count
100,0,,Aggregated,0,N/A,N/A,N/A,0,0
101,5,POST,dense,4,9,19,29,4,0
101,5,,Aggregated,5,10,20,30,5,1
102,0,,Aggregated,5,N/A,N/A,N/A,7,1
"""


def test_figures_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "stats.csv"
    path.write_text(STATS)
    figures = read_figures(path)
    assert list(figures) == ["dense", ALL]
    assert (figures[ALL].requests, figures[ALL].failures) == (100, 2)
    assert (figures[ALL].p50_ms, figures[ALL].p95_ms, figures[ALL].p99_ms) == (12, 44, 66)


def test_moments_begin_with_the_first_user_and_count_all_names_together(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HISTORY)
    first, last = read_moments(path, 2)
    assert (first.at_seconds, first.users, first.requests, first.p99_ms) == (101, 5, 5, 30)
    assert first.offered_per_second == 10
    assert (last.users, last.requests, last.p50_ms) == (0, 7, 0)


def test_a_run_without_users_has_no_moments(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("\n".join(HISTORY.splitlines()[:2]) + "\n")
    assert read_moments(path, 2) == []
