"""The story of a request: what is charged, what is replayed and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from billing.charges import Charge, ChargeRejected, Outcome
from billing.credits import Credits
from billing.errors import (
    BillingError,
    LedgerBusy,
    LedgerUnavailable,
    OutcomeUnknown,
)
from billing.prices import PriceTable
from models.registry import Catalog
from serve.pricing import Pricing
from serve.refusals import Code, Refusal
from serve.settings import ValidatorConfig
from tests.support.serving import (
    ANNA,
    BORIS,
    GOOD_ROW,
    POISON_ROW,
    Models,
    Replica,
    make_body,
    make_prices,
    make_replica,
    sha256,
    turns,
)

pytestmark = pytest.mark.anyio


async def refused(replica: Replica, *arguments: str | bytes | None, **named: str | None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await replica.score(*arguments, **named)  # type: ignore[arg-type]
    return caught.value


def predictions(answer_bytes: bytes) -> list[dict[str, object]]:
    decoded: list[dict[str, object]] = json.loads(answer_bytes)
    return decoded


async def test_a_success_is_charged_once_and_answered_with_the_running_balance(
    replica: Replica,
) -> None:
    body = make_body(GOOD_ROW, [])
    answer = await replica.score(body)
    assert [each["label"] for each in predictions(answer.stored.predictions)] == [
        "malware",
        "goodware",
    ]
    assert (str(answer.stored.amount), str(answer.balance)) == ("2", "98")
    assert not answer.replayed
    assert await replica.balance() == "98"
    [charge] = replica.charged
    assert (charge.account_id, charge.instances, charge.model) == (ANNA, 2, "fragile")
    assert charge.body_sha256 == sha256(body)
    assert charge.predictions == answer.stored.predictions


async def test_balances_run_down_from_answer_to_answer(replica: Replica) -> None:
    assert [str((await replica.score()).balance) for _ in range(3)] == ["99", "98", "97"]


async def test_same_key_twice_charges_once_and_marks_the_replay(replica: Replica) -> None:
    first = await replica.score(key="k")
    again = await replica.score(key="k")
    assert again.stored == first.stored
    assert again.replayed
    assert await replica.balance() == "99"


async def test_a_replay_shows_the_balance_of_now(replica: Replica) -> None:
    await replica.score(key="k")
    await replica.score()
    assert str((await replica.score(key="k")).balance) == "98"


async def test_requests_without_a_key_are_charged_each(replica: Replica) -> None:
    first, second = await replica.score(), await replica.score()
    assert first.stored.charge_id != second.stored.charge_id
    assert not second.replayed
    assert await replica.balance() == "98"


async def test_a_replay_of_our_own_key_is_not_marked(replica: Replica) -> None:
    """Billing repeats a batch after a lost COMMIT: its client asked once and sees one answer."""
    charge = replica.cashier.charge

    async def charge_twice(charges: list[Charge]) -> list[Outcome]:
        await charge(charges)
        return await charge(charges)

    replica.cashier.charge = charge_twice  # type: ignore[method-assign,assignment]
    answer = await replica.score()
    assert not answer.replayed
    assert (await replica.score(key="k")).replayed


async def test_the_same_key_of_another_account_is_another_charge(replica: Replica) -> None:
    await replica.score(key="k")
    other = await replica.score(key="k", authorization=replica.boris)
    assert not other.replayed
    assert await replica.balance(BORIS) == "99"


async def test_a_key_with_another_body_is_a_conflict_and_free(replica: Replica) -> None:
    await replica.score(make_body(GOOD_ROW), key="k")
    refusal = await refused(replica, make_body([]), key="k")
    assert refusal.code is Code.IDEMPOTENCY_KEY_CONFLICT
    assert await replica.balance() == "99"


async def test_a_key_in_flight_is_refused_until_the_first_is_done(replica: Replica) -> None:
    replica.scorer.gate.clear()
    first = asyncio.create_task(replica.score(key="k"))
    await turns()
    assert (await refused(replica, key="k")).code is Code.REQUEST_IN_FLIGHT
    replica.scorer.gate.set()
    await first
    assert (await replica.score(key="k")).replayed


def go_broke(replica: Replica) -> None:
    replica.ledger.grant(ANNA, Credits.parse("-99"))
    replica.balances.saw(ANNA, Credits(0))


def retire_model(replica: Replica) -> None:
    replica.pipeline.models.take(Catalog(()))


def lose_scorer(replica: Replica) -> None:
    replica.scorer.failure = Refusal(Code.SCORER_UNAVAILABLE, "gone")


def lose_cashier(replica: Replica) -> None:
    replica.cashier.failure = LedgerUnavailable("gone")


def lower_bounds(replica: Replica) -> None:
    replica.pipeline.batcher.config = ValidatorConfig(instances_max=1)


CHANGES = [
    (go_broke, Code.INSUFFICIENT_CREDITS),
    (retire_model, Code.MODEL_NOT_FOUND),
    (lose_scorer, Code.SCORER_UNAVAILABLE),
    (lose_cashier, Code.LEDGER_UNAVAILABLE),
    (lower_bounds, Code.INVALID_REQUEST),
]


@pytest.mark.parametrize(("change", "code"), CHANGES)
async def test_what_was_paid_is_replayed_whatever_changed_since(
    replica: Replica, change: Callable[[Replica], None], code: Code
) -> None:
    body = make_body(GOOD_ROW, GOOD_ROW)
    paid = await replica.score(body, key="k")
    change(replica)
    again = await replica.score(body, key="k")
    assert again.stored == paid.stored
    assert again.replayed
    assert (await refused(replica, body, key="another")).code is code
    assert (await refused(replica, body)).code is code


async def test_another_body_conflicts_although_its_model_is_gone(replica: Replica) -> None:
    await replica.score(key="k")
    refusal = await refused(replica, make_body(model="gone"), key="k")
    assert refusal.code is Code.IDEMPOTENCY_KEY_CONFLICT


async def test_an_expired_answer_says_so_and_is_not_charged_again(replica: Replica) -> None:
    await replica.score(key="k")
    replica.ledger.expire_answers()
    assert (await refused(replica, key="k")).code is Code.ANSWER_EXPIRED
    assert await replica.balance() == "99"


async def test_the_refusal_stands_where_history_cannot_be_read(replica: Replica) -> None:
    async def find_earlier(*_: object) -> None:
        raise LedgerUnavailable("gone")

    replica.pipeline.history.find_earlier = find_earlier  # type: ignore[method-assign,assignment]
    refusal = await refused(replica, make_body(model="gone"), key="k")
    assert refusal.code is Code.MODEL_NOT_FOUND


async def test_too_few_credits_name_what_is_needed_and_what_is_there(models: Models) -> None:
    replica = make_replica(models, credits_granted="1.5")
    refusal = await refused(replica, make_body(GOOD_ROW, GOOD_ROW))
    assert refusal.code is Code.INSUFFICIENT_CREDITS
    assert refusal.members == {"required": "2", "available": "1.5"}
    assert await replica.balance() == "1.5"


async def test_a_balance_just_seen_refuses_before_any_hop(models: Models) -> None:
    replica = make_replica(models, credits_granted="1")
    await replica.score()
    for _ in range(3):
        assert (await refused(replica)).code is Code.INSUFFICIENT_CREDITS
    assert replica.scorer.rows == [1]
    assert len(replica.cashier.batches) == 1


async def test_a_balance_that_a_refused_charge_told_refuses_before_any_hop(models: Models) -> None:
    replica = make_replica(models, credits_granted="0.5")
    await refused(replica)
    assert (await refused(replica)).members == {"required": "1", "available": "0.5"}
    assert replica.scorer.rows == [1]


async def test_a_row_the_model_fails_on_is_refused_alone_and_free(replica: Replica) -> None:
    replica.scorer.gate.clear()
    first = asyncio.create_task(replica.score())
    await turns()
    bad = asyncio.create_task(replica.score(make_body(GOOD_ROW, POISON_ROW)))
    neighbours = [
        asyncio.create_task(replica.score(authorization=who))
        for who in (replica.anna, replica.boris)
    ]
    await turns()
    replica.scorer.gate.set()
    await first
    with pytest.raises(Refusal) as caught:
        await bad
    assert caught.value.code is Code.PREDICTION_FAILED
    assert "Instances it failed on: 1." in caught.value.detail
    await asyncio.gather(*neighbours)
    assert replica.scorer.rows == [1, 4]
    assert (await replica.balance(ANNA), await replica.balance(BORIS)) == ("98", "99")


async def test_a_batch_in_which_nothing_was_predicted_never_reaches_billing(
    replica: Replica,
) -> None:
    assert (await refused(replica, make_body(POISON_ROW))).code is Code.PREDICTION_FAILED
    assert replica.cashier.batches == []


async def test_faults_are_found_before_any_hop(replica: Replica) -> None:
    bodies = {
        b"{": Code.INVALID_JSON,
        make_body(["NO_SUCH_THING"]): Code.INVALID_REQUEST,
        make_body(model="gone"): Code.MODEL_NOT_FOUND,
        make_body(version="9"): Code.VERSION_NOT_FOUND,
    }
    for body, code in bodies.items():
        assert (await refused(replica, body)).code is code
    assert replica.scorer.rows == []


async def test_a_request_that_waits_past_its_deadline_is_withdrawn_and_never_charged(
    models: Models,
) -> None:
    replica = make_replica(models, deadline_seconds=0.05)
    replica.scorer.gate.clear()
    under_way = asyncio.create_task(replica.score())
    await turns()
    refusal = await refused(replica, key="k", authorization=replica.boris)
    assert refusal.code is Code.DEADLINE_EXCEEDED
    assert "nothing was charged" in refusal.detail
    await asyncio.wait([under_way])
    assert isinstance(under_way.exception(), Refusal)
    replica.scorer.gate.set()
    await replica.pipeline.batcher.close()
    assert [charge.account_id for charge in replica.charged] == [ANNA]
    assert await replica.balance(BORIS) == "100"


async def test_a_charge_under_way_at_the_deadline_stands_and_a_retry_replays_it(
    models: Models,
) -> None:
    replica = make_replica(models, deadline_seconds=0.05)
    replica.cashier.gate.clear()
    refusal = await refused(replica, key="k")
    assert refusal.code is Code.DEADLINE_EXCEEDED
    assert "may yet be charged" in refusal.detail
    replica.cashier.gate.set()
    await replica.pipeline.batcher.close()
    assert await replica.balance() == "99"
    assert (await replica.score(key="k")).replayed
    assert await replica.balance() == "99"


async def test_however_many_are_answered_there_is_one_timer_for_their_deadlines(
    models: Models,
) -> None:
    replica = make_replica(models, deadline_seconds=60)
    loop = asyncio.get_running_loop()
    before = timers(loop)
    for _ in range(10):
        await replica.score()
    assert timers(loop) == before + 1


def timers(loop: asyncio.AbstractEventLoop) -> int:
    """How many calls the loop still has to make later; each holds on to a request."""
    return sum(not each.cancelled() for each in loop._scheduled)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (LedgerUnavailable("gone"), Code.LEDGER_UNAVAILABLE, "nothing was charged"),
        (LedgerBusy("full"), Code.QUEUE_FULL, "nothing was charged"),
        (OutcomeUnknown("lost"), Code.LEDGER_UNAVAILABLE, "may or may not"),
        (BillingError("other"), Code.INTERNAL_ERROR, "nothing was charged"),
    ],
)
async def test_a_failure_of_billing_has_its_code(
    replica: Replica, failure: BillingError, code: Code, words: str
) -> None:
    replica.cashier.failure = failure
    refusal = await refused(replica)
    assert refusal.code is code
    assert words in refusal.detail
    assert await replica.balance() == "100"


async def test_a_lost_outcome_that_was_committed_is_replayed_to_a_retry(replica: Replica) -> None:
    replica.cashier.failure = OutcomeUnknown("lost")
    replica.cashier.fails_after_commit = True
    assert (await replica.score(key="k")).replayed, "the ledger knows the charge by now"
    replica.cashier.failure = None
    assert (await replica.score(key="k")).replayed
    assert await replica.balance() == "99"


async def test_a_charge_that_the_ledger_rejects_is_an_internal_error(replica: Replica) -> None:
    async def reject(charges: list[Charge]) -> list[Outcome]:
        return [ChargeRejected(charge.charge_id) for charge in charges]

    replica.cashier.charge = reject  # type: ignore[method-assign,assignment]
    assert (await refused(replica, key="k")).code is Code.INTERNAL_ERROR


async def test_an_account_book_out_of_reach_is_the_ledger_out_of_reach(replica: Replica) -> None:
    replica.accounts.failures = [LedgerUnavailable("gone")]
    assert (await refused(replica)).code is Code.LEDGER_UNAVAILABLE


async def test_an_unknown_key_is_refused(replica: Replica) -> None:
    refusal = await refused(replica, authorization="Bearer fb_live_x")
    assert refusal.code is Code.UNAUTHENTICATED


async def test_cancelled_callers_leave_the_others_unharmed(replica: Replica) -> None:
    replica.scorer.gate.clear()
    leading = asyncio.create_task(replica.score(authorization=replica.boris))
    await turns()
    gone, patient = (asyncio.create_task(replica.score()) for _ in range(2))
    await turns()
    leading.cancel()
    gone.cancel()
    await asyncio.wait([leading, gone])
    assert leading.cancelled()
    assert gone.cancelled()
    replica.scorer.gate.set()
    assert str((await patient).balance) == "99"
    assert replica.scorer.rows == [1, 1], "who waited is withdrawn, who was under way is not"
    assert await replica.balance(BORIS) == "99"


async def test_the_price_is_fixed_at_admission(replica: Replica) -> None:
    keeping = asyncio.create_task(replica.pipeline.pricing.keep_fresh())
    replica.scorer.gate.clear()
    waiting = asyncio.create_task(replica.score())
    await turns()
    replica.accounts.prices = make_prices("5")
    replica.pipeline.pricing.changed()
    await turns()
    replica.scorer.gate.set()
    assert str((await waiting).stored.amount) == "1"
    assert str((await replica.score()).stored.amount) == "5"
    keeping.cancel()


async def test_a_model_without_a_price_is_not_scored_and_what_was_paid_is_replayed(
    replica: Replica,
) -> None:
    paid = await replica.score(key="k")
    replica.pipeline.pricing = Pricing(replica.accounts, PriceTable(()))
    assert (await refused(replica)).code is Code.PRICE_MISSING
    assert (await replica.score(key="k")).stored == paid.stored
    assert replica.scorer.rows == [1]
    assert await replica.balance() == "99"
