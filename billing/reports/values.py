"""Times that reports are about: whole hours, days and months, always UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_YEAR_MAX = 9999
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class Step(StrEnum):
    """How long a period of a report is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Group(StrEnum):
    """What usage is kept apart by."""

    MODEL = "model"
    VERSION = "version"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on, up to `until` and without it."""

    since: datetime
    until: datetime

    def outward(self, step: timedelta) -> Span:
        """The shortest span of whole steps (minutes, hours, days) around it."""
        since, until = floor_time(self.since, step), floor_time(self.until, step)
        return Span(since, until if until == self.until else until + step)


def floor_time(time: datetime, step: timedelta) -> datetime:
    """The last whole step (minute, hour, day) not after `time`."""
    return _BEGIN + (time - _BEGIN) // step * step


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-05`; a ValueError for anything else."""
        match = _MONTH.fullmatch(text)
        if match is None or int(match[1]) not in range(_BEGIN.year, _YEAR_MAX):
            raise ValueError(f"{text!r} is not a month: write it as 2026-05")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, time: datetime) -> Month:
        """The month that `time` is in."""
        utc = time.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def begin(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """Where the next one begins."""
        return self.next.begin

    @property
    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> Month:
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"
