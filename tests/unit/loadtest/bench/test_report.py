"""A report as JSON, as tables, as a picture and as a page."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.bench.__main__ import choose, exit_code
from loadtest.bench.bulk import BulkResult, BulkRun
from loadtest.bench.ceiling import Ceiling
from loadtest.bench.chart import draw
from loadtest.bench.comparison import Comparison, Contest
from loadtest.bench.cpu_table import cpu_per_1000, idle_cores, tabulate_cpu
from loadtest.bench.latency import LatencyResult
from loadtest.bench.machine import Machine, cpu_model
from loadtest.bench.memory import MemorySeries
from loadtest.bench.overload import OverloadResult
from loadtest.bench.page import BEGIN, END, PageBroken, replace_tables, write_page
from loadtest.bench.progress import Progress
from loadtest.bench.report import Report, keep, read_growth
from loadtest.bench.sizes import SHORT
from loadtest.bench.tables import Table, as_markdown, print_table
from loadtest.bench.tabulate import tabulate
from tests.support.bench_runs import make_run


def make_report(
    *, faults: list[str] | None = None, refused: list[str] | None = None, speed: int = 300
) -> Report:
    ours = [make_run(speed, cpu_seconds={"haproxy": 3.0}), make_run(speed)]
    theirs = [make_run(100, cpu_seconds={"peer": 2.0, "haproxy": 1.0}), make_run(100)]
    overload = make_run(0, statuses={200: [9.0], 429: [7.0]}, rate=900)
    return Report(
        measured_at="2026-01-02T03:04:05+00:00",
        command="python -m loadtest.bench",
        machine=Machine(2, "A processor", 24.0, "Linux x86_64"),
        versions={"product": {"python": "3.11"}, "peer": {"peer": "1.2"}},
        sizes=SHORT,
        ceilings=[Ceiling(9000, 20, 256, 525, 211)],
        comparison=Comparison(
            [Contest("peer", "A peer", False, 50, 3.0, ours, theirs)],
            {50: ours},
            {"mlserver": "not installed"},
        ),
        latency=LatencyResult(300, 150, make_run(9), [make_run(9)], None, [], "not installed"),
        overload=OverloadResult(
            make_run(300),
            overload,
            make_run(300),
            MemorySeries([0], {"Billing": [99.0]}),
            900,
            True,
        ),
        bulk=BulkResult(1000, [BulkRun("bits", True, 31744, None, "status 415")]),
        growth={"ratio": 0.95, "goal": 0.9, "size": {"charges": 10}, "measured_at": "then"},
        money={"product": "3 credits charged, 3 answered"},
        refused=refused or [],
        faults=faults or [],
    )


def text_of(report: Report) -> str:
    return "\n".join(as_markdown(table) for table in tabulate(report))


def test_the_tables_say_all_that_was_measured() -> None:
    text = text_of(make_report())
    assert "| peer | no | 3.00 | 3.00 to 3.00 | 3 | yes |" in text
    assert "| product, 50 accounts | 300 |" in text
    assert "offered, requests/s | 0 (0.00 peaks)" in text
    assert "3 credits charged, 3 answered" in text
    assert "| 10 | 0.95 | 0.9 |" in text


def test_what_was_left_out_is_said_with_its_reason() -> None:
    text = text_of(make_report(refused=["too fast"], faults=["wrong money"]))
    assert "| mlserver: left out |" in text
    assert "mlserver is left out: not installed" in text
    assert "fastapi-plain is left out: not installed" in text
    assert "bits: status 415" in text
    assert "Not reported: too fast" in text
    assert "FAULT: wrong money" in text


def test_faults_and_refusals_fail_and_missed_goals_only_where_enforced() -> None:
    assert exit_code(make_report(), enforce=False) == 0
    assert exit_code(make_report(faults=["wrong"]), enforce=False) == 1
    assert exit_code(make_report(refused=["limited"]), enforce=False) == 1
    assert exit_code(make_report(speed=299), enforce=True) == 1


def test_the_console_shows_a_table_whole() -> None:
    console = Console(width=80, record=True, quiet=True)
    console.quiet = False
    with console.capture() as captured:
        print_table(Table("Title", ["a", "b"], [["x", "1"]], ["note [sic]"]), console)
    assert all(word in captured.get() for word in ("Title", "x", "1", "note [sic]"))


def test_the_json_can_be_read_and_has_the_goals(tmp_path: Path) -> None:
    kept = json.loads(keep(make_report(), tmp_path).read_text())
    assert kept["goals"][0]["reached"] is True
    assert kept["comparison"]["product_runs"]["50"][0]["latency"]["200"]["answers"] == 3000
    assert kept["latency"]["left_out"] == "not installed"


def test_a_picture_and_a_page_are_written(tmp_path: Path) -> None:
    page, picture = tmp_path / "page.md", tmp_path / "page.png"
    page.write_text(f"By hand.\n\n{BEGIN}\nold\n{END}\nAfter.\n")
    draw(make_report(), picture)
    write_page(make_report(), page, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = page.read_text()
    assert text.startswith("By hand.\n")
    assert text.endswith(f"{END}\nAfter.\n")
    assert "old" not in text
    assert "![Requests a second, ratios and latencies](page.png)" in text
    assert "2 cores of A processor, 24 GB" in text
    assert "- peer: peer 1.2" in text


def test_a_page_without_markers_is_left_alone() -> None:
    with pytest.raises(PageBroken):
        replace_tables(f"{BEGIN} only", "tables")


def test_the_committed_page_has_its_markers() -> None:
    page = Path(__file__).resolve().parents[4] / "docs" / "benchmarks.md"
    assert "tables" in replace_tables(page.read_text(), "tables")


def test_cpu_time_is_for_a_thousand_successes_over_all_rounds() -> None:
    runs = [make_run(100, cpu_seconds={"haproxy": 1.0}), make_run(300, cpu_seconds={"haproxy": 3})]
    assert cpu_per_1000(runs) == {"haproxy": pytest.approx(1.0)}


def test_the_idle_product_is_told_apart_from_the_peer() -> None:
    report = make_report()
    assert report.comparison is not None
    table = tabulate_cpu(report.comparison)
    assert ["haproxy", "0.500", ""] in table.rows
    assert ["peer", "", "1.000"] in table.rows
    assert idle_cores(make_run(1, cpu_seconds={"haproxy": 1.0, "peer": 5.0})) == 0.1


def test_the_time_left_is_said() -> None:
    lines: list[str] = []
    now = [0.0]
    progress = Progress(100, lines.append, lambda: now[0])
    now[0] = 35
    progress.say("done")
    now[0] = 101
    progress.say("more")
    assert lines == ["0:35, about 1:05 left: done", "1:41, longer than planned: more"]


def test_the_processor_is_named() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: Fast One\n") == "Fast One"
    assert cpu_model("")


def test_growth_is_told_where_it_was_measured(tmp_path: Path) -> None:
    assert read_growth(tmp_path / "none.json") is None
    (tmp_path / "growth.json").write_text('{"ratio": 1}')
    assert read_growth(tmp_path / "growth.json") == {"ratio": 1}


def test_scenarios_run_in_their_own_order() -> None:
    assert choose(["bulk", "comparison"]) == ["comparison", "bulk"]
    assert choose(None)[0] == "comparison"
