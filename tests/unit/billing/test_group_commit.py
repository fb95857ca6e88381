"""Callers share transactions, and none harms another."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import pytest

from billing.charges import Charge, Charged, Outcome, Replayed
from billing.credits import Credits
from billing.errors import BillingError, LedgerBusy, LedgerUnavailable, OutcomeUnknown
from billing.group_commit import GroupCommit
from billing.memory import MemoryLedger
from tests.charges import count_kinds, make_charge

pytestmark = pytest.mark.anyio

_ACCOUNT = uuid.UUID(int=1)


class GatedLedger(MemoryLedger):
    """Commits when the gate is open; fails as told, before or after the commit."""

    def __init__(self) -> None:
        super().__init__()
        self.grant(_ACCOUNT, Credits.parse("100000"))
        self.gate = asyncio.Event()
        self.gate.set()
        self.transactions: list[int] = []
        self.failures: list[Exception] = []
        self.fails_after_commit = False
        self.under_way = 0
        self.under_way_max = 0

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        self.transactions.append(len(charges))
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            await self.gate.wait()
            return await self._charge_or_fail(charges)
        finally:
            self.under_way -= 1

    async def _charge_or_fail(self, charges: Sequence[Charge]) -> list[Outcome]:
        if self.failures and not self.fails_after_commit:
            raise self.failures.pop()
        outcomes = await super().charge(charges)
        if self.failures:
            raise self.failures.pop()
        return outcomes


@pytest.fixture
async def ledger() -> GatedLedger:
    return GatedLedger()


def _group(
    ledger: GatedLedger,
    *,
    transaction_charges_max: int = 10,
    waiting_charges_max: int = 100,
    deadline_seconds: float = 5.0,
) -> GroupCommit:
    return GroupCommit(
        ledger,
        transaction_charges_max=transaction_charges_max,
        waiting_charges_max=waiting_charges_max,
        charge_deadline_seconds=deadline_seconds,
    )


def _batch(size: int = 1) -> list[Charge]:
    return [make_charge(_ACCOUNT) for _ in range(size)]


async def _start(group: GroupCommit, *batches: list[Charge]) -> list[asyncio.Task[list[Outcome]]]:
    """Callers in that order, each as far as it gets."""
    tasks = []
    for batch in batches:
        tasks.append(asyncio.create_task(group.charge(batch)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return tasks


async def test_callers_that_wait_share_the_next_transaction(ledger: GatedLedger) -> None:
    group = _group(ledger)
    ledger.gate.clear()
    batches = [_batch(1), _batch(2), _batch(3)]
    tasks = await _start(group, *batches)
    assert group.waiting_charges == 5
    ledger.gate.set()
    for task, batch in zip(tasks, batches, strict=True):
        assert [o.charge_id for o in await task] == [c.charge_id for c in batch]
    assert ledger.transactions == [1, 5]
    assert group.waiting_charges == 0


async def test_one_transaction_is_under_way_at_a_time(ledger: GatedLedger) -> None:
    group = _group(ledger)
    await asyncio.gather(*(group.charge(_batch(3)) for _ in range(20)))
    assert ledger.under_way_max == 1


async def test_transaction_is_bounded_and_no_batch_is_cut(ledger: GatedLedger) -> None:
    group = _group(ledger, transaction_charges_max=5)
    ledger.gate.clear()
    tasks = await _start(group, *(_batch(size) for size in (1, 3, 2, 7, 1)))
    ledger.gate.set()
    await asyncio.gather(*tasks)
    assert ledger.transactions == [1, 5, 7, 1]


async def test_too_many_waiting_charges_are_refused_at_once(ledger: GatedLedger) -> None:
    group = _group(ledger, waiting_charges_max=4)
    ledger.gate.clear()
    tasks = await _start(group, _batch(4), _batch(3))
    with pytest.raises(LedgerBusy):
        await group.charge(_batch(2))
    ledger.gate.set()
    outcomes = [outcome for task in tasks for outcome in await task]
    assert count_kinds(outcomes) == {"Charged": 7}


async def test_nothing_to_charge_makes_no_transaction(ledger: GatedLedger) -> None:
    assert await _group(ledger).charge([]) == []
    assert ledger.transactions == []


@pytest.mark.parametrize("error", [OutcomeUnknown, LedgerUnavailable])
async def test_failed_transaction_is_tried_again_with_the_same_charges(
    ledger: GatedLedger, error: type[BillingError]
) -> None:
    group = _group(ledger)
    ledger.failures = [error("gone"), error("gone")]
    [outcome] = await group.charge(_batch())
    assert isinstance(outcome, Charged)
    assert ledger.transactions == [1, 1, 1]


async def test_commit_of_unknown_outcome_is_found_and_not_charged_again(
    ledger: GatedLedger,
) -> None:
    group = _group(ledger)
    ledger.failures = [OutcomeUnknown("gone")]
    ledger.fails_after_commit = True
    [outcome] = await group.charge(_batch())
    assert isinstance(outcome, Replayed)
    assert outcome.balance == Credits.parse("99999")


@pytest.mark.parametrize("error", [OutcomeUnknown, LedgerUnavailable])
async def test_deadline_ends_with_what_is_known(
    ledger: GatedLedger, error: type[BillingError]
) -> None:
    group = _group(ledger, deadline_seconds=0.1)
    ledger.failures = [error("gone") for _ in range(1000)]
    with pytest.raises(error):
        await group.charge(_batch())


async def test_once_unknown_stays_unknown(ledger: GatedLedger) -> None:
    group = _group(ledger, deadline_seconds=0.1)
    ledger.failures = [*(LedgerUnavailable("gone") for _ in range(1000)), OutcomeUnknown("gone")]
    with pytest.raises(OutcomeUnknown):
        await group.charge(_batch())


async def test_transaction_that_hangs_is_unknown_and_what_waits_behind_it_is_not(
    ledger: GatedLedger,
) -> None:
    group = _group(ledger, deadline_seconds=0.1)
    ledger.gate.clear()
    hanging, waiting = await _start(group, _batch(), _batch())
    with pytest.raises(OutcomeUnknown):
        await hanging
    with pytest.raises(LedgerUnavailable):
        await waiting
    ledger.gate.set()
    assert await group.charge(_batch())


async def test_cancelled_caller_does_not_harm_the_others(ledger: GatedLedger) -> None:
    group = _group(ledger, transaction_charges_max=2)
    ledger.gate.clear()
    under_way, waiting, *patient = await _start(group, *(_batch() for _ in range(4)))
    under_way.cancel()
    waiting.cancel()
    await asyncio.wait([under_way, waiting])
    ledger.gate.set()
    for task in patient:
        assert count_kinds(await task) == {"Charged": 1}
    assert ledger.transactions == [1, 2], "the cancelled take no room"


async def test_bug_reaches_every_caller_and_work_goes_on(ledger: GatedLedger) -> None:
    group = _group(ledger)
    ledger.gate.clear()
    ledger.failures = [ZeroDivisionError()]
    [first] = await _start(group, _batch())
    ledger.gate.set()
    with pytest.raises(ZeroDivisionError):
        await first
    assert count_kinds(await group.charge(_batch())) == {"Charged": 1}


async def test_close_drains_and_takes_no_more(ledger: GatedLedger) -> None:
    group = _group(ledger)
    ledger.gate.clear()
    tasks = await _start(group, _batch(), _batch(2))
    closing = asyncio.create_task(group.close())
    await asyncio.sleep(0)
    with pytest.raises(LedgerUnavailable):
        await group.charge(_batch())
    assert not closing.done()
    ledger.gate.set()
    await closing
    assert all(task.done() for task in tasks) or await asyncio.gather(*tasks)
    assert [t.get_name() for t in asyncio.all_tasks()].count("group commit") == 0


async def test_transactions_are_observed(ledger: GatedLedger) -> None:
    seen: list[tuple[int, float]] = []
    group = GroupCommit(
        ledger,
        transaction_charges_max=10,
        waiting_charges_max=100,
        charge_deadline_seconds=5.0,
        observe=lambda charges, seconds: seen.append((charges, seconds)),
    )
    await group.charge(_batch(3))
    [(charges, seconds)] = seen
    assert charges == 3
    assert 0 <= seconds < 1
