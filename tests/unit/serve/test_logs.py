"""Log lines reach Serve's logger, whatever is printed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from serve.logs import configure_logs


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    configure_logs()
    yield
    structlog.reset_defaults()


def test_an_event_is_one_line_of_json_with_its_traceback() -> None:
    lines: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    serves = logging.getLogger("ray.serve")
    serves.addHandler(handler)
    try:
        int("broken")
    except ValueError:
        structlog.get_logger("serve.somewhere").exception("chore_failed", chore="rollups")
    finally:
        serves.removeHandler(handler)
    [event] = map(json.loads, lines)
    assert (event["event"], event["chore"], event["level"]) == ("chore_failed", "rollups", "error")
    assert "ValueError: invalid literal" in event["exception"]
