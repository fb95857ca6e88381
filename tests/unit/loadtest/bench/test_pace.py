"""When requests are due."""

import itertools
import statistics

from loadtest.bench.generator.pace import arrivals


def test_just_as_many_requests_as_ordered_are_due_within_the_time() -> None:
    dues = arrivals(1000, 5, seed=1)
    assert len(dues) == 5000
    assert dues == sorted(dues)
    assert dues[0] >= 0
    assert dues[-1] <= 5


def test_every_server_meets_the_same_instants() -> None:
    assert arrivals(100, 1, seed=7) == arrivals(100, 1, seed=7) != arrivals(100, 1, seed=8)


def test_gaps_vary_as_those_of_independent_clients_do() -> None:
    dues = arrivals(1000, 20, seed=1)
    gaps = [after - before for before, after in itertools.pairwise(dues)]
    # The deviation of exponential gaps is their mean; that of even ones is nothing.
    assert 0.9 < statistics.stdev(gaps) / statistics.mean(gaps) < 1.1
