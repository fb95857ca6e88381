"""What of the entries is asked for."""

from urllib.parse import parse_qs, urlsplit

from frontend.pages.account.entry_filters import export_link, read_filters


def test_what_is_left_empty_is_left_out() -> None:
    assert read_filters([], "", "", None, " ", None) == {}
    assert read_filters(None, None, None, "", "", "") == {}


def test_both_days_are_within() -> None:
    filters = read_filters(["charge", "refund"], "2026-05-01", "2026-05-31", "m", "2", "abc")
    assert filters == {
        "kind": ["charge", "refund"],
        "since": "2026-05-01T00:00:00Z",
        "until": "2026-06-01T00:00:00Z",
        "model": "m",
        "version": "2",
        "key": "abc",
    }


def test_an_export_is_of_what_is_filtered() -> None:
    filters = read_filters(["charge", "refund"], "2026-05-01", "", "a&b=c", "", "")
    link = urlsplit(export_link(filters, "parquet"))
    assert link.path == "/download/export/entries"
    assert parse_qs(link.query) == {
        "kind": ["charge", "refund"],
        "since": ["2026-05-01T00:00:00Z"],
        "model": ["a&b=c"],
        "format": ["parquet"],
    }
