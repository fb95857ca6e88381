"""The product beside each peer, in rounds A B B A, so that the machine's drift meets both alike."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadtest.bench.ceiling import GeneratorLimited
from loadtest.bench.goals import Goal
from loadtest.bench.percentiles import median
from loadtest.bench.probe import ProbeRefused
from loadtest.bench.run import Run
from loadtest.bench.sizes import Sizes
from loadtest.bench.stage import MANY, ONE, Server, Stage, accounts_in_words
from loadtest.peers.catalog import GOAL_ONE_ACCOUNT, PEERS, Peer, missing_reason
from loadtest.peers.process import PeerFailed

BILLED_PEER = "fastapi-billed"
PEER_START_SECONDS = 8
RUN_OVERHEAD_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Contest:
    """The product against one peer with so many accounts; runs of the same round side by side."""

    peer: str
    title: str
    billed: bool
    accounts: int
    goal_ratio: float
    product_runs: list[Run]
    peer_runs: list[Run]

    @property
    def ratios(self) -> list[float]:
        """The product's requests/s over the peer's, round by round; 0 for a peer without any."""
        return [
            ours.requests_per_second / theirs.requests_per_second
            if theirs.requests_per_second
            else 0.0
            for ours, theirs in zip(self.product_runs, self.peer_runs, strict=True)
        ]

    @property
    def goal(self) -> Goal:
        """The median ratio beside what is wanted of it."""
        return Goal(self.label, median(self.ratios), self.goal_ratio)

    @property
    def label(self) -> str:
        """The peer, and how many accounts shared the load where somebody pays."""
        return f"{self.peer}, {accounts_in_words(self.accounts)}" if self.billed else self.peer


@dataclass(slots=True)
class Comparison:
    """All contests, each run of the product, and the peers that could not be measured."""

    contests: list[Contest] = field(default_factory=list)
    product_runs: dict[int, list[Run]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def peak_per_second(self) -> float:
        """The product's requests/s with many accounts: the median of its runs."""
        return median([run.requests_per_second for run in self.product_runs[MANY]])


def planned_seconds(sizes: Sizes) -> float:
    """About how long `compare` takes."""
    present = [peer for peer in PEERS if missing_reason(peer) is None]
    variants = sum(len(_variants(peer)) for peer in present)
    runs = sizes.round_pairs * 4 * variants - max(0, len(present) - 1) + 1
    starts = sizes.round_pairs * len(present) * (PEER_START_SECONDS + sizes.warm_up_seconds)
    return runs * (sizes.round_seconds + RUN_OVERHEAD_SECONDS) + starts


def compare(stage: Stage) -> Comparison:
    """Measure the product beside every peer that can run here."""
    comparison = Comparison()
    _measure_product(stage, comparison, MANY)
    for peer in PEERS:
        reason = missing_reason(peer)
        if reason is None:
            try:
                _contest(stage, comparison, peer)
            except (PeerFailed, ProbeRefused) as error:
                reason = str(error)
            except GeneratorLimited as error:
                stage.refused.append(str(error))
                reason = str(error)
        if reason is not None:
            stage.progress.say(f"{peer.name} is left out: {reason}")
            comparison.left_out[peer.name] = reason
    return comparison


def _contest(stage: Stage, comparison: Comparison, peer: Peer) -> None:
    """A B B A, as often as is wanted. The product's last run before is the first A."""
    variants = _variants(peer)
    ours: dict[int, list[Run]] = {accounts: [] for accounts in variants}
    theirs: dict[int, list[Run]] = {accounts: [] for accounts in variants}
    for pair in range(stage.sizes.round_pairs):
        for accounts in variants:
            fresh = accounts != MANY or pair > 0
            ours[accounts].append(
                _measure_product(stage, comparison, accounts)
                if fresh
                else comparison.product_runs[MANY][-1]
            )
        with stage.peer(peer) as server:
            for accounts in [*variants, *reversed(variants)]:
                theirs[accounts].append(_measure(stage, server, accounts))
        for accounts in reversed(variants):
            ours[accounts].append(_measure_product(stage, comparison, accounts))
    comparison.contests += [
        Contest(
            peer.name,
            peer.title,
            peer.billed,
            accounts,
            GOAL_ONE_ACCOUNT if accounts == ONE else peer.goal,
            ours[accounts],
            theirs[accounts],
        )
        for accounts in variants
    ]


def _variants(peer: Peer) -> tuple[int, ...]:
    return (MANY, ONE) if peer.name == BILLED_PEER else (MANY,)


def _measure_product(stage: Stage, comparison: Comparison, accounts: int) -> Run:
    run = _measure(stage, stage.product, accounts)
    comparison.product_runs.setdefault(accounts, []).append(run)
    return run


def _measure(stage: Stage, server: Server, accounts: int) -> Run:
    label = accounts_in_words(accounts) if server.target.keys else "unbilled"
    return stage.measure(server, stage.singles(server, accounts=accounts), label)
