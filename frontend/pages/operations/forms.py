"""Reads what operators type, and says what is wrong with it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from frontend import prices

_MOMENTS = ("%Y-%m-%d", "%Y-%m-%d %H:%M")
_REASON_MAX = 500


class FormFault(Exception):
    """What was typed cannot be meant; `name` is the text that says how to mend it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_amount(text: str | None, *, signed: bool = False, zero: bool = False) -> str:
    """Plain decimal text as the API takes it; what commas mean is said in `prices.read_amount`."""
    typed = (text or "").strip().replace("\N{MINUS SIGN}", "-")
    sign = typed[:1] if typed.startswith(("+", "-")) else ""
    amount = prices.read_amount(typed.removeprefix(sign))
    if amount is None:
        raise FormFault("amount_unreadable")
    if sign == "-" and not signed:
        raise FormFault("amount_negative")
    if amount == "0" and not zero:
        raise FormFault("amount_zero")
    return sign.strip("+") + amount


def read_reason(text: str | None) -> str:
    """Every movement by hand has one."""
    reason = (text or "").strip()
    if not reason:
        raise FormFault("reason_missing")
    if len(reason) > _REASON_MAX:
        raise FormFault("reason_long")
    return reason


def read_moment(text: str | None, now: datetime) -> str | None:
    """A time to come in UTC, `2027-01-31` or `2027-01-31 09:00`; None where nothing is typed."""
    plain = " ".join((text or "").removesuffix("UTC").split())
    if not plain:
        return None
    for pattern in _MOMENTS:
        try:
            moment = datetime.strptime(plain, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        if moment <= now:
            raise FormFault("moment_past")
        return moment.isoformat()
    raise FormFault("moment_unreadable")


def read_id(text: str | None) -> str:
    """Of a prediction."""
    try:
        return str(uuid.UUID((text or "").strip()))
    except ValueError:
        raise FormFault("prediction_unreadable") from None
