"""Tables of a report, for the console and for a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, rows of text, and what must be said beside them."""

    title: str
    header: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


def print_table(table: Table, console: Console) -> None:
    """For people at a console."""
    rich = RichTable(title=table.title, title_justify="left")
    for n, name in enumerate(table.header):
        rich.add_column(name, justify="left" if n == 0 else "right")
    for row in table.rows:
        rich.add_row(*row)
    console.print(rich)
    for note in table.notes:
        console.print(note, soft_wrap=True, markup=False)


def as_markdown(table: Table) -> str:
    """For a page."""
    rule = ["---", *["---:"] * (len(table.header) - 1)]
    lines = ["| " + " | ".join(cells) + " |" for cells in (table.header, rule, *table.rows)]
    notes = ["", *(f"- {note}" for note in table.notes)] if table.notes else []
    return "\n".join([f"### {table.title}", "", *lines, *notes]) + "\n"
