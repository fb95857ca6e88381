"""The entry point: imports no more than the command that was asked for needs.

PostgreSQL's client and the settings of everything take 2 s of processor time to import, three
quarters of a start, and longer on a busy machine. Commands on models need none of it, and who
takes a bad model back does so on a busy machine.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer
from rich.console import Console
from rich.markup import escape

from billing.errors import BillingError
from farebox.errors import FareboxError
from models.errors import ModelError


def main() -> None:
    """Run the command that the arguments name."""
    run(_models_alone() if sys.argv[1:2] == ["models"] else import_module("farebox.cli").app)


def run(app: typer.Typer) -> None:
    """Errors that a person can mend are printed without a traceback; exit code 1 then."""
    try:
        app()
    except (FareboxError, BillingError, ModelError) as error:
        err = Console(stderr=True, highlight=False, soft_wrap=True)
        err.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(1)


def _models_alone() -> typer.Typer:
    """The group as it stands in the whole command line."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    app.add_typer(import_module("farebox.models_commands").models, name="models")
    return app
