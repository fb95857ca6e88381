"""`python -m frontend`: serve the console until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os

import uvicorn

from frontend.settings import ConsoleSettings


def main() -> None:
    """Run by `farebox up` and `farebox console`, in a process of its own."""
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


if __name__ == "__main__":
    main()
