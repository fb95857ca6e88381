"""The `farebox` command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console

from billing.accounts import create_key, revoke_key
from billing.audit.actions import COMMAND_LINE
from billing.database import Database
from billing.keys import parse_key
from billing.migrate import migrate
from billing.prices import Operation, Price, set_price
from billing.reconcile import Report
from billing.reconciliations.actions import reconcile_and_keep
from billing.reconciliations.values import Source
from billing.reports.rebuilding import rebuild
from billing.retention import prune_answers
from billing.settings import BillingSettings
from billing.users.passwords import Passwords
from billing.users.roles import promote_admin
from billing.users.signing_up import create_admin
from billing.users.values import check_new_password, normalise_email
from farebox.amounts import parse_credits as _parse_credits
from farebox.client import ScoringClient
from farebox.console import become_console
from farebox.demo import Demo
from farebox.deployment import Deployment, load_serve_config
from farebox.drift_commands import drift_command
from farebox.entry import run
from farebox.errors import FareboxError
from farebox.home import Home
from farebox.models_commands import models
from farebox.ports import check_free
from farebox.product import run_product
from farebox.ray_node import PAYMENT_PROVIDER, TEST_PROVIDER
from farebox.reasons import describe_answer
from farebox.running import RunningProduct, end_leftovers, is_running
from farebox.settings import ProductSettings
from farebox.store import billing_settings, postgres_url
from farebox.store import with_database as _with_database
from farebox.training_commands import add_commands as add_training_commands
from serve.accounts.settings import AccountsSettings

app = typer.Typer(
    help="Machine-learning predictions on Ray Serve, charged to prepaid credits exactly once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
keys = typer.Typer(help="API keys and the accounts behind them.", no_args_is_help=True)
prices = typer.Typer(help="What an instance costs.", no_args_is_help=True)
admin = typer.Typer(help="Who may give roles.", no_args_is_help=True)
app.add_typer(admin, name="admin")
app.add_typer(keys, name="keys")
reports = typer.Typer(help="The sums that reports read.", no_args_is_help=True)
app.add_typer(prices, name="prices")
app.add_typer(reports, name="reports")
app.add_typer(models, name="models")
app.command(name="drift")(drift_command)
add_training_commands(app)

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_STOP_SECONDS = 60


@app.command()
def up() -> None:
    """Start everything on this machine and stay until Ctrl-C; then end all of it."""
    started = time.monotonic()

    def tell(line: str) -> None:
        out.print(f"[dim]{time.monotonic() - started:6.1f} s[/]  {line}")

    def ready(demo: Demo) -> None:
        tell("[bold green]ready[/]")
        _print_demo(demo, ProductSettings())

    run_product(Home.from_environment(), ProductSettings(), tell, ready)


@app.command()
def down() -> None:
    """End a product started with `up`, also one whose `up` was killed."""
    home = Home.from_environment()
    running = RunningProduct.read(home)
    if running and is_running(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            owner = psutil.Process(running.pid)
            owner.terminate()
            psutil.wait_procs([owner], _STOP_SECONDS)
    left = end_leftovers(home)
    out.print("stopped" if running or left else "nothing was running")


@app.command()
def console(
    server: Annotated[
        str | None,
        typer.Option(
            help="URL of the API; left out: the product that runs here",
            envvar="FAREBOX_CONSOLE_SERVER_URL",
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            help="Where the console listens", envvar="FAREBOX_CONSOLE_PORT", min=1, max=65_535
        ),
    ] = 7860,
    host: Annotated[
        str,
        typer.Option(
            help="Address it binds; any but loopback needs TLS in front",
            envvar="FAREBOX_CONSOLE_HOST",
        ),
    ] = "127.0.0.1",
) -> None:
    """Serve the web console of any server, until Ctrl-C; `up` starts one by itself."""
    home = Home.from_environment()
    home.create()
    running = RunningProduct.read(home)
    server_url = server or (running.base_url if running else ProductSettings().base_url)
    check_free({"the web console (--port)": port})
    err.print(f"the console of {server_url} comes up at http://{host}:{port}")
    become_console(home, server_url, port, host)


@app.command()
def score(
    features: Annotated[
        list[str] | None, typer.Argument(help="Names of the features that are present in one app")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="A JSON file with a list of instances; - for standard input"),
    ] = None,
    model: Annotated[str, typer.Option(help="Which model")] = "android-malware",
    idempotency_key: Annotated[
        str | None, typer.Option(help="Makes it safe to run the same command again")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print what contributed to each; paid beside it")
    ] = False,
) -> None:
    """Score apps on the running product, at the demo account's or your own key's expense."""
    if bool(features) == bool(file):
        raise typer.BadParameter("name features, or give --file; not both")
    instances = _read_instances(file) if file else [features]
    client = ScoringClient.from_environment(Home.from_environment())
    answer = client.score(model, instances, idempotency_key, explain=explain)
    if explain:
        out.print("\n".join(describe_answer(answer)), markup=False)
    else:
        out.print_json(data=answer)


@app.command(name="reconcile")
def reconcile_command() -> None:
    """Check the whole ledger and keep the verdict; exit code 1 when any rule is broken."""

    async def check(database: Database, _settings: BillingSettings) -> Report:
        return await reconcile_and_keep(database, Source.CLI, datetime.now(UTC))

    report = _with_database(check)
    out.print("checked " + ", ".join(f"{count} {table}" for table, count in report.rows.items()))
    for rule in report.rules:
        out.print(f"  {rule}")
    for breach in report.breaches:
        err.print(f"[bold red]breach[/] {breach.rule}: {breach.count}")
        for example in breach.examples:
            err.print(f"    {example}")
    if not report.is_clean:
        raise typer.Exit(1)
    out.print("the ledger is clean")


@app.command()
def prune(
    hours: Annotated[
        int | None,
        typer.Option(help="Older than this; left out: FAREBOX_ANSWER_RETENTION_HOURS", min=1),
    ] = None,
) -> None:
    """Remove stored answers; a retry of a pruned one gets 410, and never pays again."""

    async def remove(database: Database, settings: BillingSettings) -> int:
        older_than = timedelta(hours=hours or settings.answer_retention_hours)
        return await prune_answers(database, older_than)

    out.print(f"removed {_with_database(remove)} stored answers")


@app.command(name="migrate")
def migrate_command() -> None:
    """Bring the database's schema up to date."""
    home = Home.from_environment()
    with postgres_url(home) as url:
        asyncio.run(migrate(billing_settings(home, url).database_url))
    out.print("the schema is up to date")


@app.command()
def deploy(
    dashboard_url: Annotated[
        str, typer.Option(help="Ray's dashboard on the head")
    ] = "http://127.0.0.1:8265",
    host: Annotated[
        str, typer.Option(help="Address the API binds on each node; 0.0.0.0 for all")
    ] = "127.0.0.1",
) -> None:
    """Hand the Serve config to a running Ray cluster and wait until its applications run."""
    settings = ProductSettings()
    config = load_serve_config(settings)
    config["http_options"]["host"] = host
    deployment = Deployment(dashboard_url, time.monotonic() + settings.start_seconds)
    deployment.wait_for_dashboard()
    deployment.deploy(config)
    deployment.wait_until_running(out.print)
    out.print("the applications run")


@reports.command(name="rebuild")
def rebuild_reports_command() -> None:
    """Add up every entry again: after restoring a dump, or where a report is doubted."""

    async def make_anew(database: Database, settings: BillingSettings) -> int:
        return await rebuild(settings.database_url, database)

    out.print(f"added up {_with_database(make_anew)} entries")


@keys.command(name="create")
def create_key_command(
    account: Annotated[str, typer.Option(help="Name of the account; made if it is new")],
    credits_granted: Annotated[
        str, typer.Option("--credits", help="Credits to grant, such as 100 or 0.5")
    ] = "0",
) -> None:
    """Print a fresh API key. It is shown this once and stored as a keyed hash."""
    granted = _parse_credits(credits_granted)

    async def create(database: Database, settings: BillingSettings) -> str:
        created = await create_key(database, settings.key_hash_secret, account, granted)
        return created.api_key.reveal()

    key = _with_database(create)
    err.print(f"account {account}: granted {granted} credits; the key is shown this once:")
    out.print(key)


@keys.command(name="revoke")
def revoke_key_command(
    key_id: Annotated[str, typer.Argument(help="The public part of the key, or the whole key")],
) -> None:
    """Revoke an API key; every replica refuses it within a second."""

    async def revoke(database: Database, _settings: BillingSettings) -> bool:
        return await revoke_key(database, public_part)

    whole_key = parse_key(key_id)
    public_part = whole_key.id if whole_key else key_id
    if not _with_database(revoke):
        raise FareboxError(f"there is no live key {public_part}")
    out.print("revoked")


@prices.command(name="set")
def set_price_command(
    model: Annotated[str, typer.Argument(help="Name of the model")],
    credits_each: Annotated[
        str, typer.Option("--credits", help="Credits for one instance, such as 1 or 0.5")
    ],
    version: Annotated[str | None, typer.Option(help="This version alone")] = None,
    operation: Annotated[
        Operation, typer.Option(help="An explanation is paid beside its prediction")
    ] = Operation.PREDICT,
    effective_from: Annotated[
        str | None, typer.Option("--from", help="When, such as 2030-01-31T12:00 (UTC); now")
    ] = None,
) -> None:
    """Set the price of an instance from then on; requests already admitted keep theirs."""
    amount = _parse_credits(credits_each)
    moment = _parse_moment(effective_from) if effective_from else datetime.now(UTC)

    async def store(database: Database, _settings: BillingSettings) -> None:
        await set_price(database, Price(model, version, amount, moment, operation), COMMAND_LINE)

    _with_database(store)
    since = f" from {moment:%Y-%m-%d %H:%M:%S} UTC" if effective_from else ""
    which = "" if operation is Operation.PREDICT else f" to {operation}"
    out.print(f"{model} {version or '(all versions)'}: {amount} credits an instance{which}{since}")


@admin.command(name="create")
def create_admin_command(
    email: Annotated[str, typer.Option(help="Whom to make an admin")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input")
    ] = False,
) -> None:
    """Make a user with the role admin, or give it to one who exists and keeps their password."""
    try:
        address = normalise_email(email)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if _with_database(lambda database, _settings: promote_admin(database, address)):
        out.print(f"{address} is an admin; the password is as it was")
        return
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask_password()
    check_new_password(password, address)

    async def create(database: Database, _settings: BillingSettings) -> None:
        new_hash = await Passwords(AccountsSettings().hash_cost).hash(password)
        now = datetime.now(UTC)
        await create_admin(database, address, new_hash, actor=COMMAND_LINE, now=now)

    _with_database(create)
    out.print(f"{address} is an admin and can sign in")


def _ask_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _parse_moment(text: str) -> datetime:
    """A time to come; UTC unless it names an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2030-01-31T12:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < datetime.now(UTC):
        raise typer.BadParameter("the past has its prices: name a time to come")
    return moment.astimezone(UTC)


def _read_instances(path: Path) -> list[Any]:
    try:
        instances: list[Any] = json.loads(
            sys.stdin.read() if str(path) == "-" else path.read_text()
        )
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise typer.BadParameter(f"{path} is not JSON: {error}") from None
    return instances


def _print_demo(demo: Demo, settings: ProductSettings) -> None:
    if settings.console_url:
        out.print(f"\n  Console    {settings.console_url}   (the web page: sign up, check apps)")
    out.print(f"  API        {demo.base_url}   (documentation: {demo.base_url}/docs)")
    out.print(f"  Accounts   {demo.base_url}/accounts/docs   (sign-up, credits, keys, history)")
    out.print(f"  API key    {demo.api_key}   (the demo account's)")
    out.print(
        f"  gRPC       {settings.grpc_target}   (Open Inference Protocol, application: scoring)"
    )
    out.print(f"  Dashboard  {settings.dashboard_url}")
    out.print(f"\n  Score an app:\n\n{demo.curl}\n")
    if os.environ.get(PAYMENT_PROVIDER, TEST_PROVIDER) == TEST_PROVIDER:
        out.print(f"  Top-ups go through the test provider: no money moves ({PAYMENT_PROVIDER}).")
    out.print("  Ctrl-C stops everything; accounts and history are kept.")


def main() -> None:
    """Run whichever command the arguments name."""
    run(app)
