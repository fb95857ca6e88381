"""The state machine of a rollout: each step, and what no order of steps can break."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models.errors import RolloutRefused
from models.rollout import HISTORY_MAX, PREVIOUS_MAX, Rollout, Step, first_rollout

AT = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = [uuid.UUID(int=number) for number in range(4_000)]
FIRST = first_rollout("1", AT)


def test_promoted_version_answers_and_the_one_before_comes_back_by_rollback() -> None:
    promoted = FIRST.promote("2", AT)
    assert (promoted.champion, promoted.previous) == ("2", ("1",))
    back = promoted.roll_back(AT)
    assert (back.champion, back.previous) == ("1", ())
    with pytest.raises(RolloutRefused, match="no champion before"):
        back.roll_back(AT)


def test_promoting_the_challenger_ends_its_trial() -> None:
    state = FIRST.canary("2", 10, AT).start_shadow("2", AT).promote("2", AT)
    assert (state.champion, state.challenger, state.canary_percent, state.shadow) == (
        "2",
        None,
        0,
        False,
    )


def test_promoting_another_version_leaves_the_trial_as_it_is() -> None:
    state = FIRST.canary("2", 10, AT).promote("3", AT)
    assert (state.champion, state.challenger, state.canary_percent) == ("3", "2", 10)


def test_rollback_ends_a_trial() -> None:
    state = FIRST.promote("2", AT).canary("3", 50, AT).roll_back(AT)
    assert (state.champion, state.challenger, state.canary_percent) == ("1", None, 0)


def test_canary_and_shadow_of_one_challenger_end_one_by_one() -> None:
    both = FIRST.canary("2", 10, AT).start_shadow("2", AT)
    assert both.end_shadow(AT).canary_percent == 10
    shadow_alone = both.canary("2", 0, AT)
    assert (shadow_alone.challenger, shadow_alone.shadow) == ("2", True)
    assert shadow_alone.end_shadow(AT).challenger is None


def test_retired_former_champion_is_no_aim_of_a_rollback() -> None:
    state = FIRST.promote("2", AT).promote("3", AT).retire("2", AT)
    assert state.roll_back(AT).champion == "1"


def test_deleted_former_champion_is_no_aim_of_a_rollback() -> None:
    state = FIRST.promote("2", AT).promote("3", AT).forget_missing(["1", "3"])
    assert state.roll_back(AT).champion == "1"


def test_former_champion_between_two_turns_of_the_same_one_can_be_retired() -> None:
    state = FIRST.promote("2", AT).promote("1", AT).retire("2", AT)
    assert (state.champion, state.previous) == ("1", ())


REFUSED: list[tuple[Callable[[], Rollout], str]] = [
    (lambda: FIRST.retire("1", AT), "is the champion"),
    (lambda: FIRST.canary("2", 1, AT).retire("2", AT), "is the challenger"),
    (lambda: FIRST.start_shadow("2", AT).retire("2", AT), "is the challenger"),
    (lambda: FIRST.retire("2", AT).promote("2", AT), "is retired"),
    (lambda: FIRST.retire("2", AT).canary("2", 5, AT), "is retired"),
    (lambda: FIRST.canary("1", 5, AT), "is the champion"),
    (lambda: FIRST.start_shadow("1", AT), "is the champion"),
    (lambda: FIRST.canary("2", 5, AT).canary("3", 5, AT), "2 is on trial"),
    (lambda: FIRST.canary("2", 5, AT).start_shadow("3", AT), "2 is on trial"),
    (lambda: FIRST.canary("2", 101, AT), "not 101"),
]


@pytest.mark.parametrize(("step", "reason"), REFUSED)
def test_step_that_does_not_follow_is_refused(step: Callable[[], Rollout], reason: str) -> None:
    with pytest.raises(RolloutRefused, match=reason):
        step()


@pytest.mark.parametrize(
    "wrong",
    [
        {"canary_percent": 5},
        {"shadow": True},
        {"challenger": "2"},
        {"challenger": "1", "shadow": True},
        {"challenger": "2", "canary_percent": 101},
        {"retired": ("1",)},
        {"previous": ("2",), "retired": ("2",)},
        {"previous": ("1",)},
    ],
)
def test_illegal_states_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Rollout(champion="1", **wrong)


def test_steps_that_change_nothing_are_not_told() -> None:
    canary = FIRST.canary("2", 5, AT)
    assert canary.canary("2", 5, AT) is canary
    assert FIRST.promote("1", AT) is FIRST
    assert FIRST.end_trial(AT) is FIRST
    assert FIRST.restore("2", AT) is FIRST
    assert [change.step for change in canary.history] == [Step.FIRST, Step.CANARY]


def test_history_and_former_champions_are_bounded() -> None:
    state = FIRST
    for number in range(2, 2 + 2 * HISTORY_MAX):
        state = state.promote(str(number), AT)
    assert len(state.history) == HISTORY_MAX
    assert len(state.previous) == PREVIOUS_MAX
    assert state.roll_back(AT).champion == str(2 * HISTORY_MAX)


def test_canary_answers_its_share_and_a_larger_one_keeps_them() -> None:
    small = {one for one in ACCOUNTS if FIRST.canary("2", 10, AT).gets_challenger(one)}
    large = {one for one in ACCOUNTS if FIRST.canary("2", 30, AT).gets_challenger(one)}
    assert small < large
    assert 0.08 < len(small) / len(ACCOUNTS) < 0.12
    assert 0.27 < len(large) / len(ACCOUNTS) < 0.33


def test_whole_share_answers_everyone_and_a_shadow_nobody() -> None:
    assert all(FIRST.canary("2", 100, AT).version_for(one) == "2" for one in ACCOUNTS)
    assert all(FIRST.start_shadow("2", AT).version_for(one) == "1" for one in ACCOUNTS)


def test_each_challenger_draws_its_own_accounts() -> None:
    shares = [
        frozenset(one for one in ACCOUNTS if FIRST.canary(version, 20, AT).gets_challenger(one))
        for version in ("2", "3")
    ]
    both = len(shares[0] & shares[1])
    assert both < len(shares[0]) / 2


class AnyOrder(RuleBasedStateMachine):
    """Steps in any order. A state that breaks a rule cannot be made, so it would raise."""

    versions = st.sampled_from([str(number) for number in range(1, 6)])

    def __init__(self) -> None:
        super().__init__()
        self.state = FIRST

    def take(self, step: Callable[[], Rollout]) -> Rollout:
        """The state before; the step may be refused, and then nothing changes."""
        before = self.state
        with contextlib.suppress(RolloutRefused):
            self.state = step()
        return before

    @rule(version=versions)
    def promote(self, version: str) -> None:
        before = self.take(lambda: self.state.promote(version, AT))
        assert (self.state.champion == version) is (version not in before.retired)
        if self.state is not before:
            assert self.state.roll_back(AT).champion == before.champion

    @rule(version=versions, percent=st.integers(0, 100))
    def canary(self, version: str, percent: int) -> None:
        self.take(lambda: self.state.canary(version, percent, AT))

    @rule(version=versions)
    def start_shadow(self, version: str) -> None:
        self.take(lambda: self.state.start_shadow(version, AT))

    @rule()
    def end_shadow(self) -> None:
        self.take(lambda: self.state.end_shadow(AT))
        assert not self.state.shadow

    @rule()
    def end_trial(self) -> None:
        self.take(lambda: self.state.end_trial(AT))
        assert self.state.challenger is None

    @rule()
    def roll_back(self) -> None:
        before = self.take(lambda: self.state.roll_back(AT))
        if before.previous:
            assert self.state.champion == before.previous[-1]

    @rule(version=versions)
    def retire(self, version: str) -> None:
        before = self.take(lambda: self.state.retire(version, AT))
        assert (version in self.state.retired) is (version not in before.in_use)

    @rule(version=versions)
    def restore(self, version: str) -> None:
        self.take(lambda: self.state.restore(version, AT))
        assert version not in self.state.retired

    @invariant()
    def every_account_is_answered_by_a_version_in_use(self) -> None:
        answering = {self.state.version_for(account) for account in ACCOUNTS[:20]}
        assert answering <= self.state.in_use
        assert not answering & set(self.state.retired)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
