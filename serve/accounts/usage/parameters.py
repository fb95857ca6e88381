"""The query parameters that reports share."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Query

from billing.reports.values import HOUR, Span
from serve.accounts.services import ServicesDependency
from serve.refusals import Code, Fault, Refusal
from serve.wire import Moment

_DEFAULT_SPAN = timedelta(days=30)


async def _span(
    services: ServicesDependency,
    since: Annotated[
        Moment | None,
        Query(description="From the whole hour at or before; 30 days before `until` if left out"),
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Up to the whole hour at or after; now if left out")
    ] = None,
) -> Span:
    end = until or services.now()
    begin = since or end - _DEFAULT_SPAN
    if begin >= end:
        raise invalid("query/since", "`since` must be before `until`.")
    return Span(begin, end).outward(HOUR)


SpanDependency = Annotated[Span, Depends(_span)]


def invalid(pointer: str, detail: str) -> Refusal:
    """A parameter is not as it should be."""
    return Refusal(Code.INVALID_REQUEST, detail, None, (Fault(pointer, detail),))
