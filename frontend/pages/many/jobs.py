"""A job: the good rows of a file, bought in parts by keys that follow from what is bought.

The same file, model and version give the same keys. So whatever breaks, pressing the button again
fetches what was paid and pays for the rest, even where nothing here remembers that there was a job.

What is remembered lies in the account's own folder: the model and version of the first try, which
must stay, and which parts were sent and answered, so that the price of the rest can be told. A
file serves better than the browser's storage: it is there in another browser too, and is removed
with the results after as long as the server keeps its answers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from frontend.pages.many.uploads import Upload
from frontend.pages.many.values import Values
from frontend.results import ResultFiles

PART_ROWS_MAX = 1024
"""Of one request, as the API takes them."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one request; `start` counts good rows only."""

    index: int
    start: int
    rows: int
    body: bytes = field(repr=False)

    def key(self, sha256: str, model: str, version: str, round_: int) -> str:
        """The Idempotency-Key. `round_`: how often its answers were removed since it was paid."""
        told = f"{sha256} {model} {version} {self.index} {round_} ".encode()
        return f"console-many-{hashlib.sha256(told + self.body).hexdigest()[:40]}"


def cut_parts(packed: Values) -> list[Part]:
    """Rows of bits as requests."""
    starts = range(0, len(packed), PART_ROWS_MAX)
    bodies = [packed[start : start + PART_ROWS_MAX] for start in starts]
    return [
        Part(index, start, len(body), body.tobytes())
        for index, (start, body) in enumerate(zip(starts, bodies, strict=True))
    ]


@dataclass(slots=True)
class JobNotes:
    """What is remembered of a job that was begun."""

    path: Path = field(repr=False)
    model: str
    version: str
    began_at: str
    sent: set[int] = field(default_factory=set)
    """Parts that may have been paid, though no answer came."""
    answered: set[int] = field(default_factory=set)

    def save(self) -> None:
        """Whole or not at all."""
        content = {
            "model": self.model,
            "version": self.version,
            "began_at": self.began_at,
            "sent": sorted(self.sent),
            "answered": sorted(self.answered),
        }
        written = self.path.with_suffix(".part")
        written.write_text(json.dumps(content), encoding="utf-8")
        written.replace(self.path)

    def due_rows(self, parts: Sequence[Part]) -> tuple[int, int]:
        """Rows that cost something at most, and those that do for certain."""
        most = sum(part.rows for part in parts if part.index not in self.answered)
        known = self.answered | self.sent
        return most, sum(part.rows for part in parts if part.index not in known)


def find_notes(files: ResultFiles, account_id: str, upload: Upload) -> JobNotes | None:
    """Of the job that was begun with this file, where one was."""
    path = files.find(account_id, _name(upload))
    if path is None:
        return None
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return JobNotes(
            path,
            read["model"],
            read["version"],
            read["began_at"],
            set(read["sent"]),
            set(read["answered"]),
        )
    except (ValueError, KeyError, OSError):
        return None


def begin_notes(
    files: ResultFiles, account_id: str, upload: Upload, model: str, version: str
) -> JobNotes:
    """The notes of this file's job with that version: those there are, or new ones."""
    found = find_notes(files, account_id, upload)
    if found and (found.model, found.version) == (model, version):
        return found
    path = files.place(account_id, _name(upload))
    notes = JobNotes(path, model, version, datetime.now(UTC).isoformat())
    notes.save()
    return notes


def _name(upload: Upload) -> str:
    return f"job-{upload.sha256[:32]}.json"
