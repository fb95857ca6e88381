"""MLServer's settings, which it reads from files; the model is served by its LightGBM runtime."""

from __future__ import annotations

import json
from pathlib import Path

MODEL_NAME = "android-malware"
BATCH_ROWS_MAX = 64
BATCH_WAIT_SECONDS = 0.005
PARALLEL_WORKERS = 0
"""With a worker or two beside it, the REST process still parses every request itself, and sending
them on to the worker costs it more than the prediction does."""


def write_repository(folder: Path, port: int, model: Path) -> Path:
    """Write settings.json and model-settings.json; returns the folder to start MLServer on."""
    repository = folder / "repository"
    repository.mkdir()
    (repository / "settings.json").write_text(json.dumps(server_settings(port)))
    (repository / "model-settings.json").write_text(json.dumps(model_settings(model)))
    return repository


def server_settings(port: int) -> dict[str, object]:
    """Without `debug` there is no access log; without an endpoint there is no metrics server."""
    return {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "debug": False,
        "metrics_endpoint": None,
        "gzip_enabled": False,
        "parallel_workers": PARALLEL_WORKERS,
    }


def model_settings(model: Path) -> dict[str, object]:
    """The runtime reads LightGBM's text format whatever the file is called."""
    return {
        "name": MODEL_NAME,
        "implementation": "mlserver_lightgbm.LightGBMModel",
        "parameters": {"uri": str(model)},
        "max_batch_size": BATCH_ROWS_MAX,
        "max_batch_time": BATCH_WAIT_SECONDS,
    }
