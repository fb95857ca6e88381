"""Our log lines, as JSON, go where Serve's own go: into the replica's log file."""

from __future__ import annotations

import logging
import traceback

import structlog
from structlog.typing import ExcInfo

_SERVE_LOGGER = "ray.serve"
"""What a replica prints is taken by Serve for INFO and dropped at the level we run it with."""


def configure_logs() -> None:
    """Called where a replica starts; an event, its fields and its traceback make one line."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_format_exception),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=lambda *_: logging.getLogger(_SERVE_LOGGER),
    )


def _format_exception(exc_info: ExcInfo) -> str:
    """structlog's own prints to a buffer, and Serve takes `print` for its own in a replica."""
    return "".join(traceback.format_exception(*exc_info))
