"""Passwords by Argon2id, hashed in threads of their own: a hash takes memory and much time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from billing.users.errors import PasswordsBusy

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class HashCost:
    """Parameters of Argon2id, and how many passwords are hashed at once or wait for it."""

    time_cost: int
    memory_kib: int
    parallelism: int
    at_once: int
    waiting_max: int


class Passwords:
    """Hashes and checks passwords; never more than `cost.at_once` at the same time."""

    def __init__(self, cost: HashCost) -> None:
        self._cost = cost
        self._hasher = PasswordHasher(
            time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=cost.parallelism
        )
        self._threads = ThreadPoolExecutor(cost.at_once, thread_name_prefix="passwords")
        self._taken = 0
        self._dummy_hash = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """With a fresh salt and the parameters of now. Raises PasswordsBusy."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, stored_hash: str | None) -> bool:
        """Whether it is the password; without a hash as slow, and never. Raises PasswordsBusy."""
        return await self._run(lambda: self._verify(password, stored_hash))

    def needs_rehash(self, stored_hash: str) -> bool:
        """Whether it was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(stored_hash)

    def _verify(self, password: str, stored_hash: str | None) -> bool:
        try:
            self._hasher.verify(stored_hash or self._dummy_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored_hash is not None

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._taken >= self._cost.at_once + self._cost.waiting_max:
            raise PasswordsBusy("too many passwords are being checked")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._taken -= 1
