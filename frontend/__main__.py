"""`python -m frontend`: serve the console until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os

import structlog
import uvicorn

from frontend.settings import ConsoleSettings


def main() -> None:
    """Run by `farebox up` and `farebox console`, in a process of its own."""
    configure_logs()
    settings = ConsoleSettings()
    if settings.work_dir:
        os.environ.setdefault("GRADIO_TEMP_DIR", str(settings.work_dir / "uploads"))
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Gradio reads its variables when it is imported.
    from frontend.application import build_application  # noqa: PLC0415

    uvicorn.run(
        build_application(settings),
        host=settings.host,
        port=settings.port,
        forwarded_allow_ips=settings.trusted_proxies,
        log_level="warning",
        access_log=False,
    )


def configure_logs() -> None:
    """An event a line. Tracebacks without the values of variables, which structlog would show:
    sessions, new keys and e-mails are among them."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )


if __name__ == "__main__":
    main()
