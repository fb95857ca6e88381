"""`python -m loadtest.peers.litserve_app PORT`: LitServe with batching, in its own environment.

Two API servers for two cores and one inference worker, which predicts a batch faster than both can
fill one. Requests pass through a queue in a process of its own, which bounds the rate.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import lightgbm
import litserve
import numpy as np

API_SERVERS = 2
WORKERS = 1
BATCH_ROWS_MAX = 64
BATCH_WAIT_SECONDS = 0.005
REQUEST_SECONDS_MAX = 30


class Scorer(litserve.LitAPI):  # type: ignore[misc]  # it is not installed where types are checked
    """One row a request; rows become one matrix a batch."""

    def setup(self, device: str) -> None:
        """Read the model, once a worker."""
        del device
        self._booster = lightgbm.Booster(model_file=os.environ["PEER_MODEL"])

    # LitServe takes the types of the next method's argument and of `encode_response`'s result for
    # FastAPI's, which would then validate each; without them JSON passes through as it is.
    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """The row as the client sent it: a matrix is made once a batch."""
        return request["row"]

    def batch(self, inputs: list[list[int]]) -> Any:  # noqa: ANN401  (numpy's type is not known)
        """Shape (rows, features), float32."""
        return np.asarray(inputs, dtype=np.float32)

    def predict(self, x: Any) -> list[float]:  # noqa: ANN401
        """The probability of malware for each row."""
        probabilities: list[float] = np.asarray(self._booster.predict(x, num_threads=1)).tolist()
        return probabilities

    def unbatch(self, output: list[float]) -> list[float]:
        """One probability a request."""
        return output

    def encode_response(self, output):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """The answer to one request."""
        return {"probability": output}


def main(port: int) -> None:
    """Serve on loopback until told to stop; LitServe ends its processes on an interrupt alone."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = litserve.LitServer(
        Scorer(max_batch_size=BATCH_ROWS_MAX, batch_timeout=BATCH_WAIT_SECONDS),
        accelerator="cpu",
        workers_per_device=WORKERS,
        timeout=REQUEST_SECONDS_MAX,
    )
    server.run(
        host="127.0.0.1",
        port=port,
        num_api_servers=API_SERVERS,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
        loop="uvloop",
        http="httptools",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
