"""What a session scores is charged, kept apart and reconciled like what a key scores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing.charges import Charged
from billing.credits import Credits
from billing.database import Database
from billing.grants.settling import catch_up
from billing.history.lists import PREDICTIONS
from billing.history.queries import fetch_part
from billing.history.values import Filter
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.reports.rollups import advance
from billing.reports.usage import fetch_usage
from billing.reports.values import Group, Span, Step
from billing.sessions.values import SESSION_KEY_ID
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount, MakeCappedKey

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_charges_by_a_session_have_no_cap_and_a_key_id_of_their_own(
    database: Database,
    ledger: PostgresLedger,
    superuser: asyncpg.Connection,
    make_account: MakeAccount,
    make_capped_key: MakeCappedKey,
) -> None:
    account = await make_account("100")
    capped = await make_capped_key(account, "total", "2")
    by_key = make_charge(account, "2", key_id=capped)
    by_session = make_charge(account, "50", key_id=SESSION_KEY_ID)
    outcomes = await ledger.charge([by_key, by_session])
    assert [type(each) for each in outcomes] == [Charged, Charged]
    spent = await superuser.fetch("SELECT lineage_id, spent_microcredits FROM key_spending")
    assert [tuple(row) for row in spent] == [(capped, 2_000_000)]

    wanted = Filter(key_id=SESSION_KEY_ID)
    found = await fetch_part(database, account, PREDICTIONS, wanted, before=None, limit=10)
    assert [each.id for each in found.items] == [by_session.charge_id]

    while await advance(database, 100):
        pass
    now = datetime.now(UTC)
    hours = Span(now - timedelta(hours=2), now).outward(timedelta(hours=1))
    usage = await fetch_usage(database, account, hours, step=Step.DAY, groups={Group.KEY})
    assert {row.key_id: row.sums.charged for row in usage.rows} == {
        capped: Credits.parse("2"),
        SESSION_KEY_ID: Credits.parse("50"),
    }
    await catch_up(database, account)
    assert (await reconcile(database)).is_clean
