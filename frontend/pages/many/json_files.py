"""Request bodies of `POST /v1/predictions`: names, objects or all values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from frontend.pages.many.collector import RowCollector
from frontend.pages.many.faults import FileRefused, shorten


def read_json(path: Path, collector: RowCollector) -> None:
    """All instances into the collector."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileRefused("unreadable", why=shorten(str(error))) from error
    rows = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise FileRefused("no_instances")
    collector.check_count(len(rows))
    for row in rows:
        _add(row, collector)


def _add(row: Any, collector: RowCollector) -> None:  # noqa: ANN401 - JSON
    if isinstance(row, dict):
        collector.add_objects([row])
    elif isinstance(row, list) and all(isinstance(name, str) for name in row):
        collector.add_names([row], "")
    elif isinstance(row, list):
        collector.add_dense([row])
    else:
        collector.add_shapeless(row)
