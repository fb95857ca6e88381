"""`farebox models`: publish models, try them on a share of traffic, promote and take back.

What needs the database is imported where it is used: see `farebox/entry.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from billing.credits import Credits
from farebox.amounts import parse_credits
from farebox.errors import FareboxError
from farebox.models_files import next_version, read_examples, read_features
from farebox.models_tables import golden_table, history_table, models_table, state_of
from models.changing import (
    end_canary,
    end_shadow,
    promote,
    restore,
    retire,
    roll_back,
    start_canary,
    start_shadow,
)
from models.checking import check_version, verify
from models.drafting import Draft, write_draft
from models.manifest import MANIFEST_FILE, Labels, Manifest
from models.publishing import publish
from models.registry import Catalog, artifact_folder, read_catalog, read_what_can_be
from models.rollout import Rollout
from models.rollout_file import replace_file
from models.signing import SIGNATURE_FILE, make_signature, read_private_key
from serve.settings import ServeSettings

models = typer.Typer(
    help=(
        "Models and their versions: list, publish, canary, shadow, promote, rollback.\n\n"
        "They work on the folder FAREBOX_MODELS_DIR, whether the product runs or not; one that "
        "runs follows within a second or two, without a restart and without a failed request."
    ),
    no_args_is_help=True,
)

out = Console(highlight=False, soft_wrap=True)

Name = Annotated[str, typer.Argument(help="Name of the model", metavar="NAME")]
Version = Annotated[str, typer.Argument(help="A version's number", metavar="VERSION")]


def _root() -> Path:
    return ServeSettings().models_dir


@models.command(name="list")
def list_command() -> None:
    """Every model and version, and who of them answers."""
    faults: list[str] = []
    root = _root()
    catalog = read_what_can_be(root, Catalog(()), lambda fault: faults.append(str(fault)))
    if catalog.manifests:
        out.print(models_table(catalog))
    else:
        out.print(f"no models in {root}; `farebox models publish` brings one", markup=False)
    for fault in faults:
        out.print(f"unreadable: {fault}", markup=False)


@models.command(name="show")
def show_command(
    name: Name,
    version: Annotated[
        str | None, typer.Argument(help="Left out: the champion", metavar="VERSION")
    ] = None,
) -> None:
    """One version in full: its card, where it lies, and the model's latest steps."""
    root = _root()
    catalog = read_catalog(root)
    rollout = catalog.rollout(name)
    manifest = catalog.look_up(name, version or rollout.champion)
    folder = artifact_folder(root, name, manifest.version)
    _tell(
        f"{name} {manifest.version} ({manifest.kind}), {state_of(manifest, rollout)}",
        f"  folder     {folder}",
        f"  features   {len(manifest.features)}: {', '.join(manifest.features[:5])}, ...",
        f"  labels     {manifest.labels.positive} from probability {manifest.threshold:g} on, "
        f"else {manifest.labels.negative}",
        f"  made       {manifest.created_at:%Y-%m-%d %H:%M} UTC",
        f"  sha256     {manifest.artifact.sha256} ({manifest.artifact.file})",
        f"  golden     {'yes' if manifest.golden else 'none'}",
        f"  signature  {'yes' if (folder / SIGNATURE_FILE).exists() else 'none'}",
    )
    for split in manifest.metrics.values():
        _tell(f"  {split.about}: macro F1 {split.f1_macro.mean}, Brier {split.brier.mean}")
    if rollout.history:
        out.print(history_table(rollout))


@models.command(name="draft")
def draft_command(
    model_file: Annotated[Path, typer.Argument(help="LightGBM's text format, or ONNX")],
    *,
    name: Annotated[str, typer.Option(help="What requests call it: lower case, digits, hyphens")],
    positive: Annotated[str, typer.Option(help="The word for class 1")],
    negative: Annotated[str, typer.Option(help="The word for class 0")],
    threshold: Annotated[
        float, typer.Option(help="From this probability on it is the positive one", min=0, max=1)
    ],
    examples: Annotated[
        Path,
        typer.Option(
            help="JSON list of instances, each a list of feature names or of zeros and ones; "
            "what the model answers to them is kept and must come out again at each publish"
        ),
    ],
    features: Annotated[
        Path | None,
        typer.Option(help="Names of the columns, one a line or a JSON list; else from the file"),
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Left out: one more than the newest published", min=1)
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where to write; left out: ./NAME-VERSION")
    ] = None,
) -> None:
    """Make a folder ready to publish from a model file; no manifest is written by hand.

    Look at the answers it prints: if they are the wrong way round, so are your classes.
    """
    number = str(version) if version else next_version(_root(), name)
    target = folder or Path(f"{name}-{number}")
    if target.exists():
        raise FareboxError(f"{target} exists: name another folder by --out, or remove it")
    draft = Draft(
        name,
        number,
        Labels(negative=negative, positive=positive),
        threshold,
        read_features(features) if features else None,
    )
    now = datetime.now(UTC).replace(microsecond=0)
    manifest = write_draft(model_file, target, draft, read_examples(examples), now)
    out.print(golden_table(target, manifest))
    _tell(f"wrote {target}; next: farebox models publish {target}")


@models.command(name="publish")
def publish_command(
    folder: Annotated[Path, typer.Argument(help="Holds manifest.json and what it names")],
    credits_each: Annotated[
        str | None,
        typer.Option("--credits", help="Price of an instance of this version, such as 0.5"),
    ] = None,
) -> None:
    """Check a version and put it into the registry; then it never changes.

    Manifest, checksums, signature, features and golden answers are checked. The first version of a
    model answers at once; a later one waits for `canary`, `shadow` or `promote`.
    """
    root = _root()
    if credits_each is not None:
        amount = parse_credits(credits_each)
        manifest = check_version(folder)
        _set_price(manifest, amount)
    manifest = publish(root, folder)
    rollout = read_what_can_be(root, Catalog(()), lambda _: None).rollout(manifest.name)
    _tell(f"{manifest.name} {manifest.version} is published, {state_of(manifest, rollout)}")
    if credits_each is not None:
        _tell(f"an instance costs {amount} credits")
    if rollout.champion != manifest.version:
        _tell(f"next: farebox models shadow|canary|promote {manifest.name} {manifest.version}")


@models.command(name="promote")
def promote_command(name: Name, version: Version) -> None:
    """Make a version the champion: it answers every request that names no version.

    The champion before it is kept for `rollback`. A trial of this version ends; one of another
    version goes on.
    """
    _tell_rollout(name, promote(_root(), name, version))


@models.command(name="canary")
def canary_command(
    name: Name,
    version: Annotated[
        str | None, typer.Argument(help="The challenger's number", metavar="VERSION")
    ] = None,
    percent: Annotated[
        int | None, typer.Option(help="Share of accounts it answers", min=1, max=100)
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="The champion answers everyone")] = False,
) -> None:
    """Let a challenger answer a share of accounts, the same ones each time.

    A larger share keeps the accounts of the smaller one. What it answers is charged by its price.
    """
    if stop in (version is not None, percent is not None):
        raise typer.BadParameter("name VERSION and --percent, or --stop")
    if version is not None and percent is not None:
        _tell_rollout(name, start_canary(_root(), name, version, percent))
    else:
        _tell_rollout(name, end_canary(_root(), name))


@models.command(name="shadow")
def shadow_command(
    name: Name,
    version: Annotated[
        str | None, typer.Argument(help="The challenger's number", metavar="VERSION")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Score with the champion alone")] = False,
) -> None:
    """Let a challenger score what the champion answers; nobody sees or pays for it.

    How far the two differ is recorded, for you to read before you promote.
    """
    if stop == (version is not None):
        raise typer.BadParameter("name VERSION, or --stop")
    root = _root()
    if version is not None:
        _tell_rollout(name, start_shadow(root, name, version))
    else:
        _tell_rollout(name, end_shadow(root, name))


@models.command(name="differences")
def differences_command(
    name: Annotated[
        str | None, typer.Argument(help="Name of the model; left out: all", metavar="NAME")
    ] = None,
    days: Annotated[
        int, typer.Option(help="How many days back, today included (UTC)", min=1, max=366)
    ] = 7,
) -> None:
    """How far challengers in the shadow were from their champions, day by day.

    Differences are those of the probabilities, in absolute value; labels differ where each by its
    own threshold says another. Replicas store what they found every 10 s.
    """
    import_module("farebox.shadow_commands").tell_differences(name, days)


@models.command(name="rollback")
def rollback_command(name: Name) -> None:
    """Bring back the champion before this one, for everyone; a canary or shadow ends too.

    To end a canary alone: `farebox models canary NAME --stop`.
    """
    _tell_rollout(name, roll_back(_root(), name))


@models.command(name="retire")
def retire_command(
    name: Name,
    version: Version,
    undo: Annotated[bool, typer.Option("--undo", help="Serve it again")] = False,
) -> None:
    """Refuse requests for a version from now on; files and past predictions stay.

    The champion and a version on trial cannot be retired.
    """
    _tell_rollout(name, (restore if undo else retire)(_root(), name, version))


@models.command(name="verify")
def verify_command() -> None:
    """Check every version anew: manifest, checksums, signature, golden answers. Exit code 1 if not.

    Run it after copying or restoring the folder, and after raising a library.
    """
    failed = 0
    for verdict in verify(_root()):
        if verdict.fault is not None:
            failed += 1
            _tell(f"FAULT  {verdict.subject}: {verdict.fault}")
        else:
            _tell(f"ok     {verdict.subject}{'' if verdict.has_golden else ' (no golden answers)'}")
    if failed:
        raise typer.Exit(1)


@models.command(name="sign")
def sign_command(
    folder: Annotated[Path, typer.Argument(help="A version's folder, drafted or published")],
    key: Annotated[Path, typer.Option(help="Ed25519 private key, PEM, without a passphrase")],
) -> None:
    """Sign a version; with FAREBOX_MODELS_PUBLIC_KEY set, nothing unsigned is published or loaded.

    Make the keys once: openssl genpkey -algorithm ed25519 -out private.pem, then
    openssl pkey -in private.pem -pubout -out public.pem. Keep the private one off the servers.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise FareboxError(f"{path} is not there to be signed")
    replace_file(folder / SIGNATURE_FILE, make_signature(read_private_key(key), path.read_bytes()))
    _tell(f"signed {folder}")


def _set_price(manifest: Manifest, amount: Credits) -> None:
    """Before it is published, so that nobody scores at another price in between."""
    import_module("farebox.version_price").set_version_price(manifest, amount)


def _tell_rollout(name: str, rollout: Rollout) -> None:
    trial = []
    if rollout.canary_percent:
        trial.append(f"answers {rollout.canary_percent} % of accounts")
    if rollout.shadow:
        trial.append("scores in the shadow")
    said = f"; {rollout.challenger} {' and '.join(trial)}" if trial else ""
    gone = f"; retired: {', '.join(rollout.retired)}" if rollout.retired else ""
    _tell(f"{name}: {rollout.champion} is the champion{said}{gone}")


def _tell(*lines: str) -> None:
    for line in lines:
        out.print(line, markup=False)
