"""A tab of the console without a browser: Gradio's own protocol over HTTP, with a user's cookie."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.users import User
from tests.support.visitor import SESSION_COOKIE

EXAMPLE = "torch"
_TIMEOUT_SECONDS = 120


@dataclass
class ConsoleSession:
    """The page that checks one app, opened by `user`; `received` is all that came to it."""

    url: str
    user: User
    config: dict[str, Any]
    """The pages of the language, as Gradio describes them: the same for everybody."""
    received: str = ""
    session_hash: str = field(default_factory=lambda: secrets.token_hex(6))

    def open(self) -> list[Any]:
        """Load the page with the example; returns what the check takes."""
        with self._client() as client:
            self.received += client.get(f"/check?example={EXAMPLE}").raise_for_status().text
            check = self._check
            [load] = [
                each
                for each in self.config["dependencies"]
                if each["targets"][0][1] == "load"
                and set(check["inputs"][:2]) <= {*each["outputs"]}
            ]
            filled = dict(zip(load["outputs"], self._run(client, load, []), strict=True))
        return [*(filled[each]["value"] for each in check["inputs"][:2]), None]

    def check(self, taken: list[Any]) -> str:
        """Press the button; returns the outcome's HTML, and reads the header anew as pages do."""
        with self._client() as client:
            outcome = str(self._run(client, self._check, taken)[0])
            for each in self.config["dependencies"]:
                if each["trigger_after"] == self._check["id"] and not each["inputs"]:
                    self._run(client, each, [])
        return outcome

    @property
    def _check(self) -> dict[str, Any]:
        buttons = {
            each["id"]
            for each in self.config["components"]
            if each["props"].get("value") == "Check" and each["type"] == "button"
        }
        [check] = [
            each
            for each in self.config["dependencies"]
            if each["targets"] and each["targets"][0][0] in buttons
        ]
        return dict(check)

    def _run(self, client: httpx.Client, event: dict[str, Any], data: list[Any]) -> list[Any]:
        """What the event's outputs are filled with."""
        joined = {
            "data": data,
            "event_data": None,
            "fn_index": event["id"],
            "trigger_id": event["targets"][0][0] if event["targets"] else None,
            "session_hash": self.session_hash,
        }
        path = f"/gradio_api/queue/join?example={EXAMPLE}"
        client.post(path, json=joined).raise_for_status()
        told: list[Any] | None = None
        path = f"/gradio_api/queue/data?session_hash={self.session_hash}"
        with client.stream("GET", path) as lines:
            for line in lines.iter_lines():
                self.received += line
                message = json.loads(line.removeprefix("data:")) if line else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    told = message["output"]["data"]
        assert told is not None
        return told

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/en",
            headers={"Cookie": f"{SESSION_COOKIE}={self.user.token}"},
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
        )


def read_config(url: str) -> dict[str, Any]:
    """Gradio's description of the English pages."""
    answer = httpx.get(f"{url}/en/config", timeout=_TIMEOUT_SECONDS, trust_env=False)
    config: dict[str, Any] = answer.raise_for_status().json()
    return config
