"""What the generator's process is told, and what it tells back."""

from array import array
from pathlib import Path

import pytest

from loadtest.bench.generator.order import Order, read_order, write_order
from loadtest.bench.generator.record import Record, pack, unpack
from loadtest.bench.load import FLOAT64, Body, LoadPlan, make_order
from loadtest.bench.run import parse_run
from loadtest.target import Target

TARGET = Target("it", "http://127.0.0.1:81", "/p", lambda _: b"", b'"p":', ("key",))


def test_an_order_is_read_as_it_was_written_and_by_its_owner_alone(tmp_path: Path) -> None:
    order = make_order(LoadPlan(TARGET, (Body(b"\n\x00{", (0.5,)), Body(b"")), 3, 1.5, 20))
    write_order(tmp_path / "order", order, [b"\n\x00{", b""])
    assert read_order(tmp_path / "order") == (order, [b"\n\x00{", b""])
    assert (tmp_path / "order").stat().st_mode & 0o077 == 0


def test_an_order_says_where_to_and_how_answers_are_marked() -> None:
    order: Order = make_order(LoadPlan(TARGET, (Body(b"{}"),), 3, 1))
    assert (order.host, order.port, order.path, order.keys) == ("127.0.0.1", 81, "/p", ["key"])
    assert (order.marker, order.headers) == ('"p":', ["Content-Type: application/json"])


def test_float64_is_asked_for_and_has_no_marker() -> None:
    order = make_order(LoadPlan(TARGET, (Body(b""),), 3, 1, content_type="x/y", accept=FLOAT64))
    assert order.marker == ""
    assert order.headers == ["Content-Type: x/y", f"Accept: {FLOAT64}"]


def test_latencies_come_back_as_they_were() -> None:
    values = array("f", [0.5, 1234.5])
    assert unpack(pack(values)) == values


def test_a_record_becomes_a_run() -> None:
    record = Record()
    record.sent, record.sent_in_time, record.in_time_200 = 3, 3, 1
    for status, seconds in ((200, 0.5), (200, 0.25), (429, 0.125)):
        record.latency(status, seconds)
    record.wrong_answer(b"no")
    run = parse_run(record.as_json(), seconds=2, connections=4, rate=None)
    assert run.statuses == {200: 2, 429: 1}
    assert run.latency().max_ms == pytest.approx(500)
    assert (run.wrong, run.wrong_samples, run.connections) == (1, ["no"], 4)
