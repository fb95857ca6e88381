"""Addresses and passwords: the pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.users.errors import PasswordUnfit
from billing.users.values import canonical_address, check_new_password, normalise_email

LOCAL = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789", min_size=1, max_size=20)


@given(LOCAL, LOCAL)
def test_tag_and_case_do_not_make_another_address(local: str, tag: str) -> None:
    tagged = normalise_email(f"{local}+{tag}@Example.com")
    assert canonical_address(tagged) == canonical_address(f"{local}@example.com".upper())
    assert normalise_email(tagged) == tagged


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b.com", "a b@c.com", "a@b", "a@b.com\n, c@d.com"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normalise_email(text)


def test_address_that_begins_with_a_plus_keeps_its_name() -> None:
    assert canonical_address("+x@example.com") != canonical_address("+y@example.com")


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 201, "eva@example.com", "EVA@example.com"])
def test_unfit_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordUnfit):
        check_new_password(password, "eva@example.com")


@pytest.mark.parametrize("password", ["x" * 10, "x" * 200, "päßwörter ☂"])
def test_fit_password_is_taken(password: str) -> None:
    check_new_password(password, "eva@example.com")
