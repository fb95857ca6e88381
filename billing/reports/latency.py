"""Latencies in buckets that grow by a constant factor: few numbers, a known error at every scale.

Bucket b holds latencies from SHORTEST * 2^(b/8) to SHORTEST * 2^((b+1)/8): eight buckets each time
that the latency doubles, 160 from 0.1 ms to 105 s. What is shorter or longer counts in the first
or the last. A quantile is given as the geometric middle of its bucket, so inside that range it is
off by a factor of 2^(1/16) at most: 4.5 %.
"""

from __future__ import annotations

from math import exp2, log2

SHORTEST_SECONDS = 1e-4
BUCKETS_A_DOUBLING = 8
BUCKETS = 160

_OFFSET = -log2(SHORTEST_SECONDS) * BUCKETS_A_DOUBLING
_LAST = BUCKETS - 1


def bucket_of(seconds: float) -> int:
    """The bucket of a latency, 0 to 159."""
    if seconds <= SHORTEST_SECONDS:
        return 0
    bucket = int(log2(seconds) * BUCKETS_A_DOUBLING + _OFFSET)
    return bucket if bucket < _LAST else _LAST


def lower_bound_seconds(bucket: int) -> float:
    """Where the bucket begins; where the one before it ends."""
    return SHORTEST_SECONDS * exp2(bucket / BUCKETS_A_DOUBLING)


def middle_seconds(bucket: int) -> float:
    """What stands for the latencies of a bucket: its geometric middle."""
    return SHORTEST_SECONDS * exp2((bucket + 0.5) / BUCKETS_A_DOUBLING)
