"""`rollout.json`: the one file of a model that changes, and the lock of those who change it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from models.errors import RegistryBusy, RolloutInvalid
from models.manifest import describe_faults
from models.rollout import Rollout

ROLLOUT_FILE = "rollout.json"
LOCK_FILE = ".lock"
LOCK_WAIT_SECONDS = 30.0
_LOCK_PAUSE_SECONDS = 0.05

_ROLLOUT = TypeAdapter(Rollout)


def read_rollout(folder: Path, existing: Collection[str]) -> Rollout | None:
    """The rollout of the model in `folder`; None where it was never decided.

    Raises RolloutInvalid, also where champion or challenger are not among the `existing` versions.
    """
    path = folder / ROLLOUT_FILE
    try:
        rollout = _ROLLOUT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RolloutInvalid(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise RolloutInvalid(f"{path}: {describe_faults(error)}") from error
    missing = sorted(rollout.in_use - set(existing))
    if missing:
        raise RolloutInvalid(f"{path}: version {', '.join(missing)} does not exist")
    return rollout


def write_rollout(folder: Path, rollout: Rollout) -> None:
    """Replace the rollout of the model in `folder`; whoever reads sees the old one or the new."""
    text = _ROLLOUT.dump_json(rollout, indent=1, exclude_none=True)
    replace_file(folder / ROLLOUT_FILE, text + b"\n")


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` durably and all at once."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created or renamed in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def registry_lock(root: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Keep other writers out of `root`; readers need no lock. Raises RegistryBusy."""
    deadline = time.monotonic() + wait_seconds
    with (root / LOCK_FILE).open("ab") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise RegistryBusy(f"another command holds {root / LOCK_FILE}; try again")
            time.sleep(_LOCK_PAUSE_SECONDS)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
