"""Which grants pay for what, by rule and however it is cut."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.grants.settlement import Debit, OpenGrant, Span, settle_debits

_NOW = datetime(2030, 1, 1, tzinfo=UTC)


def _id(number: int) -> uuid.UUID:
    return uuid.UUID(int=number)


def _grant(
    number: int,
    amount: int,
    *,
    sequence: int = 0,
    priority: int = 50,
    days: int | None = None,
    source: int | None = None,
) -> OpenGrant:
    return OpenGrant(
        _id(number),
        sequence,
        priority,
        None if days is None else _NOW + timedelta(days=days),
        amount,
        None if source is None else _id(source),
    )


def _charges(*amounts: int) -> list[Debit]:
    return [Debit(10 + place, "charge", amount) for place, amount in enumerate(amounts)]


Uses = dict[int, list[tuple[uuid.UUID, int]]]


def _expand(spans: list[Span], debits: list[Debit]) -> Uses:
    """What each debit took of each grant, read back from the spans."""
    uses: Uses = defaultdict(list)
    for span in spans:
        total = 0
        for debit in debits:
            if not span.first_sequence <= debit.sequence <= span.last_sequence:
                continue
            paid = debit.microcredits
            if debit.sequence == span.first_sequence:
                paid = span.first_microcredits
            elif debit.sequence == span.last_sequence:
                paid = span.last_microcredits
            uses[debit.sequence].append((span.grant_id, paid))
            total += paid
        assert total == span.amount_microcredits
    return {sequence: sorted(paid) for sequence, paid in uses.items()}


def test_smaller_priority_burns_first_then_earlier_expiry_then_smaller_id() -> None:
    grants = [
        _grant(1, 1, priority=100),
        _grant(2, 1),
        _grant(3, 1, days=2),
        _grant(5, 1, days=1),
        _grant(4, 1, days=1),
        _grant(6, 1, priority=0),
    ]
    settlement = settle_debits(grants, _charges(1, 1, 1, 1, 1, 1))
    assert [span.grant_id.int for span in settlement.spans] == [6, 4, 5, 3, 2, 1]
    assert set(settlement.remaining_microcredits.values()) == {0}


def test_grant_pays_for_later_entries_alone() -> None:
    grants = [_grant(1, 5), _grant(2, 5, priority=0, sequence=11)]
    debits = [Debit(10, "charge", 2), Debit(12, "charge", 2)]
    assert settle_debits(grants, debits).remaining_microcredits == {_id(1): 3, _id(2): 3}


def test_run_of_charges_is_one_span_with_both_ends_in_part() -> None:
    grants = [_grant(1, 3), _grant(2, 7), _grant(3, 9)]
    settlement = settle_debits(grants, _charges(2, 2, 2, 2, 4))
    assert settlement.spans == [
        Span(_id(1), 10, 2, 11, 1, 3, is_last_whole=False),
        Span(_id(2), 11, 1, 14, 2, 7, is_last_whole=False),
        Span(_id(3), 14, 2, 14, 2, 2, is_last_whole=False),
    ]


def test_expiry_takes_its_own_grant() -> None:
    grants = [_grant(1, 5), _grant(2, 5, priority=100)]
    settlement = settle_debits(grants, [Debit(10, "expiry", 4, _id(2))])
    assert settlement.remaining_microcredits == {_id(2): 1}


def test_expiry_of_more_than_the_grant_had_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="more than its grant"):
        settle_debits([_grant(1, 5), _grant(2, 5)], [Debit(10, "expiry", 6, _id(2))])


def test_more_than_there_was_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="more than all grants"):
        settle_debits([_grant(1, 5), _grant(2, 5, sequence=10)], _charges(6))


def test_chargeback_takes_its_top_up_first_then_the_rest_in_order() -> None:
    grants = [_grant(1, 5), _grant(2, 5, priority=100, source=77), _grant(3, 5, priority=100)]
    settlement = settle_debits(grants, [Debit(10, "adjustment", 12, _id(77))])
    assert settlement.remaining_microcredits == {_id(2): 0, _id(1): 0, _id(3): 3}


def test_adjustment_without_a_source_burns_in_order() -> None:
    grants = [_grant(1, 5), _grant(2, 5, priority=100)]
    settlement = settle_debits(grants, [Debit(10, "adjustment", 6)])
    assert settlement.remaining_microcredits == {_id(1): 0, _id(2): 4}


def test_middle_of_a_span_is_always_whole() -> None:
    """Grant 1 pays a part of the chargeback: what follows must not hide that in a middle."""
    grants = [_grant(1, 50), _grant(2, 1, priority=100, source=77)]
    debits = [
        Debit(10, "charge", 5),
        Debit(11, "adjustment", 4, _id(77)),
        Debit(12, "charge", 5),
    ]
    spans = settle_debits(grants, debits).spans
    assert _expand(spans, debits)[11] == [(_id(1), 3), (_id(2), 1)]
    assert [(span.first_sequence, span.last_sequence) for span in spans] == [
        (10, 11),
        (11, 11),
        (12, 12),
    ]


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[OpenGrant], list[Debit], list[int]]:
    """Any account's grants and debits that its balance allowed, and places to cut between them."""
    grants: list[OpenGrant] = []
    debits: list[Debit] = []
    sources = st.none() | st.integers(1000, 1002)
    for sequence in range(1, draw(st.integers(2, 40))):
        burnt = settle_debits(grants, debits).remaining_microcredits
        left = {grant.id: burnt.get(grant.id, grant.remaining_microcredits) for grant in grants}
        available = sum(left.values())
        kind = draw(
            st.sampled_from(["grant", "charge", "charge", "charge", "expiry", "adjustment"])
        )
        if kind == "grant" or available == 0:
            grants.append(
                _grant(
                    draw(st.integers(0, 9)) * 1000 + sequence,
                    draw(st.integers(1, 20)),
                    sequence=sequence,
                    priority=draw(st.sampled_from([0, 50, 100])),
                    days=draw(st.none() | st.integers(1, 3)),
                    source=draw(sources),
                )
            )
        elif kind == "expiry":
            grant_id = draw(st.sampled_from([each for each in left if left[each]]))
            amount = draw(st.integers(1, left[grant_id]))
            debits.append(Debit(sequence, kind, amount, grant_id))
        else:
            amount = draw(st.integers(1, min(available, 6)))
            source = draw(sources) if kind == "adjustment" else None
            debits.append(Debit(sequence, kind, amount, source and _id(source)))
    cuts = draw(st.lists(st.integers(0, 40), max_size=6))
    return grants, debits, sorted(cuts)


def _settle_in_parts(
    grants: list[OpenGrant], debits: list[Debit], cuts: list[int]
) -> tuple[dict[uuid.UUID, int], list[Span]]:
    left = {grant.id: grant.remaining_microcredits for grant in grants}
    spans: list[Span] = []
    for begin, end in zip([0, *cuts], [*cuts, 1000], strict=True):
        # A chunk sees what is open then, and perhaps grants that come after it.
        still_open = [
            replace(grant, remaining_microcredits=left[grant.id])
            for grant in grants
            if left[grant.id] > 0
        ]
        chunk = [debit for debit in debits if begin <= debit.sequence < end]
        settlement = settle_debits(still_open, chunk)
        left.update(settlement.remaining_microcredits)
        spans.extend(settlement.spans)
    return left, spans


@given(_histories())
def test_any_cut_gives_the_same_uses(
    history: tuple[list[OpenGrant], list[Debit], list[int]],
) -> None:
    grants, debits, cuts = history
    left, spans = _settle_in_parts(grants, debits, [])
    left_cut, spans_cut = _settle_in_parts(grants, debits, cuts)
    uses = _expand(spans, debits)
    assert left == left_cut
    assert uses == _expand(spans_cut, debits)
    for debit in debits:
        assert sum(paid for _, paid in uses[debit.sequence]) == debit.microcredits
    for grant in grants:
        used = sum(span.amount_microcredits for span in spans if span.grant_id == grant.id)
        assert left[grant.id] == grant.remaining_microcredits - used >= 0


@given(_histories())
def test_spans_share_one_debit_at_most(
    history: tuple[list[OpenGrant], list[Debit], list[int]],
) -> None:
    """`fetch_uses` relies upon it."""
    grants, debits, cuts = history
    _, spans = _settle_in_parts(grants, debits, cuts)
    for one in spans:
        for other in spans:
            if one is not other:
                begin = max(one.first_sequence, other.first_sequence)
                end = min(one.last_sequence, other.last_sequence)
                assert end <= begin
