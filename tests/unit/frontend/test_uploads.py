"""Files that a browser names are those that it uploaded, and no others of this machine."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from frontend.application import build_application
from frontend.server import Server
from frontend.session import SESSION_COOKIE
from frontend.settings import ConsoleSettings

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore"),  # of Gradio itself
]
ACCOUNT = {"account_id": "01a20fb8-afd5-87a8-a91b-ab3f681fc0c9"}


def answer(request: httpx.Request) -> httpx.Response:
    """Of an API that knows one session."""
    if request.headers.get("authorization") != "Bearer anna":
        return httpx.Response(401, json={"code": "unauthenticated"})
    return httpx.Response(200, json=ACCOUNT)


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    made = build_application(ConsoleSettings(work_dir=tmp_path))
    api = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://api")
    made.state.server = Server(api)
    return made


async def take_file(browser: httpx.AsyncClient, path: str) -> str:
    """What the page that checks an app answers to a manifest at that path."""
    config = (await browser.get("/en/config")).json()
    kinds = {each["id"]: each["type"] for each in config["components"]}
    event = next(
        each
        for each in config["dependencies"]
        if [kinds[source] for source in each["inputs"]] == ["file", "state"]
    )
    sent = {
        "data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, None],
        "fn_index": event["id"],
        "session_hash": "tab",
        "trigger_id": event["targets"][0][0],
    }
    await browser.get("/en/gradio_api/startup-events")
    (await browser.post("/en/gradio_api/queue/join", json=sent)).raise_for_status()
    told = (await browser.get("/en/gradio_api/queue/data?session_hash=tab")).text
    messages = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ")]
    return json.dumps(next(each for each in messages if each["msg"] == "process_completed"))


async def test_what_was_uploaded_is_read_and_no_other_file(app: FastAPI, tmp_path: Path) -> None:
    browser = httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="https://console",
        cookies={SESSION_COOKIE: "anna"},
    )
    files = {"files": ("apps.txt", b"MY_OWN_APP")}
    (path,) = (await browser.post("/en/gradio_api/upload", files=files)).json()
    assert "MY_OWN_APP" in await take_file(browser, path)

    secret = tmp_path / "secret.txt"
    secret.write_text("OF_ANOTHER_USER")
    said = await take_file(browser, str(secret))
    assert "not uploaded by a user" in said
    assert "OF_ANOTHER_USER" not in said
