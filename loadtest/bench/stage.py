"""What every scenario shares: the servers, and one way to measure a load on one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from loadtest.bench.books import Books
from loadtest.bench.ceiling import LAG_MS_MAX, Ceilings, GeneratorLimited, refuse_limited
from loadtest.bench.checks import faults_of
from loadtest.bench.cpu import GENERATOR, CpuSampler, Roots
from loadtest.bench.load import LoadPlan, make_bodies, run_load
from loadtest.bench.oracle import Oracle
from loadtest.bench.probe import Probe, probe
from loadtest.bench.progress import Progress
from loadtest.bench.run import Run
from loadtest.bench.sizes import Sizes
from loadtest.inputs import Row
from loadtest.peers.catalog import Peer, running_peer
from loadtest.target import Target

MANY, ONE = 50, 1
"""Accounts that take turns, and a single one."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is up and measured: the product, or a peer for as long as it runs."""

    target: Target
    books: Books
    peer_pids: tuple[int, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the server, as in tables."""
        return self.target.name

    def with_accounts(self, accounts: int) -> Target:
        """The target with the first `accounts` accounts alone."""
        return replace(self.target, keys=self.target.keys[:accounts])


@dataclass(slots=True)
class Stage:
    """The product, the rows and the right answers, and what went wrong so far."""

    product: Server
    roots: Roots
    database_url: str
    peer_port: int
    rows: list[Row]
    oracle: Oracle
    sizes: Sizes
    ceilings: Ceilings
    progress: Progress
    faults: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    money: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    _probes: dict[tuple[str | int, ...], Probe] = field(default_factory=dict)

    def singles(
        self,
        server: Server,
        *,
        accounts: int = MANY,
        connections: int | None = None,
        seconds: float | None = None,
        rate: float | None = None,
    ) -> LoadPlan:
        """A load of one dense row a request."""
        return LoadPlan(
            server.with_accounts(accounts),
            make_bodies(server.target, self.rows, self.oracle.score(self.rows)),
            connections or self.sizes.connections,
            seconds or self.sizes.round_seconds,
            rate,
        )

    def measure(
        self, server: Server, plan: LoadPlan, label: str, lag_ms_max: float = LAG_MS_MAX
    ) -> Run:
        """Run `plan` and keep its money and its faults.

        Raises GeneratorLimited where the generator was the limit, also in a second attempt.
        """
        run, limited = self._measure_once(server, plan, label, lag_ms_max)
        if limited is not None:
            self.progress.say(f"once more: {limited}")
            run, limited = self._measure_once(server, plan, label, lag_ms_max)
        if limited is not None:
            raise limited
        return run

    def warm_up(self, server: Server) -> None:
        """Send what is not measured, yet paid and checked."""
        plan = self.singles(server, seconds=self.sizes.warm_up_seconds)
        run = run_load(plan)
        server.books.add(run, self.probe(server, plan).price)
        self.faults += [f"{server.name}, warming up: {fault}" for fault in faults_of(run)]

    def probe(self, server: Server, plan: LoadPlan) -> Probe:
        """Price and size of an answer; asked for once a kind of request."""
        kind = (
            plan.target.base_url,
            plan.target.path,
            plan.content_type,
            plan.accept,
            len(plan.bodies[0].content),
        )
        if kind not in self._probes:
            found = self._probes[kind] = probe(plan)
            server.books.add_answer(found.price)
        return self._probes[kind]

    @contextmanager
    def peer(self, peer: Peer) -> Iterator[Server]:
        """The peer while this block runs; its money is checked at the end."""
        self.progress.say(f"starting {peer.name}")
        with running_peer(
            peer, self.peer_port, database_url=self.database_url, accounts=MANY
        ) as running:
            target = replace(running.target, name=peer.name)
            server = Server(target, Books(target), (running.pid,), dict(running.versions))
            self.versions[peer.name] = server.versions
            self._forget(target.base_url)
            self.warm_up(server)
            yield server
            self.close_books(server)

    def close_books(self, server: Server) -> None:
        """Compare what the answers cost with what left the accounts."""
        money = server.books.close()
        if money is None:
            return
        self.money[server.name] = str(money)
        if not money.agrees:
            self.faults.append(f"{server.name}: {money}")

    def _measure_once(
        self, server: Server, plan: LoadPlan, label: str, lag_ms_max: float
    ) -> tuple[Run, GeneratorLimited | None]:
        known = self.probe(server, plan)
        ceiling = self.ceilings.of(plan, known.answer_bytes)
        roots = replace(self.roots, peer=server.peer_pids, generator=(os.getpid(),))
        with CpuSampler(roots) as sampler:
            run = run_load(plan)
        # The generator counts its own time: without its start, and without this process's sampling.
        used = {**sampler.seconds_by_group(), GENERATOR: run.generator_cpu_seconds}
        run = replace(run, cpu_seconds=used)
        server.books.add(run, known.price)
        self.faults += [f"{server.name}, {label}: {fault}" for fault in faults_of(run)]
        self.progress.say(f"{server.name}, {label}: {describe(run)}")
        try:
            refuse_limited(run, ceiling, lag_ms_max)
        except GeneratorLimited as limited:
            return run, GeneratorLimited(f"{server.name}, {label}: {limited}")
        return run, None

    def _forget(self, base_url: str) -> None:
        """A peer that starts at the address of another one answers otherwise."""
        self._probes = {kind: known for kind, known in self._probes.items() if kind[0] != base_url}


def accounts_in_words(accounts: int) -> str:
    """How many accounts, as `1 account`."""
    return f"{accounts} account" if accounts == 1 else f"{accounts} accounts"


def describe(run: Run) -> str:
    """One line for the console."""
    latency = run.latency()
    others = "".join(f", {n:,} x {status}" for status, n in run.other_statuses.items())
    offered = f" of {run.offered_per_second:,.0f} offered" if run.rate is not None else ""
    return (
        f"{run.requests_per_second:,.0f} requests/s{offered}, "
        f"p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms{others}"
    )
