"""The verification that the documentation shows is the one that our signatures pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serve.accounts.outbox.webhooks import sign

HOWTO = Path(__file__).parents[3] / "docs" / "howto" / "webhooks.md"
SECRET, BODY = "whsec_test", b'{"type": "balance.low"}'


@pytest.fixture
def is_genuine() -> Callable[[str, str, bytes], bool]:
    [code] = re.findall(r"```python\n(.*?)```", HOWTO.read_text(), re.DOTALL)
    names: dict[str, Callable[[str, str, bytes], bool]] = {}
    exec(code, names)
    return names["is_genuine"]


def test_our_signature_is_genuine(is_genuine: Callable[[str, str, bytes], bool]) -> None:
    assert is_genuine(SECRET, sign(SECRET, BODY, datetime.now(UTC)), BODY)


def test_other_body_secret_or_time_is_not(is_genuine: Callable[[str, str, bytes], bool]) -> None:
    now = datetime.now(UTC)
    signature = sign(SECRET, BODY, now)
    assert not is_genuine(SECRET, signature, BODY + b" ")
    assert not is_genuine("whsec_other", signature, BODY)
    assert not is_genuine(SECRET, sign(SECRET, BODY, now - timedelta(minutes=6)), BODY)
    moved = signature.replace("t=1", "t=2")
    assert not is_genuine(SECRET, moved, BODY)


@pytest.mark.parametrize("signature", ["", "v1=", "t=", "t=x,v1=y", "t=²,v1=ü", "nonsense", ",,="])
def test_nonsense_is_not(is_genuine: Callable[[str, str, bytes], bool], signature: str) -> None:
    assert not is_genuine(SECRET, signature, BODY)
