"""How often an account may do a thing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from serve.rates import AccountRate
from serve.settings import ServeSettings
from tests.support.serving import ANNA, BORIS


def test_each_account_has_the_rate_and_is_told_when_the_next_may_be() -> None:
    rate = AccountRate("2 per minute")
    assert [rate.take(ANNA) for _ in range(2)] == [0, 0]
    assert 59 <= rate.take(ANNA) <= 60
    assert rate.take(BORIS) == 0


@pytest.mark.parametrize("text", ["", "often", "1 per hour; 2 per day"])
def test_a_rate_that_cannot_be_read_is_no_setting(text: str) -> None:
    with pytest.raises(ValidationError):
        ServeSettings(explanation_rate=text)
