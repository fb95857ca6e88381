"""What the replicas report to Prometheus through Ray. Never labelled by account or key."""

from __future__ import annotations

from ray.serve import metrics

from billing.credits import MICROCREDITS_PER_CREDIT
from serve.request_counts import Counts, RequestCounts
from serve.shadow_metrics import ShadowMetrics

_BATCH_BOUNDARIES: list[float] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]
_SECONDS_BOUNDARIES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]


class ValidatorMetrics:
    """Requests by outcome, batch sizes and stage times of one validator replica.

    Requests are counted in plain integers and handed to Ray once a second by `flush`: one call into
    its metrics costs about as much as parsing a request.
    """

    def __init__(self) -> None:
        self._requests = metrics.Counter(
            "farebox_requests", "Scoring requests by outcome", tag_keys=("outcome",)
        )
        self._credits = metrics.Counter("farebox_credits_charged", "Credits charged")
        self._batch_requests = metrics.Histogram(
            "farebox_batch_requests", "Requests in a micro-batch", boundaries=_BATCH_BOUNDARIES
        )
        self._batch_rows = metrics.Histogram(
            "farebox_batch_rows", "Rows in a micro-batch", boundaries=_BATCH_BOUNDARIES
        )
        self._stage_seconds = metrics.Histogram(
            "farebox_stage_seconds",
            "Seconds a micro-batch spent in a stage, the hop included",
            boundaries=_SECONDS_BOUNDARIES,
            tag_keys=("stage",),
        )
        self._waiting = metrics.Gauge(
            "farebox_requests_waiting", "Scoring requests in this replica that no batch has taken"
        )
        self._answers = metrics.Counter(
            "farebox_answers",
            "Requests answered and charged, by the version that answered",
            tag_keys=("model", "version"),  # type: ignore[arg-type] # Ray means any length
        )
        self._shadows = ShadowMetrics()
        self.shadow_compared = self._shadows.compared
        """Count what a challenger made of a batch; handed on by `flush`."""
        self._answered: dict[tuple[str, str], int] = {}
        self._counts = RequestCounts()
        self.request_ended = self._counts.request_ended
        """Count one request; handed on by `flush`."""

    def batch_predicted(self, jobs: int, rows: int, seconds: float) -> None:
        """Record a micro-batch's size and its time at the scorer."""
        self._batch_requests.observe(jobs)
        self._batch_rows.observe(rows)
        self._stage_seconds.observe(seconds, {"stage": "predict"})

    def batch_charged(self, microcredits: int, seconds: float) -> None:
        """Record a micro-batch's time at billing and what it charged."""
        self._stage_seconds.observe(seconds, {"stage": "charge"})
        if microcredits:
            self._credits.inc(microcredits / MICROCREDITS_PER_CREDIT)

    def version_answered(self, model: str, version: str, requests: int) -> None:
        """Count to the version; handed on by `flush`."""
        key = (model, version)
        self._answered[key] = self._answered.get(key, 0) + requests

    def flush(self, requests_waiting: int) -> Counts:
        """Hand the counted requests and those that wait to Ray; what was counted."""
        self._waiting.set(requests_waiting)
        counts = self._counts.take()
        for outcome, count in counts.outcomes.items():
            self._requests.inc(count, {"outcome": outcome})
        answered, self._answered = self._answered, {}
        for (model, version), requests in answered.items():
            if requests:
                self._answers.inc(requests, {"model": model, "version": version})
        self._shadows.flush()
        return counts
