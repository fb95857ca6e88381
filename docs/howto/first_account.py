"""From nothing to a paid prediction, its history and its refund: a new user's way, over HTTP only.

    .venv/bin/farebox admin create --email admin@example.com       # once, for the refund
    .venv/bin/python docs/howto/first_account.py --operator admin@example.com

It needs a running product (`make up`), whose payment provider is then the test one: its page asks
for no card. The operator's password is read from FAREBOX_OPERATOR_PASSWORD or asked for.
"""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

APP = ["SEND_SMS", "RECEIVE_BOOT_COMPLETED", "INTERNET"]
WAIT_SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("FAREBOX_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--operator", required=True, help="e-mail of an operator or admin")
    arguments = parser.parse_args()
    password = os.environ.get("FAREBOX_OPERATOR_PASSWORD") or getpass.getpass("password: ")
    with httpx.Client(base_url=arguments.url, timeout=30, trust_env=False) as http:
        walk(http, arguments.operator, password)


def walk(http: httpx.Client, operator_email: str, operator_password: str) -> None:
    """Every step as a client of any language would do it."""
    email, password = f"anna-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(16)

    user = send(http, "POST", "/accounts/v1/users", {"email": email, "password": password})
    say("signed up", email, "account", user["account_id"])

    session = sign_in(http, email, password)
    say("signed in until", session["expires_at"])
    anna = {"Authorization": f"Bearer {session['token']}"}
    say("welcome credits:", balance(http, anna))

    top_up = buy_credits(http, anna, "25")
    say("bought", top_up["credits"], "credits; the account has", balance(http, anna))

    key = send(http, "POST", "/accounts/v1/keys", {"name": "my first key"}, anna)
    say("made the key", key["id"], "(its secret is shown this once)")
    scoring = {"Authorization": f"Bearer {key['key']}"}

    quote = send(http, "GET", "/accounts/v1/quotes?model=android-malware&instances=1", None, anna)
    say("a prediction would cost", quote["amount"])
    paid = send(
        http,
        "POST",
        "/v1/predictions",
        {"model": "android-malware", "instances": [APP]},
        {**scoring, "Idempotency-Key": secrets.token_hex(8)},
    )
    say("scored:", paid["predictions"][0], "for", paid["credits_charged"], "credits")

    entry = send(http, "GET", "/accounts/v1/entries?limit=1", None, anna)["items"][0]
    check(entry["charge_id"] == paid["id"], "the newest entry is the charge")
    say("the entry:", entry["kind"], entry["amount"], "leaves", entry["balance"])

    prediction = send(http, "GET", f"/accounts/v1/predictions/{paid['id']}", None, anna)
    check(prediction["inputs"] == [sorted(APP)], "the history knows what was scored")
    usage = wait_for(lambda: read_usage(http, anna), "the usage is rolled up")
    say("used so far:", usage["predictions"], "prediction for", usage["charged"])

    month = datetime.now(UTC).strftime("%Y-%m")
    statement = send(http, "GET", f"/accounts/v1/statements/{month}", None, anna)
    say(month, "opened with", statement["opening"], "and has", statement["closing"])

    before = balance(http, anna)
    staff = sign_in(http, operator_email, operator_password)
    refund = send(
        http,
        "POST",
        f"/accounts/v1/predictions/{paid['id']}/refunds",
        {"reason": "the walk through the API is free"},
        {"Authorization": f"Bearer {staff['token']}"},
    )
    say("refunded", refund["amount"], ":", before, "->", balance(http, anna))

    send(http, "DELETE", f"/accounts/v1/keys/{key['id']}", None, anna)
    wait_for(lambda: is_refused(http, scoring), "the revoked key is refused")
    say("revoked the key; scoring with it is refused now")


def buy_credits(http: httpx.Client, headers: dict[str, str], amount: str) -> dict[str, Any]:
    """Create a top-up, pay on the provider's page, and wait for the provider's webhook."""
    top_up = send(http, "POST", "/accounts/v1/topups", {"credits": amount}, headers)
    page = http.get(top_up["checkout_url"]).raise_for_status()
    check("Pay" in page.text, "the provider's page asks to pay")
    http.post(top_up["checkout_url"], data={"outcome": "paid"}).raise_for_status()

    def paid() -> dict[str, Any] | None:
        now = send(http, "GET", f"/accounts/v1/topups/{top_up['id']}", None, headers)
        return now if now["status"] == "paid" else None

    return wait_for(paid, "the top-up is paid")


def sign_in(http: httpx.Client, email: str, password: str) -> dict[str, Any]:
    return send(http, "POST", "/accounts/v1/sessions", {"email": email, "password": password})


def balance(http: httpx.Client, headers: dict[str, str]) -> str:
    available: str = send(http, "GET", "/accounts/v1/balance", None, headers)["available"]
    return available


def read_usage(http: httpx.Client, headers: dict[str, str]) -> dict[str, Any] | None:
    """The rollups follow the ledger by seconds."""
    rows = send(http, "GET", "/accounts/v1/usage?by=day", None, headers)["rows"]
    return rows[0] if rows else None


def is_refused(http: httpx.Client, headers: dict[str, str]) -> bool:
    body = {"model": "android-malware", "instances": [APP]}
    return http.post("/v1/predictions", json=body, headers=headers).status_code == 401


def send(
    http: httpx.Client,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Any:  # noqa: ANN401 - JSON
    """The answer's JSON; a problem document ends the walk with its own words."""
    response = http.request(method, path, json=body, headers=headers)
    if response.is_error:
        raise SystemExit(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


def wait_for(condition: Callable[[], Any], what: str) -> Any:  # noqa: ANN401 - what it returns
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain: {what}")
        time.sleep(0.2)
    return found


def check(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"this should hold: {what}")


def say(*words: object) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    main()
