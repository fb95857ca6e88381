"""A dictionary that forgets its oldest entries past a bound."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedDict(dict[Key, Value]):
    """Entries leave in the order they came in, once there are more than `entries_max`.

    A look-up is that of `dict`; an LRU's bookkeeping in Python costs ten times as much, on every
    request, to choose a little better what is forgotten.
    """

    def __init__(self, entries_max: int) -> None:
        super().__init__()
        self._entries_max = entries_max

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._entries_max:
            del self[next(iter(self))]
