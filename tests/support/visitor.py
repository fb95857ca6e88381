"""Somebody in front of the console: a browser context of their own, watched for what goes wrong."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

PASSWORD = "correct horse battery staple"
SESSION_COOKIE = "__Host-farebox_console"
LOAD_MILLISECONDS = 20_000
expect.set_options(timeout=LOAD_MILLISECONDS)
_LOADING = "[data-testid=status-tracker]:not(.hide)"
"""Gradio's mark on a component that waits for an event's answer."""

_LEFT_EARLY = ("AbortError: signal is aborted", "Unexpected error Connection errored out.")
"""What Gradio's own script says where a page is left while an answer is on its way."""

_MOTION_ENDED = """() => Promise.all(
    document.getAnimations()
        .filter(each => each.effect.getComputedTiming().endTime !== Infinity)
        .map(each => each.finished.catch(() => null)))"""

_LOCAL_SCHEMES = frozenset({"data", "blob", "about"})


@dataclass
class Visitor:
    """A page, and what it did that it should not have."""

    context: BrowserContext
    url: str
    allowed_hosts: frozenset[str]
    """Host and port of the console, and of the API whose pages it leads to."""
    language: str = "en"
    email: str = field(default_factory=lambda: f"visitor-{secrets.token_hex(6)}@example.com")
    console_errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(LOAD_MILLISECONDS)
        self.page = self.context.new_page()
        self.context.on("request", self._note_request)
        self.context.on("console", self._note_console)
        self.context.on("weberror", lambda error: self.console_errors.append(str(error.error)))

    def open(self, path: str = "") -> Page:
        """A page of the console in the visitor's language, with its own load done."""
        self.page.goto(f"{self.url}/{self.language}/{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the header knows who sits there, and nothing is loading."""
        expect(self.page.locator(".fb-header[data-known]")).to_be_visible()
        expect(self.page.locator(_LOADING)).to_have_count(0)

    def let_motion_end(self) -> None:
        """Wait until everything has faded in and stands where it belongs."""
        self.page.evaluate(_MOTION_ENDED)

    def sign_up(self) -> Visitor:
        """Make an account through the form; ends on the page after it."""
        self.open()
        self._enter("fb-sign-up", "fb-new-email", "fb-new-password")
        return self

    def sign_in(self, email: str, password: str = PASSWORD) -> Visitor:
        """Through the form, from whatever page it stands on."""
        self.email = email
        self.page.fill("#fb-email", email)
        self.page.fill("#fb-password", password)
        self.page.click("section[aria-labelledby=fb-sign-in] [type=submit]")
        self._arrive()
        return self

    def enter_as(self, email: str, token: str) -> Visitor:
        """With a session that the API gave, as if signed in here before."""
        self.email = email
        self.context.add_cookies(
            [
                {
                    "name": SESSION_COOKIE,
                    "value": token,
                    "url": self.url.replace("http:", "https:"),  # or the browser refuses `secure`
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )
        return self

    @property
    def credits(self) -> str:
        """As the header tells."""
        return self.page.locator(".fb-balance").inner_text().replace("\N{NO-BREAK SPACE}", " ")

    def violations(
        self, *, impacts: frozenset[str] = frozenset({"serious", "critical"})
    ) -> list[str]:
        """What axe finds on the page, of those impacts, once everything has faded in."""
        self.let_motion_end()
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {node['html'][:200]}"
            for each in found
            if each["impact"] in impacts
            for node in each["nodes"][:3]
        ]

    def assert_clean(self) -> None:
        """Nothing was asked of foreign hosts, and the browser's console has no error."""
        assert self.foreign_requests == [], f"asked of foreign hosts: {self.foreign_requests}"
        assert self.console_errors == [], f"errors in the console: {self.console_errors}"

    def _enter(self, section: str, email: str, password: str) -> None:
        self.page.fill(f"#{email}", self.email)
        self.page.fill(f"#{password}", PASSWORD)
        self.page.click(f"section[aria-labelledby={section}] [type=submit]")
        self._arrive()

    def _arrive(self) -> None:
        expect(self.page.locator("[data-signed-in]")).to_be_visible()
        self.settle()

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in _LOCAL_SCHEMES and parts.netloc not in self.allowed_hosts:
            self.foreign_requests.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_LEFT_EARLY):
            self.console_errors.append(f"{message.text} ({message.location.get('url')})")
