"""A payment's page leads back to our own origins and to nobody else's."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from serve.accounts.settings import AccountsSettings
from serve.accounts.top_ups.returning import check_return_url

ORIGINS = AccountsSettings(
    return_origins="https://console.example.com, http://[::1]:7860,http://plain.example.com"
).origins_returned_to


@pytest.mark.parametrize(
    "url",
    [
        "https://console.example.com",
        "https://console.example.com:443/top-ups?paid=1#end",
        "HTTPS://Console.Example.com/",
        "http://[::1]:7860/",
    ],
)
def test_what_is_of_a_known_origin_is_taken(url: str) -> None:
    check_return_url(url, ORIGINS)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "https://console.example.com:444/",
        "http://[::1]:7861/",
        "https://[::1]:7860/",
        "https://console.example.com.evil.example.com/",
        "https://console.example.com./",
    ],
)
def test_another_origin_is_refused_and_the_setting_named(url: str) -> None:
    with pytest.raises(ValueError, match="FAREBOX_RETURN_ORIGINS"):
        check_return_url(url, ORIGINS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "console.example.com",
        "//console.example.com/",
        "/top-ups",
        "https:console.example.com",
        "https:/console.example.com",
        "https:///console.example.com",
        "javascript:alert(1)//https://console.example.com",
        "data:text/html,x",
        "https://console.example.com@evil.example.com/",
        "https://evil@console.example.com/",
        "https://@console.example.com/",
        "https://console.example.com\\@evil.example.com/",
        "https://evil.example.com\\.console.example.com/",
        "https://console.example.com:x/",
        "https://console.example.com/ a",
        "\thttps://console.example.com/",
        "https://console.example.com/\n",
        "https://console.example.com/\0",
        'https://console.example.com/"onclick="x',
        "https://console.example.com/<script>",
        "https://\u24d2onsole.example.com/",
        "https://console.example.com/\ud800",
        "https://[::1",
        "https://console.example.com/" + "x" * 2_000,
    ],
)
def test_what_a_browser_may_read_otherwise_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        check_return_url(url, ORIGINS)


def test_http_is_for_this_machine_alone() -> None:
    with pytest.raises(ValueError, match="begins with https"):
        check_return_url("http://plain.example.com/", ORIGINS)


def test_a_console_on_this_machine_and_the_product_itself_are_known() -> None:
    origins = AccountsSettings(public_url="https://farebox.example.com/").origins_returned_to
    for url in (
        "https://farebox.example.com/accounts/docs",
        "http://127.0.0.1:7860/credits",
        "http://localhost:7860/credits",
    ):
        check_return_url(url, origins)
    with pytest.raises(ValueError, match="FAREBOX_RETURN_ORIGINS"):
        check_return_url("http://localhost:7861/", origins)


def test_named_origins_are_the_only_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "FAREBOX_RETURN_ORIGINS", "https://a.example.com, https://b.example.com:8443"
    )
    origins = AccountsSettings().origins_returned_to
    assert origins == {("https", "a.example.com", 443), ("https", "b.example.com", 8443)}


@pytest.mark.parametrize("text", ["a.example.com", "https://a.example.com/x", "ftp://a", "*"])
def test_what_is_no_origin_is_no_setting(text: str) -> None:
    with pytest.raises(ValidationError, match="an origin is"):
        AccountsSettings(return_origins=text)
