"""Whose address a request has, and what settings take."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from serve.accounts.settings import AccountsSettings
from serve.accounts.throttling import find_client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4, nonsense", None),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", None),
        ("10.0.0.1", "", None),
        ("1.1.1.1", "1.2.3.4", None),
        (None, "1.2.3.4", None),
        ("::ffff:10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"),
        ("fd00::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_address_is_the_last_that_is_no_proxy(
    peer: str | None, forwarded_for: str, address: str | None
) -> None:
    assert find_client_address(peer, forwarded_for, PROXIES) == address


def test_nobody_is_trusted_unless_said_so() -> None:
    assert find_client_address("127.0.0.1", "1.2.3.4", ()) is None


def test_proxies_are_named_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREBOX_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
    assert AccountsSettings().trusted_proxies == PROXIES


@pytest.mark.parametrize("rate", ["often", "1 per minute; 2 per hour", ""])
def test_rate_that_cannot_be_read_is_refused(rate: str) -> None:
    with pytest.raises(ValidationError):
        AccountsSettings(sign_in_rate_per_email=rate)
