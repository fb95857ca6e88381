"""Who answers for a model: its champion, a challenger on trial, and how that changes.

A pure state machine: each step takes a state and gives the next, or raises RolloutRefused. What is
stored is the state alone, `rollout.json` of the model's folder.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from models.errors import RolloutRefused

HISTORY_MAX = 50
PREVIOUS_MAX = 20
WHOLE_PERCENT = 100
_STRICT: ConfigDict = ConfigDict(extra="forbid", strict=True)


class Step(StrEnum):
    """What can happen to a model's rollout."""

    FIRST = "first"
    PROMOTE = "promote"
    CANARY = "canary"
    SHADOW = "shadow"
    END_TRIAL = "end_trial"
    ROLLBACK = "rollback"
    RETIRE = "retire"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Change:
    """One step, as the history tells it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    at: datetime
    step: Step
    version: str
    canary_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """The state of one model; illegal ones cannot be made.

    `previous` are former champions, the latest last. With `shadow` the challenger scores the rows
    that the champion answers, and nothing of it is answered or charged.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    champion: str
    challenger: str | None = None
    canary_percent: int = 0
    shadow: bool = False
    retired: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    history: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        on_trial = self.canary_percent > 0 or self.shadow
        rules = {
            "canary_percent is from 0 to 100": 0 <= self.canary_percent <= WHOLE_PERCENT,
            "a challenger has a canary or a shadow, and nothing else has": on_trial
            == (self.challenger is not None),
            "the champion is not its own challenger": self.champion != self.challenger,
            "champion and challenger are not retired": not (
                {self.champion, self.challenger} & set(self.retired)
            ),
            "no former champion is retired": not set(self.previous) & set(self.retired),
            "the champion is not the one before it": self.previous[-1:] != (self.champion,),
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise ValueError("; ".join(broken))

    @property
    def in_use(self) -> frozenset[str]:
        """The versions that answer or shadow."""
        return frozenset({self.champion, self.challenger} - {None})  # type: ignore[arg-type]

    def gets_challenger(self, account_id: uuid.UUID) -> bool:
        """Whether the canary answers this account; the same each time.

        A larger share keeps who was in the smaller one. Each challenger draws its accounts anew.
        """
        if self.challenger is None or not self.canary_percent:
            return False
        return canary_place(self.challenger, account_id) < self.canary_percent

    def version_for(self, account_id: uuid.UUID) -> str:
        """The version that answers this account where the request names none."""
        if self.challenger is not None and self.gets_challenger(account_id):
            return self.challenger
        return self.champion

    def promote(self, version: str, at: datetime) -> Rollout:
        """Make `version` the champion; a trial of another challenger goes on against it."""
        self._check_not_retired(version)
        if version == self.champion:
            return self
        state = self._without_trial() if version == self.challenger else self
        previous = (*state.previous, state.champion)[-PREVIOUS_MAX:]
        state = replace(state, champion=version, previous=previous)
        return _noted(state, at, Step.PROMOTE, version)

    def canary(self, version: str, percent: int, at: datetime) -> Rollout:
        """Let `version` answer this share of accounts; 0 leaves it its shadow, if it has one."""
        if not 0 <= percent <= WHOLE_PERCENT:
            raise RolloutRefused(f"a share is from 0 to 100 percent, not {percent}")
        self._check_may_challenge(version)
        if not percent and not (self.challenger == version and self.shadow):
            return self.end_trial(at)
        if (self.challenger, self.canary_percent) == (version, percent):
            return self
        state = replace(self, challenger=version, canary_percent=percent)
        return _noted(state, at, Step.CANARY, version, percent)

    def start_shadow(self, version: str, at: datetime) -> Rollout:
        """Let `version` score what the champion answers, beside its canary if it has one."""
        self._check_may_challenge(version)
        if self.shadow:
            return self
        state = replace(self, challenger=version, shadow=True)
        return _noted(state, at, Step.SHADOW, version)

    def end_shadow(self, at: datetime) -> Rollout:
        """Stop the shadow; a canary of the same challenger goes on."""
        if not self.shadow or not self.canary_percent:
            return self.end_trial(at)
        assert self.challenger is not None, "a shadow has a challenger"
        return _noted(replace(self, shadow=False), at, Step.END_TRIAL, self.challenger)

    def end_trial(self, at: datetime) -> Rollout:
        """Let the champion answer everyone, alone."""
        if self.challenger is None:
            return self
        return _noted(self._without_trial(), at, Step.END_TRIAL, self.challenger)

    def roll_back(self, at: datetime) -> Rollout:
        """Let the champion before this one answer everyone; a trial ends with it."""
        if not self.previous:
            raise RolloutRefused(
                f"version {self.champion} had no champion before it that could come back"
            )
        before = self.previous[-1]
        state = replace(self._without_trial(), champion=before, previous=self.previous[:-1])
        return _noted(state, at, Step.ROLLBACK, before)

    def retire(self, version: str, at: datetime) -> Rollout:
        """Refuse requests for `version` from now on; its files stay."""
        if version in self.retired:
            return self
        if version == self.champion:
            raise RolloutRefused(f"version {version} is the champion: promote another one first")
        if version == self.challenger:
            raise RolloutRefused(
                f"version {version} is the challenger: end its canary or shadow first"
            )
        state = replace(self, retired=(*self.retired, version), previous=self._before(version))
        return _noted(state, at, Step.RETIRE, version)

    def restore(self, version: str, at: datetime) -> Rollout:
        """Undo `retire`."""
        if version not in self.retired:
            return self
        left = tuple(one for one in self.retired if one != version)
        return _noted(replace(self, retired=left), at, Step.RESTORE, version)

    def forget_missing(self, existing: Collection[str]) -> Rollout:
        """Without the former champions whose folders were deleted: they cannot come back."""
        gone = set(self.previous) - set(existing)
        return replace(self, previous=self._before(*gone)) if gone else self

    def _before(self, *removed: str) -> tuple[str, ...]:
        """The former champions without these, and without repeats that this leaves."""
        kept: list[str] = []
        for one in self.previous:
            if one not in removed and kept[-1:] != [one]:
                kept.append(one)
        return tuple(kept[:-1] if kept[-1:] == [self.champion] else kept)

    def _without_trial(self) -> Rollout:
        return replace(self, challenger=None, canary_percent=0, shadow=False)

    def _check_may_challenge(self, version: str) -> None:
        self._check_not_retired(version)
        if version == self.champion:
            raise RolloutRefused(f"version {version} is the champion and answers everyone already")
        if self.challenger not in (None, version):
            raise RolloutRefused(f"version {self.challenger} is on trial: end that first")

    def _check_not_retired(self, version: str) -> None:
        if version in self.retired:
            raise RolloutRefused(f"version {version} is retired: restore it first")


def first_rollout(version: str, at: datetime) -> Rollout:
    """The state of a model with one version."""
    return Rollout(champion=version, history=(Change(at, Step.FIRST, version),))


def canary_place(challenger: str, account_id: uuid.UUID) -> int:
    """From 0 to 99, even over accounts, and not by age as the ids themselves are."""
    digest = hashlib.blake2b(challenger.encode() + account_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big") % WHOLE_PERCENT


def _noted(
    state: Rollout, at: datetime, step: Step, version: str, percent: int | None = None
) -> Rollout:
    change = Change(at, step, version, percent)
    return replace(state, history=(*state.history, change)[-HISTORY_MAX:])
