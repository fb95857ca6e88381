"""What keys may spend, by the clock of UTC and under races; when they were used."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing.api_keys.actions import (
    change_key,
    make_key,
    note_uses,
    prune_spending,
    rotate_key,
)
from billing.api_keys.errors import KeyAlreadyMade, RotationUnderWay, TooManyKeys
from billing.api_keys.queries import fetch_key, fetch_keys
from billing.api_keys.values import CapState, KeyChanges, NewKey, Period
from billing.charges import Charge, Charged, Outcome, SpendingCapReached
from billing.charging import Charging
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import BillingError
from billing.ledger import PostgresLedger
from billing.settings import BillingSettings
from tests.charges import count_kinds, make_charge
from tests.integration.billing.conftest import MakeAccount, MakeCappedKey

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOW = datetime.now(UTC)


class Keys:
    """The use cases, for one account."""

    def __init__(self, database: Database, settings: BillingSettings, account: uuid.UUID) -> None:
        self.database = database
        self.secret = settings.key_hash_secret
        self.account = account

    async def make(self, caps: dict[Period, str] | None = None, keys_max: int = 99) -> str:
        new = NewKey("k", caps={p: Credits.parse(cap) for p, cap in (caps or {}).items()})
        key = await make_key(
            self.database,
            self.secret,
            self.account,
            uuid.uuid4(),
            new,
            live_keys_max=keys_max,
            now=NOW,
        )
        return key.id

    async def rotate(self, key_id: str, request_id: uuid.UUID | None = None) -> str:
        key = await rotate_key(
            self.database,
            self.secret,
            self.account,
            key_id,
            request_id or uuid.uuid4(),
            live_keys_max=99,
            now=NOW,
        )
        return key.id

    async def cap(self, key_id: str, period: Period, cap: str | None) -> CapState | None:
        changes = KeyChanges(caps={period: None if cap is None else Credits.parse(cap)})
        key = await change_key(self.database, self.account, key_id, changes, NOW)
        return key.caps.get(period)


@pytest.fixture
async def keys(database: Database, settings: BillingSettings, make_account: MakeAccount) -> Keys:
    return Keys(database, settings, await make_account("1000"))


def spending(keys: Keys, key_id: str, count: int) -> list[Charge]:
    return [make_charge(keys.account, key_id=key_id) for _ in range(count)]


@pytest.mark.parametrize("period", [Period.DAY, Period.MONTH])
async def test_cap_is_free_again_in_the_next_period(
    keys: Keys, ledger: PostgresLedger, superuser: asyncpg.Connection, period: Period
) -> None:
    key = await keys.make({period: "2", Period.TOTAL: "3"})
    assert count_kinds(await ledger.charge(spending(keys, key, 3))) == {
        "Charged": 2,
        "SpendingCapReached": 1,
    }
    await superuser.execute(
        f"UPDATE key_spending SET period_start = period_start - interval '1 {period}'"
        f" WHERE period = '{period}'"
    )
    record = await fetch_key(keys.database, keys.account, key)
    assert record.caps[period] == CapState(Credits.parse("2"), ZERO)
    assert record.caps[Period.TOTAL] == CapState(Credits.parse("3"), Credits.parse("2"))
    assert count_kinds(await ledger.charge(spending(keys, key, 2))) == {
        "Charged": 1,
        "SpendingCapReached": 1,
    }


async def test_spending_of_past_periods_is_pruned_and_caps_hold_on(
    keys: Keys, ledger: PostgresLedger, superuser: asyncpg.Connection
) -> None:
    key = await keys.make({Period.DAY: "2", Period.MONTH: "2", Period.TOTAL: "2"})
    await ledger.charge(spending(keys, key, 1))
    rows = "SELECT lineage_id, period, period_start FROM key_spending ORDER BY 1, 2, 3"
    before = [tuple(row) for row in await superuser.fetch(rows)]
    await superuser.execute(
        "INSERT INTO key_spending SELECT lineage_id, period, period_start - days * interval '31 d',"
        " 1, 1 FROM key_spending, generate_series(1, 3) AS days WHERE period <> 'total'"
    )
    assert await prune_spending(keys.database, rows_max=4)
    assert await prune_spending(keys.database, rows_max=4) is False
    after = [tuple(row) for row in await superuser.fetch(rows)]
    assert after == before
    assert count_kinds(await ledger.charge(spending(keys, key, 2))) == {
        "Charged": 1,
        "SpendingCapReached": 1,
    }


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Pacific/Kiritimati", "America/Adak"])
async def test_periods_begin_at_midnight_utc_wherever_the_session_is(
    superuser: asyncpg.Connection, zone: str
) -> None:
    await superuser.execute(f"SET TIME ZONE '{zone}'")
    last = datetime(2028, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
    starts = {
        period: [
            await superuser.fetchval("SELECT farebox_period_start($1, $2)", period, moment)
            for moment in (last, last + timedelta(microseconds=1))
        ]
        for period in ("day", "month")
    }
    assert starts["day"] == [datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)]
    assert starts["month"] == [datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)]


async def count_commits(
    monkeypatch: pytest.MonkeyPatch, ledger: PostgresLedger, charges: Sequence[Charge]
) -> tuple[int, list[Outcome]]:
    """How many charging statements it took."""
    commits = 0
    execute = Charging._execute_charge

    async def count(self: Charging, columns: Sequence[object]) -> list[asyncpg.Record]:
        nonlocal commits
        commits += 1
        return await execute(self, columns)

    with monkeypatch.context() as patch:
        patch.setattr(Charging, "_execute_charge", count)
        outcomes = await ledger.charge(charges)
    return commits, outcomes


async def test_exhausted_key_takes_no_statement_from_the_others(
    keys: Keys,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = await make_account("100")
    key = await keys.make({Period.DAY: "3", Period.MONTH: "9"})
    for charged in (3, 0, 0):
        batch = [*spending(keys, key, 5), *(make_charge(other) for _ in range(5))]
        commits, outcomes = await count_commits(monkeypatch, ledger, batch)
        assert commits == 1
        kinds = count_kinds(outcomes)
        assert kinds == {"Charged": 5 + charged, "SpendingCapReached": 5 - charged}


async def test_two_keys_of_a_lineage_take_no_statement_from_the_others(
    keys: Keys, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await keys.make({Period.TOTAL: "3"})
    new = await keys.rotate(old)
    batch = [*spending(keys, old, 2), *spending(keys, new, 2)]
    commits, outcomes = await count_commits(monkeypatch, ledger, batch)
    assert commits == 1
    assert [type(outcome) for outcome in outcomes] == [*[Charged] * 3, SpendingCapReached]


async def test_lowered_cap_takes_no_statement_from_the_others(
    keys: Keys, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await keys.make({Period.TOTAL: "5"})
    await ledger.charge(spending(keys, key, 4))
    assert await keys.cap(key, Period.TOTAL, "1") == CapState(
        Credits.parse("1"), Credits.parse("4")
    )
    commits, outcomes = await count_commits(
        monkeypatch, ledger, [*spending(keys, key, 2), make_charge(keys.account)]
    )
    assert commits == 1
    refused = outcomes[0]
    assert isinstance(refused, SpendingCapReached)
    assert refused.left == ZERO
    assert count_kinds(outcomes) == {"Charged": 1, "SpendingCapReached": 2}


async def test_charge_under_way_while_the_cap_is_lowered_goes_by_the_new_cap(
    keys: Keys, ledger: PostgresLedger, superuser: asyncpg.Connection
) -> None:
    """It read the cap of before; the period's row, made with the new one, refuses it."""
    key = await keys.make({Period.DAY: "5"})
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute("SELECT * FROM balances FOR UPDATE")
    charging = asyncio.create_task(ledger.charge(spending(keys, key, 4)))
    await asyncio.sleep(0.2)
    assert not charging.done()
    await keys.cap(key, Period.DAY, "1")
    await transaction.rollback()
    assert count_kinds(await charging) == {"Charged": 1, "SpendingCapReached": 3}


async def test_caps_change_while_charges_race(
    keys: Keys, ledger: PostgresLedger, superuser: asyncpg.Connection
) -> None:
    """Neither deadlocks nor passes the highest cap that there was."""
    key = await keys.make({Period.DAY: "20", Period.MONTH: "20", Period.TOTAL: "20"})

    async def change() -> None:
        for cap in ("5", "30", "10", "20"):
            for period in Period:
                await keys.cap(key, period, cap)

    outcomes, _ = await asyncio.gather(
        asyncio.gather(*(ledger.charge(spending(keys, key, 2)) for _ in range(40))), change()
    )
    paid = count_kinds(outcome for batch in outcomes for outcome in batch)["Charged"]
    rows = await superuser.fetch("SELECT DISTINCT spent_microcredits FROM key_spending")
    assert [row[0] for row in rows if row[0]] == [paid * 1_000_000]
    assert paid <= 30


async def test_two_rotations_at_once_make_one_key(keys: Keys) -> None:
    key = await keys.make()
    made = await asyncio.gather(*(keys.rotate(key) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(each, str) for each in made) == 1
    assert sum(isinstance(each, RotationUnderWay) for each in made) == 4


async def test_one_request_at_once_makes_one_key(keys: Keys) -> None:
    key, request_id = await keys.make(), uuid.uuid4()
    made = await asyncio.gather(
        *(keys.rotate(key, request_id) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(each, str) for each in made) == 1
    assert sum(isinstance(each, KeyAlreadyMade) for each in made) == 3


async def test_bound_on_live_keys_holds_in_a_race(keys: Keys) -> None:
    made = await asyncio.gather(*(keys.make(keys_max=3) for _ in range(8)), return_exceptions=True)
    errors = [each for each in made if isinstance(each, BillingError)]
    assert {type(error) for error in errors} == {TooManyKeys}
    assert len(await fetch_keys(keys.database, keys.account, limit=99)) == 3


async def test_uses_are_noted_and_never_go_back(
    keys: Keys, database: Database, make_capped_key: MakeCappedKey
) -> None:
    key = await make_capped_key(keys.account, "day", "1")
    other = await keys.make()
    await note_uses(database, [key], NOW)
    await note_uses(database, [key, other], NOW - timedelta(hours=1))
    assert (await fetch_key(database, keys.account, key)).last_used_at == NOW
    await note_uses(database, [key], NOW + timedelta(minutes=1))
    record = await fetch_key(database, keys.account, key)
    assert record.last_used_at == NOW + timedelta(minutes=1)
    record = await fetch_key(database, keys.account, other)
    assert record.last_used_at == NOW - timedelta(hours=1)


async def test_noting_a_use_tells_no_replica(
    keys: Keys, database: Database, database_url: str
) -> None:
    """A notice would have every replica forget the key."""
    key = await keys.make()
    heard: list[object] = []
    listening = await asyncpg.connect(database_url)
    await listening.add_listener("farebox_keys", lambda *notice: heard.append(notice[-1]))
    await note_uses(database, [key], NOW)
    await keys.cap(key, Period.DAY, "1")
    await change_key(database, keys.account, key, KeyChanges(name="new"), NOW)
    await asyncio.sleep(0.2)
    await listening.close()
    assert heard == [key]
