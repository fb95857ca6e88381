"""Who asks: looked up once, and never remembered past a revocation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from billing.api_keys.values import ALL_SCOPES
from billing.errors import LedgerUnavailable
from billing.principal import Principal
from billing.sessions.values import SESSION_KEY_ID
from serve.authentication import Authenticator
from serve.refusals import Code, Refusal
from tests.support.asgi import PREDICTIONS, call, post
from tests.support.serving import (
    ANNA,
    BORIS,
    LIFETIMES,
    MemoryAccounts,
    Replica,
    make_body,
    make_key,
    turns,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def accounts() -> MemoryAccounts:
    return MemoryAccounts()


@pytest.fixture
async def authenticator(accounts: MemoryAccounts) -> Authenticator:
    """One that hears revocations."""
    authenticator = Authenticator(accounts, LIFETIMES)
    authenticator.revocations_heard()
    return authenticator


async def assert_refused(authenticator: Authenticator, authorization: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        await authenticator.authenticate(authorization)
    assert caught.value.code is Code.UNAUTHENTICATED


async def test_a_key_is_looked_up_once(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna, boris = accounts.open_account(ANNA), accounts.open_account(BORIS)
    for _ in range(3):
        assert (await authenticator.authenticate(anna)).account_id == ANNA
        assert (await authenticator.authenticate(boris)).account_id == BORIS
    assert len(accounts.look_ups) == 2


async def test_nothing_is_remembered_before_revocations_are_heard(
    accounts: MemoryAccounts,
) -> None:
    authenticator = Authenticator(accounts, LIFETIMES)
    anna = accounts.open_account(ANNA)
    for _ in range(3):
        await authenticator.authenticate(anna)
    assert len(accounts.look_ups) == 3


async def test_nothing_is_trusted_once_revocations_are_lost(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna = accounts.open_account(ANNA)
    await authenticator.authenticate(anna)
    authenticator.revocations_lost()
    accounts.principals.clear()
    await assert_refused(authenticator, anna)


async def test_what_was_known_before_revocations_were_lost_is_looked_up_again_after(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna = accounts.open_account(ANNA)
    await authenticator.authenticate(anna)
    authenticator.revocations_lost()
    authenticator.revocations_heard()
    accounts.principals.clear()
    await assert_refused(authenticator, anna)


async def test_a_revoked_key_is_forgotten_and_no_other(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna, boris = accounts.open_account(ANNA), accounts.open_account(BORIS)
    for each in (anna, boris):
        await authenticator.authenticate(each)
    accounts.principals.clear()
    authenticator.changed(make_key(ANNA.int).id)
    await assert_refused(authenticator, anna)
    assert (await authenticator.authenticate(boris)).account_id == BORIS


async def test_a_key_written_in_several_ways_is_forgotten_in_all(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna = accounts.open_account(ANNA)
    ways = [anna, anna.replace("Bearer", "bearer"), anna.replace("Bearer ", "Bearer  ")]
    for way in ways:
        await authenticator.authenticate(way)
    accounts.principals.clear()
    authenticator.changed(make_key(ANNA.int).id)
    for way in ways:
        await assert_refused(authenticator, way)


async def test_a_key_past_its_expiry_is_refused_although_it_is_remembered(
    accounts: MemoryAccounts,
) -> None:
    time = datetime(2030, 1, 1, tzinfo=UTC)
    authenticator = Authenticator(accounts, LIFETIMES, now=lambda: time)
    authenticator.revocations_heard()
    anna = accounts.open_account(ANNA, expires_at=time + timedelta(seconds=1))
    assert (await authenticator.authenticate(anna)).account_id == ANNA
    time += timedelta(seconds=1)
    for _ in range(2):
        await assert_refused(authenticator, anna)
    assert len(accounts.look_ups) == 1


async def test_a_key_whose_expiry_was_moved_is_looked_up_again(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna = accounts.open_account(ANNA, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    await assert_refused(authenticator, anna)
    accounts.open_account(ANNA)
    authenticator.changed(make_key(ANNA.int).id)
    assert (await authenticator.authenticate(anna)).account_id == ANNA


@pytest.mark.parametrize("revocation", ["of this key", "of another", "connection lost"])
async def test_a_look_up_that_raced_with_a_revocation_is_not_remembered(
    accounts: MemoryAccounts, authenticator: Authenticator, revocation: str
) -> None:
    anna = accounts.open_account(ANNA)
    accounts.gate.clear()
    asking = asyncio.create_task(authenticator.authenticate(anna))
    await turns()
    if revocation == "connection lost":
        authenticator.revocations_lost()
        authenticator.revocations_heard()
    else:
        authenticator.changed(make_key(ANNA.int).id if revocation == "of this key" else "other")
    accounts.gate.set()
    await asking
    accounts.principals.clear()
    await assert_refused(authenticator, anna)


async def test_what_is_remembered_is_bounded(accounts: MemoryAccounts) -> None:
    authenticator = Authenticator(accounts, LIFETIMES, keys_max=1)
    authenticator.revocations_heard()
    anna, boris = accounts.open_account(ANNA), accounts.open_account(BORIS)
    for each in (anna, boris, anna):
        await authenticator.authenticate(each)
    assert len(accounts.look_ups) == 3


async def test_an_unknown_key_is_asked_for_each_time(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    unknown = f"Bearer {make_key(77).reveal()}"
    for _ in range(2):
        await assert_refused(authenticator, unknown)
    assert len(accounts.look_ups) == 2


_GOOD = make_key(1).reveal()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        _GOOD,
        f"Basic {_GOOD}",
        f"Bearer {_GOOD[:-1]}",
        f"Bearer {_GOOD[:-1]}!",
        f"Bearer {_GOOD} {_GOOD}",
        f"Bearer {_GOOD.swapcase()}",
        "Bearer " + "a" * 100_000,
        "Bearer \u00e4",
    ],
)
async def test_a_malformed_header_never_reaches_the_account_book(
    accounts: MemoryAccounts, authenticator: Authenticator, authorization: str | None
) -> None:
    accounts.open_account(ANNA)
    await assert_refused(authenticator, authorization)
    assert accounts.look_ups == []


async def test_a_refusal_never_repeats_the_key(authenticator: Authenticator) -> None:
    for text in (make_key(77).reveal(), make_key(77).reveal()[:-1]):
        with pytest.raises(Refusal) as caught:
            await authenticator.authenticate(f"Bearer {text}")
        assert text[10:] not in str(caught.value)


async def test_a_failed_look_up_is_no_refusal(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    anna = accounts.open_account(ANNA)
    accounts.failures = [LedgerUnavailable("gone")]
    with pytest.raises(LedgerUnavailable):
        await authenticator.authenticate(anna)
    assert (await authenticator.authenticate(anna)).account_id == ANNA


async def test_a_sessions_token_may_do_what_its_account_may(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    token = accounts.open_session(ANNA)
    for way in (f"Bearer {token}", f"bearer  {token} "):
        found = await authenticator.authenticate(way)
        assert found == Principal(ANNA, "account 1", SESSION_KEY_ID, ALL_SCOPES)


async def test_a_session_is_looked_up_for_each_request_and_refused_once_ended(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    token = accounts.open_session(ANNA)
    for _ in range(3):
        await authenticator.authenticate(f"Bearer {token}")
    assert accounts.session_look_ups == 3
    accounts.sessions.clear()
    await assert_refused(authenticator, f"Bearer {token}")


async def test_a_session_ends_by_the_lifetimes_and_the_clock_given(
    accounts: MemoryAccounts,
) -> None:
    time = datetime(2030, 1, 1, tzinfo=UTC)
    authenticator = Authenticator(accounts, LIFETIMES, now=lambda: time)
    used, unused = (f"Bearer {accounts.open_session(ANNA, time)}" for _ in range(2))
    time += LIFETIMES.idle - timedelta(seconds=1)
    await authenticator.authenticate(used)
    time += timedelta(seconds=1)
    await assert_refused(authenticator, unused)
    assert (await authenticator.authenticate(used)).account_id == ANNA


@pytest.mark.parametrize("form", ["{}", "Basic {}", "Bearer x{}"])
async def test_a_session_comes_as_a_bearer_token_alone(
    accounts: MemoryAccounts, authenticator: Authenticator, form: str
) -> None:
    await assert_refused(authenticator, form.format(accounts.open_session(ANNA)))
    assert accounts.session_look_ups == 0


async def test_a_session_is_no_key_that_a_revocation_could_name(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    token, anna = accounts.open_session(ANNA), accounts.open_account(ANNA)
    await authenticator.authenticate(anna)
    authenticator.changed(SESSION_KEY_ID)
    assert (await authenticator.authenticate(f"Bearer {token}")).account_id == ANNA
    await authenticator.authenticate(anna)
    assert len(accounts.look_ups) == 1


async def test_a_failed_look_up_of_a_session_is_no_refusal(
    accounts: MemoryAccounts, authenticator: Authenticator
) -> None:
    token = accounts.open_session(ANNA)
    accounts.failures = [LedgerUnavailable("gone")]
    with pytest.raises(LedgerUnavailable):
        await authenticator.authenticate(f"Bearer {token}")


async def test_a_session_scores_and_reads_as_its_account(replica: Replica) -> None:
    session = f"Bearer {replica.accounts.open_session(ANNA)}"
    paid = await post(replica.app, session, make_body())
    assert (paid.status, paid.json["credits_balance"]) == (200, "99")
    assert [charge.key_id for charge in replica.charged] == [SESSION_KEY_ID]
    headers = {"authorization": session}
    stored = await call(replica.app, f"{PREDICTIONS}/{paid.json['id']}", "GET", headers)
    assert stored.json == paid.json
    account = await call(replica.app, "/v1/account", "GET", headers)
    assert (account.json["account"], account.json["key_id"]) == ("account 1", SESSION_KEY_ID)
