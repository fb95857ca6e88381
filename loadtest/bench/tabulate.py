"""From a report to its tables, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.bench.bulk import BulkResult
from loadtest.bench.comparison import Comparison
from loadtest.bench.cpu_table import tabulate_cpu
from loadtest.bench.latency import PLAIN_PEER, SETTLE_SECONDS, LatencyResult
from loadtest.bench.overload import REFUSAL_MS_MAX, OverloadResult
from loadtest.bench.percentiles import median
from loadtest.bench.product import NAME as PRODUCT
from loadtest.bench.report import Report
from loadtest.bench.run import TOO_MANY_REQUESTS, Run
from loadtest.bench.stage import accounts_in_words
from loadtest.bench.tables import Table

MISSING = "-"


def tabulate(report: Report) -> list[Table]:
    """Every table that something was measured for."""
    tables = [_goals(report)]
    if report.comparison:
        tables += [_ratios(report.comparison), _speeds(report.comparison)]
    if report.latency:
        tables.append(_latency(report.latency))
    if report.overload:
        tables.append(_overload(report.overload))
    if report.bulk:
        tables.append(_bulk(report.bulk))
    if report.comparison:
        tables.append(tabulate_cpu(report.comparison))
    if report.growth:
        tables.append(_growth(report.growth))
    return [*tables, _ceilings(report)]


def _goals(report: Report) -> Table:
    rows = [
        [goal.name, f"{goal.measured:.2f}{goal.unit}", goal.wanted, _yes(goal.reached)]
        for goal in report.goals
    ]
    notes = [f"Not reported: {text}." for text in report.refused]
    notes += [f"FAULT: {fault}." for fault in report.faults]
    return Table("Goals", ["what", "measured", "goal", "reached"], rows, notes)


def _ratios(comparison: Comparison) -> Table:
    rows = [
        [
            contest.label,
            "yes" if contest.billed else "no",
            f"{contest.goal.measured:.2f}",
            f"{min(contest.ratios):.2f} to {max(contest.ratios):.2f}",
            f"{contest.goal_ratio:g}",
            _yes(contest.goal.reached),
        ]
        for contest in comparison.contests
    ]
    rows += [
        [f"{name}: left out", MISSING, MISSING, MISSING, MISSING, MISSING]
        for name in comparison.left_out
    ]
    notes = [f"{name} is left out: {reason}." for name, reason in comparison.left_out.items()]
    header = ["peer", "bills", "ratio", "range", "goal", "reached"]
    return Table("Requests/s of the billed product over each peer's", header, rows, notes)


def _speeds(comparison: Comparison) -> Table:
    rows = [
        _speed(f"{PRODUCT}, {accounts_in_words(accounts)}", runs)
        for accounts, runs in comparison.product_runs.items()
    ]
    rows += [_speed(contest.label, contest.peer_runs) for contest in comparison.contests]
    connections = comparison.contests[0].peer_runs[0].connections if comparison.contests else 0
    title = f"One row a request, {connections} connections" if connections else "One row a request"
    header = ["server", "requests/s", "range", "p50 ms", "p95 ms", "p99 ms", "not 200"]
    return Table(title, header, rows)


def _speed(name: str, runs: Sequence[Run]) -> list[str]:
    speeds = [run.requests_per_second for run in runs]
    latencies = [run.latency() for run in runs]
    return [
        name,
        f"{median(speeds):,.0f}",
        f"{min(speeds):,.0f} to {max(speeds):,.0f}",
        f"{median([each.p50_ms for each in latencies]):,.0f}",
        f"{median([each.p95_ms for each in latencies]):,.0f}",
        f"{median([each.p99_ms for each in latencies]):,.0f}",
        _not_200(runs),
    ]


def _not_200(runs: Sequence[Run]) -> str:
    counts: dict[str, int] = {}
    for run in runs:
        for status, count in run.other_statuses.items():
            counts[str(status)] = counts.get(str(status), 0) + count
        for name in ("socket_errors", "timeouts", "unsent"):
            if found := getattr(run, name):
                words = name.replace("_", " ")
                counts[words] = counts.get(words, 0) + found
    return ", ".join(f"{count:,} x {name}" for name, count in counts.items()) or "0"


def _latency(result: LatencyResult) -> Table:
    rows = [_latency_row(f"{PRODUCT}, one at a time, idle", [result.product_single])]
    if result.peer_single:
        rows.append(_latency_row(f"{PLAIN_PEER}, one at a time, idle", [result.peer_single]))
    rows.append(_latency_row(f"{PRODUCT}, half of the peak", result.product))
    if result.peer:
        rows.append(_latency_row(f"{PLAIN_PEER}, the same rate", result.peer))
    notes = [
        f"Half of the peak is {result.rate:,.0f} requests/s, at the same Poisson instants.",
        "Latency counts from the instant at which a request was meant to leave.",
        f"Idle: {SETTLE_SECONDS} s after the load before.",
    ]
    notes += [f"{PLAIN_PEER} is left out: {result.left_out}."] if result.left_out else []
    if result.p99_ratio is not None:
        notes.append(f"p99 over {PLAIN_PEER}'s, median of the rounds: {result.p99_ratio:.2f}.")
    header = ["load", "answered/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "not 200"]
    return Table("Latency", header, rows, notes)


def _latency_row(name: str, runs: Sequence[Run]) -> list[str]:
    latencies = [run.latency() for run in runs]
    return [
        name,
        f"{median([run.requests_per_second for run in runs]):,.0f}",
        *(
            f"{median([getattr(each, field) for each in latencies]):,.1f}"
            for field in ("p50_ms", "p95_ms", "p99_ms")
        ),
        f"{max(each.max_ms for each in latencies):,.1f}",
        _not_200(runs),
    ]


def _overload(result: OverloadResult) -> Table:
    run = result.overload
    admitted, refused = run.latency(), run.latency(TOO_MANY_REQUESTS)
    rows = [
        ["peak before, requests/s", f"{result.before.requests_per_second:,.0f}"],
        ["meant to be offered, requests/s", f"{result.intended_per_second:,.0f}"],
        [
            "offered, requests/s",
            f"{run.offered_per_second:,.0f} ({result.offered_times:.2f} peaks)",
        ],
        ["answered with 200, requests/s", f"{run.requests_per_second:,.0f}"],
        ["goodput over peak", f"{result.goodput_ratio:.2f}"],
        [
            "admitted: p50, p99, max ms",
            _milliseconds(admitted.p50_ms, admitted.p99_ms, admitted.max_ms),
        ],
        ["refused with 429", f"{refused.answers:,}"],
        [
            "refused: p50, p99, max ms",
            _milliseconds(refused.p50_ms, refused.p99_ms, refused.max_ms),
        ],
        [f"refused within {REFUSAL_MS_MAX:g} ms", f"{result.refused_in_time:.1%}"],
        ["429 without Retry-After", f"{run.refused_without_retry_after:,}"],
        ["neither 200 nor 429", _not_200([run])],
        *(
            [
                f"memory of {group}, MB: first, last, growth",
                _memory(values, result.memory.growth(group)),
            ]
            for group, values in result.memory.megabytes.items()
        ),
        ["requests/s after it, over the peak", f"{result.recovery_ratio:.2f}"],
    ]
    notes = [f"{run.connections} connections, {run.seconds:g} s, Poisson arrivals."]
    if result.rate_cut:
        notes.append("Three peaks are more than this generator can offer and still be trusted.")
    if not refused.answers:
        notes.append("Nothing was refused: the server let as many requests wait as there were.")
    if run.unsent:
        notes.append(
            f"{run.unsent:,} requests never found a free connection: "
            f"{result.offered_times:.2f} peaks were really offered."
        )
    return Table("Overload", ["", "measured"], rows, notes)


def _milliseconds(*values: float) -> str:
    return ", ".join(f"{value:,.0f}" for value in values)


def _memory(values: Sequence[float], grown: float) -> str:
    return f"{values[0]:,.0f}, {values[-1]:,.0f}, {grown:+.1%}"


def _bulk(result: BulkResult) -> Table:
    rows = [
        [
            "the model alone, one thread",
            MISSING,
            f"{result.in_process_rows_per_second:,.0f}",
            "1",
            "",
        ]
    ]
    rows += [
        [
            each.format_name,
            f"{each.request_bytes / 1024:,.0f}",
            f"{each.rows_per_second:,.0f}" if each.run else MISSING,
            f"{result.ratio(each):.2f}" if each.run else MISSING,
            f"{each.run.latency().p99_ms:,.0f}" if each.run else MISSING,
        ]
        for each in result.runs
    ]
    notes = [f"{each.format_name}: {each.refused}." for each in result.runs if each.refused]
    header = ["format", "KiB a request", "billed rows/s", "over one thread", "p99 ms"]
    return Table("Bulk: 1,024 rows a request", header, rows, notes)


def _growth(growth: dict[str, object]) -> Table:
    size = growth["size"]
    charges = f"{size['charges']:,}" if isinstance(size, dict) else MISSING
    rows = [[charges, f"{growth['ratio']:.2f}", f"{growth['goal']:g}"]]
    notes = [f"Measured at {growth['measured_at']} by `python -m ops.growth_bench`."]
    header = ["charges in the ledger", "rate over an empty one's", "goal"]
    return Table("Growth", header, rows, notes)


def _ceilings(report: Report) -> Table:
    rows = [
        [
            f"{each.connections}",
            f"{each.request_bytes:,}",
            f"{each.answer_bytes:,}",
            f"{each.requests_per_second:,.0f}",
            f"{each.allowed_per_second:,.0f}",
            f"{each.generator_us_per_request:.0f}",
        ]
        for each in report.ceilings
    ]
    header = [
        "connections",
        "request bytes",
        "answer bytes",
        "ceiling/s",
        "reported up to",
        "us CPU",
    ]
    notes = [
        "Against a server that does nothing, on the same cores. A run above the bound is refused."
    ]
    notes += [f"Money, {name}: {sums}." for name, sums in report.money.items()]
    return Table("What the load generator can do", header, rows, notes)


def _yes(reached: bool) -> str:  # one word for a cell
    return "yes" if reached else "no"
