"""What a replica reports to Prometheus of its challengers. Labels are models and versions alone."""

from __future__ import annotations

from ray.serve import metrics

from billing.reports.shadows import Differences, ShadowPair

_PAIR = ("model", "champion", "challenger")


class ShadowMetrics:
    """Sums in plain numbers, handed to Ray by `flush`."""

    def __init__(self) -> None:
        self._instances = metrics.Counter(
            "farebox_shadow_instances",
            "Instances offered to a challenger's shadow: agreed or disagreed with the champion's "
            "label, dropped as too many waited, failed on",
            tag_keys=(*_PAIR, "outcome"),  # type: ignore[arg-type] # Ray means any length
        )
        self._difference = metrics.Counter(
            "farebox_shadow_difference",
            "Sum of the absolute differences of probability between champion and challenger",
            tag_keys=_PAIR,  # type: ignore[arg-type]
        )
        self._found: dict[ShadowPair, Differences] = {}

    def compared(self, pair: ShadowPair, found: Differences) -> None:
        """Count one batch."""
        self._found[pair] = self._found.get(pair, Differences()) + found

    def flush(self) -> None:
        """Hand on what was counted since the last time."""
        found, self._found = self._found, {}
        for pair, sums in found.items():
            tags = dict(zip(_PAIR, (pair.model, pair.champion, pair.challenger), strict=True))
            counts = {
                "agreed": sums.instances - sums.disagreements,
                "disagreed": sums.disagreements,
                "dropped": sums.dropped,
                "failed": sums.failed,
            }
            for outcome, count in counts.items():
                if count:
                    self._instances.inc(count, {**tags, "outcome": outcome})
            if sums.difference_sum:
                self._difference.inc(sums.difference_sum, tags)
