"""`python -m loadtest.bench.generator ORDER RESULT`: carries an order out."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import uvloop

from loadtest.bench.files import allow_connections
from loadtest.bench.generator.order import read_order
from loadtest.bench.generator.record import Record
from loadtest.bench.generator.session import Session


def main() -> None:
    """Nothing is imported here that the run does not need: it would cost each run its start."""
    order, bodies = read_order(Path(sys.argv[1]))
    allow_connections(order.connections)
    record = uvloop.run(_run(Session(order, bodies)))
    Path(sys.argv[2]).write_text(record.as_json())


async def _run(session: Session) -> Record:
    # The hot path makes no cycles, and a collection is a pause that the server did not make.
    gc.collect()
    gc.freeze()
    gc.disable()
    return await session.run()


if __name__ == "__main__":
    main()
