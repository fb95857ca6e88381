"""The page of the benchmark: what is written by hand stays, the tables are replaced."""

from __future__ import annotations

from pathlib import Path

from loadtest.bench.report import Report
from loadtest.bench.tables import as_markdown
from loadtest.bench.tabulate import tabulate

PAGE = Path("docs/benchmarks.md")
PICTURE = Path("docs/benchmarks.png")
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


class PageBroken(Exception):
    """The page lacks one of its markers."""


def write_page(report: Report, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Put the report's tables between the markers of `page`."""
    page.write_text(replace_tables(page.read_text(), render(report, picture.name)))


def replace_tables(text: str, tables: str) -> str:
    """`text` with `tables` between its markers; raises PageBroken where one is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise PageBroken(f"the page needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables.strip()}\n\n{END}{after}"


def render(report: Report, picture: str) -> str:
    """The part of the page that is measured."""
    parts = [
        f"Measured at {report.measured_at} with `{report.command}`, on {report.machine}.",
        f"![Requests a second, ratios and latencies]({picture})",
        *(as_markdown(table) for table in tabulate(report)),
        "### Versions",
        "\n".join(
            f"- {name}: " + ", ".join(f"{package} {said}" for package, said in found.items())
            for name, found in report.versions.items()
        ),
    ]
    return "\n\n".join(part.strip() for part in parts)
