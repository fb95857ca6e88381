"""Days as people choose them, and moments as the API takes them: all in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from babel.dates import format_date

from frontend.language import Language


class NotADay(ValueError):
    """What was typed is no day of the calendar."""


def begin_of(day: str | None) -> str | None:
    """The first moment of `2026-05-31`; None where none was chosen. Raises NotADay."""
    chosen = read_day(day)
    return moment_of(chosen) if chosen else None


def end_of(day: str | None) -> str | None:
    """The first moment behind that day, so that the day itself is within. Raises NotADay."""
    chosen = read_day(day)
    return moment_of(chosen + timedelta(days=1)) if chosen else None


def last_day(moment: str | None) -> str:
    """The last day that lies before a moment in part at least; "" for none."""
    if moment is None:
        return ""
    read = datetime.fromisoformat(moment).astimezone(UTC)
    return (read - timedelta(microseconds=1)).date().isoformat()


def is_within(moment: str | None, days: int, now: datetime) -> bool:
    """Whether that moment comes in so many days."""
    return moment is not None and datetime.fromisoformat(moment) < now + timedelta(days=days)


def show_month(month: str, language: Language) -> str:
    """`2026-05` as `May 2026`."""
    return format_date(date.fromisoformat(f"{month}-01"), "LLLL y", locale=str(language))


def read_day(day: str | None) -> date | None:
    """`2026-05-31`; None where none was chosen. Raises NotADay."""
    text = (day or "").strip()
    if not text:
        return None
    try:
        chosen = date.fromisoformat(text)
    except ValueError as error:
        raise NotADay(text) from error
    if not date(2000, 1, 1) <= chosen <= date(8999, 12, 30):
        raise NotADay(text)
    return chosen


def moment_of(day: date) -> str:
    """The first one of that day."""
    return datetime.combine(day, time(), UTC).isoformat().replace("+00:00", "Z")
