"""What one run of the generator saw, and how it is told to the process that started it."""

from __future__ import annotations

import base64
import json
import sys
from array import array
from typing import Any

SAMPLES_MAX = 3
SAMPLE_BYTES_MAX = 300


class Record:
    """Counts and latencies. Filled on the hot path: plain attributes, one array a status."""

    def __init__(self) -> None:
        self.sent = 0
        self.sent_in_time = 0
        self.in_time_200 = 0
        self.wrong = 0
        self.wrong_samples: list[str] = []
        self.refused_without_retry_after = 0
        self.socket_errors = 0
        self.timeouts = 0
        self.reconnects = 0
        self.unsent = 0
        self.milliseconds: dict[int, array[float]] = {}
        self.lag_milliseconds = array("f")
        """How late the generator itself came to each request of an open loop."""
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def latency(self, status: int, seconds: float) -> None:
        """Count an answer."""
        values = self.milliseconds.get(status)
        if values is None:
            values = self.milliseconds[status] = array("f")
        values.append(seconds * 1000)

    def wrong_answer(self, body: bytes) -> None:
        """Count an answer of status 200 that is not right; keep the first few."""
        self.wrong += 1
        if len(self.wrong_samples) < SAMPLES_MAX:
            self.wrong_samples.append(body[:SAMPLE_BYTES_MAX].decode(errors="replace"))

    def as_json(self) -> str:
        """One line; latencies as base64 of little-endian float32."""
        said: dict[str, Any] = {
            name: value for name, value in vars(self).items() if isinstance(value, int | float)
        }
        said["wrong_samples"] = self.wrong_samples
        said["milliseconds"] = {
            str(status): pack(values) for status, values in self.milliseconds.items()
        }
        said["lag_milliseconds"] = pack(self.lag_milliseconds)
        return json.dumps(said)


def pack(values: array[float]) -> str:
    """An array of float32 as text."""
    return base64.b64encode(_swapped(values).tobytes()).decode()


def unpack(text: str) -> array[float]:
    """What `pack` made."""
    values = array("f")
    values.frombytes(base64.b64decode(text))
    return _swapped(values)


def _swapped(values: array[float]) -> array[float]:
    if sys.byteorder == "little":
        return values
    swapped = array("f", values)
    swapped.byteswap()
    return swapped
