"""Top up: choose an amount, pay on the provider's page, see the credits come."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import gradio as gr

from frontend.attempts import Attempt, attempt_of
from frontend.html import html_block
from frontend.pages.account.balance import read_balance
from frontend.pages.account.parts import (
    REFUSALS,
    Mistake,
    Section,
    acted,
    acting_block,
)
from frontend.pages.frame import render_header
from frontend.prices import price_minor_units, read_amount, show_price
from frontend.server import Problem, ServerError, SessionEnded

_CHECK_SECONDS = 3.0
_CHECKS_MAX = 60
"""So long the page asks by itself whether a top-up was paid; then there is a button."""

_TOP_UPS_MAX = 50

_RETURNED = "returned"
"""In the page's address for whoever comes back from paying."""

Terms = dict[str, Any]
Watched = dict[str, Any]


def build_top_up(section: Section, tab: gr.Tab) -> None:
    """The form, the payment that is waited for, and the top-ups so far."""
    TopUp(section).wire(tab)


class TopUp:
    """The section's components, and what happens to them."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.console = section.console
        html_block(section.heading("top_up"))
        self.terms = gr.State()
        self.attempt = gr.State()
        """The top-up that is being made, until it was."""
        self.watched = gr.State()
        """The top-up whose payment is waited for, and how often it was asked for."""
        self.offer = html_block()
        with gr.Column(visible=False) as self.form:
            with gr.Row(equal_height=True):
                self.amount = gr.Textbox(
                    label=section.say("amount"), max_lines=1, elem_id="fb-amount", scale=2
                )
                self.price = html_block()
            self.said = html_block()
            self.buy = gr.Button(
                section.say("buy"),
                variant="primary",
                elem_id="fb-buy",
                elem_classes=["fb-narrow"],
            )
        self.waiting = html_block()
        self.check = gr.Button(
            section.say("check_again"),
            visible=False,
            elem_id="fb-check-again",
            elem_classes=["fb-narrow"],
        )
        self.timer = gr.Timer(_CHECK_SECONDS, active=False)
        self.rows = acting_block()

    def wire(self, tab: gr.Tab) -> None:
        """Events of the section."""
        on, page = self.console.on, self.section.page
        page.on_load(
            self._open,
            None,
            [self.terms, self.offer, self.form, self.rows],
            show_progress="hidden",
        )
        page.on_load(
            self._return,
            None,
            [self.watched, self.waiting, self.timer],
            show_progress="hidden",
        )
        on(tab.select, self._list, None, self.rows, show_progress="hidden")
        on(
            self.amount.change,
            self._price,
            [self.amount, self.terms],
            self.price,
            show_progress="hidden",
            trigger_mode="always_last",
        )
        made = [self.attempt, self.watched, self.said, self.waiting, self.timer, self.rows]
        asked = [self.amount, self.terms, self.attempt]
        self.section.click(self.buy, self._make, asked, made, then_focus="fb-pay")
        on(self.amount.submit, self._make, asked, made, show_progress="hidden")
        seen = [
            self.watched,
            self.waiting,
            self.timer,
            self.check,
            self.rows,
            self.section.balance,
            page.header,
        ]
        on(self.timer.tick, self._look, self.watched, seen, show_progress="hidden")
        self.section.click(self.check, self._look_again, self.watched, seen)
        on(self.rows.click, self._watch, None, [self.watched, self.waiting, self.timer])

    async def _open(self, request: gr.Request) -> tuple[Any, ...]:
        terms = await self._read_terms()
        offer = self.section.render("offer", terms=terms)
        sold = terms is None or terms["payment_provider"] != "none"
        return terms, offer, gr.Column(visible=sold), await self._list(request)

    async def _return(self, request: gr.Request) -> tuple[Any, ...]:
        """Whoever comes back from paying sees what became of the newest top-up."""
        skip = gr.skip()
        if _RETURNED not in request.query_params:
            return skip, skip, skip
        newest = (await self.console.of(request).get("/accounts/v1/topups", limit=1))["items"]
        if not newest:
            return skip, skip, skip
        pending = newest[0]["status"] == "pending"
        waiting = self.section.render("waiting", top_up=newest[0], ended=False)
        watched = {"id": newest[0]["id"], "checks": 0} if pending else None
        return watched, waiting, gr.Timer(active=pending)

    async def _read_terms(self) -> Terms | None:
        """None where the server does not say: the price is then told with the top-up."""
        try:
            found: Terms = await self.console.server.get("/accounts/v1/terms")
        except ServerError:
            return None
        return found

    async def _list(self, request: gr.Request) -> str:
        try:
            top_ups, more = await self.console.of(request).pages(
                "/accounts/v1/topups", _TOP_UPS_MAX
            )
        except REFUSALS as error:
            return self.section.refused(error)
        return self.section.render("top_ups", top_ups=top_ups, more=more)

    async def _price(self, amount: str, terms: Terms | None) -> str:
        wanted = read_amount(amount)
        if wanted is None or terms is None:
            return ""
        minor = price_minor_units(wanted, terms["credit_price_minor_units"])
        price = show_price(minor, terms["currency"], self.console.language)
        return self.section.render("price", costs=price)

    async def _make(
        self, amount: str, terms: Terms | None, attempt: Attempt | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """The key stays the same for one amount until there is a top-up: a retry makes no other."""
        try:
            wanted = self._read(amount, terms)
            attempt = attempt_of(attempt, wanted)
            top_up = await self._begin(wanted, attempt.key, request)
        except REFUSALS as error:
            said = self.section.refused(error)
            return attempt, gr.skip(), said, gr.skip(), gr.skip(), gr.skip()
        watched = {"id": top_up["id"], "checks": 0}
        waiting = self.section.render("waiting", top_up=top_up, ended=False)
        return None, watched, "", waiting, gr.Timer(active=True), await self._list(request)

    async def _begin(self, wanted: str, key: str, request: gr.Request) -> dict[str, Any]:
        """With the way back to this page, where the server sends browsers there."""
        server = self.console.of(request)
        made: dict[str, Any]
        try:
            body = {"credits": wanted, "return_url": self._way_back(request)}
            made = await server.post("/accounts/v1/topups", body, key=key)
        except Problem as problem:
            if all(pointer != "/return_url" for pointer, _ in problem.faults):
                raise
            made = await server.post("/accounts/v1/topups", {"credits": wanted}, key=key)
        return made

    def _way_back(self, request: gr.Request) -> str:
        origin = request.headers.get("origin", "")
        return f"{origin}{self.console.path('account')}?{_RETURNED}=yes"

    def _read(self, amount: str, terms: Terms | None) -> str:
        wanted = read_amount(amount)
        if wanted is None:
            raise Mistake(self.section.say("amount_unclear"))
        if terms is not None:
            show = self.console.templates.show_amount
            least, most = terms["top_up_credits_min"], terms["top_up_credits_max"]
            if not Decimal(least) <= Decimal(wanted) <= Decimal(most):
                raise Mistake(self.section.say("amount_bounds", least=show(least), most=show(most)))
        return wanted

    async def _watch(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        _, top_up_id = acted(event)
        top_up = await self.console.of(request).get(f"/accounts/v1/topups/{top_up_id}")
        waiting = self.section.render("waiting", top_up=top_up, ended=False)
        return {"id": top_up_id, "checks": 0}, waiting, gr.Timer(active=True)

    async def _look_again(self, watched: Watched | None, request: gr.Request) -> tuple[Any, ...]:
        return await self._look(watched and {**watched, "checks": 0}, request)

    async def _look(self, watched: Watched | None, request: gr.Request) -> tuple[Any, ...]:
        """Whether it is paid; when it is, what there is to spend is read anew."""
        skip = gr.skip()
        if watched is None:
            return None, skip, gr.Timer(active=False), gr.Button(visible=False), skip, skip, skip
        watched = {**watched, "checks": watched["checks"] + 1}
        is_last = watched["checks"] >= _CHECKS_MAX
        try:
            top_up = await self.console.of(request).get(f"/accounts/v1/topups/{watched['id']}")
        except SessionEnded:
            raise
        except ServerError:
            top_up = None
        if top_up is not None and top_up["status"] != "pending":
            return await self._ended(top_up, request)
        waiting = skip
        if top_up is not None and (is_last or watched["checks"] == 1):
            waiting = self.section.render("waiting", top_up=top_up, ended=is_last)
        timer, button = gr.Timer(active=not is_last), gr.Button(visible=is_last)
        return watched, waiting, timer, button, skip, skip, skip

    async def _ended(self, top_up: dict[str, Any], request: gr.Request) -> tuple[Any, ...]:
        return (
            None,
            self.section.render("waiting", top_up=top_up, ended=True),
            gr.Timer(active=False),
            gr.Button(visible=False),
            await self._list(request),
            await read_balance(self.section, request),
            await render_header(self.console, self.section.page.name, request),
        )
