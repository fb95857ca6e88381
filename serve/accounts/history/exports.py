"""A whole history as a file that is sent while it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from serve.accounts.access import CallerDependency
from serve.accounts.history.columns import Column
from serve.accounts.history.files import CsvFile, ExportFile, ParquetFile
from serve.accounts.services import ServicesDependency


class Format(StrEnum):
    """How a list is answered."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


_FILES: dict[Format, type[CsvFile | ParquetFile]] = {
    Format.CSV: CsvFile,
    Format.PARQUET: ParquetFile,
}
_MEDIA_TYPES = {
    Format.CSV: "text/csv",
    Format.PARQUET: "application/vnd.apache.parquet",
}

FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page, or with `format` all of it as a file",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in _MEDIA_TYPES.values()
        },
    }
}
"""For OpenAPI, beside the page."""


async def _export_slot(
    services: ServicesDependency,
    caller: CallerDependency,
    format: Annotated[  # noqa: A002 - the name of the parameter
        Format,
        Query(
            description="`csv` and `parquet`: everything that the filters let through in one file, "
            "oldest first; `limit` and `cursor` do not count"
        ),
    ] = Format.JSON,
) -> AsyncIterator[Format]:
    """An export holds its slot until its last byte was sent or its client has gone."""
    if format is Format.JSON:
        yield format
        return
    with services.exports.slot(caller.account_id, services.settings.exports_max):
        yield format


FormatDependency = Annotated[Format, Depends(_export_slot)]


def send_file(
    form: Format, name: str, columns: Sequence[Column], chunks: AsyncIterator[Sequence[Any]]
) -> StreamingResponse:
    """The file of all `chunks`, each asked for once the one before was sent."""
    return StreamingResponse(
        _encode(_FILES[form](columns), chunks),
        media_type=_MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'},
    )


async def _encode(file: ExportFile, chunks: AsyncIterator[Sequence[Any]]) -> AsyncIterator[bytes]:
    """Encoded in threads: the event loop has other answers to send."""
    yield file.write(())
    async for chunk in chunks:
        piece = await asyncio.to_thread(file.write, chunk)
        if piece:
            yield piece
    yield await asyncio.to_thread(file.close)
