"""A user who has used the product for a while: keys, predictions, a top-up, a refund request."""

from __future__ import annotations

import time

import httpx

from tests.support.users import User

_APPS = (
    ["SEND_SMS", "RECEIVE_BOOT_COMPLETED", "INTERNET"],
    ["INTERNET", "ACCESS_NETWORK_STATE", "CAMERA", "FLASHLIGHT"],
    ["INTERNET", "READ_PHONE_STATE", "READ_SMS", "RECEIVE_SMS", "SEND_SMS"],
    ["ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION", "INTERNET", "WAKE_LOCK"],
    ["INTERNET", "VIBRATE", "WRITE_EXTERNAL_STORAGE"],
)
_CREDITS_BOUGHT = "500"
_WHY = "It is an app of our own, and it never sends messages."
_ROLL_UP_SECONDS = 60


def use_product(user: User) -> str:
    """Do a bit of everything; returns the prediction whose refund was asked for."""
    buy_credits(user, _CREDITS_BOUGHT)
    nightly, colleague = user.make_key("Nightly build"), user.make_key("A colleague's script")
    for number in range(12):
        user.score(_APPS[number % len(_APPS)], key=nightly if number % 3 else colleague)
    user.score(*_APPS, key=nightly)
    user.score(*_APPS[1:3])
    answer = user.score(_APPS[0])
    user.ask_refund(answer["id"], _WHY)
    _wait_for_usage(user, predictions=15)
    return str(answer["id"])


def buy_credits(user: User, amount: str) -> None:
    """Where the product takes payments by the provider `test`, as it does at home."""
    if user.get("/v1/terms")["payment_provider"] == "test":
        url = user.post("/v1/topups", {"credits": amount})["checkout_url"]
        httpx.post(url, data={"outcome": "paid"}, timeout=30, trust_env=False).raise_for_status()


def _wait_for_usage(user: User, predictions: int) -> None:
    deadline = time.monotonic() + _ROLL_UP_SECONDS
    while sum(row["predictions"] for row in user.get("/v1/usage", by="day")["rows"]) < predictions:
        assert time.monotonic() < deadline, "the bookkeeper does not count what was used"
        time.sleep(0.5)
