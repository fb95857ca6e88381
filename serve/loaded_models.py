"""The model versions that a scorer holds: loaded when published, dropped some time after retiring.

Loading happens in a thread, so batches of other versions go on. A version that cannot be loaded is
tried again every few seconds, and harms no other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import structlog

from models.errors import ManifestInvalid, ModelError
from models.loading import load_model
from models.manifest import Manifest
from models.prediction import Model
from models.watching import CatalogWatch
from serve.catalog_keeper import POLL_SECONDS

RETRY_SECONDS = 5.0
"""Between two tries to load a version that failed: on a shared volume it may arrive late."""
GRACE_SECONDS = 60.0
"""A retired version is held for so long: validators may not know yet, jobs may still wait."""

Key: TypeAlias = tuple[str, str]
"""A model's name and version."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    until_seconds: float


class LoadedModels:
    """Every version that can be asked, and those that could be a moment ago."""

    def __init__(self, root: Path, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        """Load all there is. Raises a ModelError where none can be loaded."""
        self._root = root
        self._clock_seconds = clock_seconds
        self._watch = CatalogWatch(root)
        self._polling = asyncio.Lock()
        self._models: dict[Key, Model] = {}
        self._failures: dict[Key, _Failure] = {}
        self._loading: dict[Key, asyncio.Task[None]] = {}
        self._leaves_at: dict[Key, float] = {}
        self._load_all()

    def __contains__(self, key: Key) -> bool:
        return key in self._models

    def __getitem__(self, key: Key) -> Model:
        return self._models[key]

    async def fetch(self, model: str, version: str) -> bool:
        """Have the version loaded, at once where it is not; False where it cannot be."""
        key = (model, version)
        if key in self._models:
            return True
        if key not in self._loading:
            failure = self._failures.get(key)
            if failure is not None and self._clock_seconds() < failure.until_seconds:
                return False
            task = asyncio.get_running_loop().create_task(self._load(key))
            self._loading[key] = task
            task.add_done_callback(lambda _: self._loading.pop(key))
        # Others may wait for the same: who goes away does not end it.
        await asyncio.shield(self._loading[key])
        return key in self._models

    async def keep_current(self) -> None:
        """Follow the folder until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.refresh()
            except Exception:
                logger.exception("models_not_refreshed")

    async def refresh(self) -> None:
        """Load what is new, drop what has been retired for long enough."""
        await self._poll()
        served = {(one.name, one.version) for one in self._watch.catalog.served}
        for key in sorted(served):
            await self.fetch(*key)
        self._drop(served)

    async def _poll(self) -> None:
        async with self._polling:
            await asyncio.to_thread(self._watch.poll)

    async def _load(self, key: Key) -> None:
        try:
            manifest = await self._find_manifest(key)
            model = await asyncio.to_thread(load_model, self._root, manifest)
        except ModelError as error:
            self._note_failure(key, f"{error.code}: {error}")
        except Exception as error:
            logger.exception("model_load_failed", model=key[0], version=key[1])
            self._note_failure(key, repr(error))
        else:
            self._failures.pop(key, None)
            self._models[key] = model

    async def _find_manifest(self, key: Key) -> Manifest:
        try:
            return self._watch.catalog.look_up(*key)
        except ModelError:
            await self._poll()  # whoever asks may have looked a moment later than we did
            return self._watch.catalog.look_up(*key)

    def _note_failure(self, key: Key, reason: str) -> None:
        known = self._failures.get(key)
        if known is None or known.reason != reason:
            logger.error("model_not_loaded", model=key[0], version=key[1], reason=reason[:500])
        self._failures[key] = _Failure(reason, self._clock_seconds() + RETRY_SECONDS)

    def _drop(self, served: set[Key]) -> None:
        now = self._clock_seconds()
        for key in list(self._models):
            if key in served:
                self._leaves_at.pop(key, None)
            elif now >= self._leaves_at.setdefault(key, now + GRACE_SECONDS):
                del self._models[key], self._leaves_at[key]
        for key in self._failures.keys() - served:
            if now >= self._failures[key].until_seconds:
                del self._failures[key]

    def _load_all(self) -> None:
        _import_libraries()
        first_fault: ModelError | None = None
        for manifest in self._watch.catalog.served:
            key = (manifest.name, manifest.version)
            try:
                self._models[key] = load_model(self._root, manifest)
            except ModelError as error:
                self._note_failure(key, f"{error.code}: {error}")
                first_fault = first_fault or error
        if not self._models:
            raise first_fault or ManifestInvalid(f"there is no model in {self._root}")


def _import_libraries() -> None:
    """Those of every kind: done later, for the first model of a kind, it stalls batches for 80 ms.

    Where one is missing, loading a model of its kind says so.
    """
    for name in ("lightgbm", "onnxruntime"):
        with suppress(ImportError, OSError):
            import_module(name)
