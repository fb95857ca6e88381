"""Reads an uploaded file, and tells its faults and its price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import gradio as gr

from frontend.context import Console
from frontend.model_cards import ModelCard, fetch_priced, find_model
from frontend.pages.many.faults import Fault, FaultKind, FileRefused
from frontend.pages.many.jobs import JobNotes, Part, cut_parts, find_notes
from frontend.pages.many.outcome import name_file, write_faults
from frontend.pages.many.quotes import Quote
from frontend.pages.many.uploads import Upload, read_upload
from frontend.server import Server, ServerError

if TYPE_CHECKING:
    from frontend.pages.many.page import Widgets

FAULTS_SHOWN = 50
LEAVE_OUT = "leave_out"
IGNORE = "ignore"

Updates = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read for models with certain features, and its good rows as requests."""

    upload: Upload
    parts: tuple[Part, ...]
    features_sha256: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a price. `is_ready`: nothing keeps the check from beginning."""

    card: ModelCard
    quote: Quote
    is_ready: bool


class Checking:
    """Everything before the button is pressed."""

    def __init__(self, console: Console, widgets: Widgets) -> None:
        self._console = console
        self._widgets = widgets
        self._t = console.texts

    async def offer_models(self) -> Updates:
        """Models with a price, the default one first."""
        try:
            cards = await self._cards()
        except ServerError as error:
            return {self._widgets.report: self._console.show_fault(self._console.say(error))}
        choices = [(self._name(card), card.id) for card in cards]
        return {self._widgets.model: gr.update(choices=choices, value=choices[0][1])}

    async def read(self, path: str, model: str | None, request: gr.Request) -> Updates:
        """A new file: read it whole, and take up the job that was begun with it, if any."""
        server = self._console.of(request)
        account_id = (await server.get("/accounts/v1/me"))["account_id"]
        cards = await self._cards()
        card = _find(cards, model)
        try:
            checked = await anyio.to_thread.run_sync(self._read, path, card, account_id)
        except FileRefused as refused:
            return self._nothing() | {self._widgets.report: self._say_refused(refused)}
        notes = self._notes(checked)
        begun = notes and next((c for c in cards if _is_of(c, notes)), None)
        if begun and begun.features_sha256 == card.features_sha256:
            card = begun
        told = await self._tell(server, checked, card, cards, [])
        report = await anyio.to_thread.run_sync(self._report, checked)
        shown = {self._widgets.report: report, self._widgets.checked: checked}
        return self._nothing() | told | shown | {self._widgets.model: card.id}

    async def choose(
        self,
        checked: Checked | None,
        model: str,
        agreed: list[str],
        path: str | None,
        request: gr.Request,
    ) -> Updates:
        """Another model: the file is read anew where it has other features."""
        if path is None:
            return self._nothing()
        cards = await self._cards()
        card = _find(cards, model)
        if checked is None or card.features_sha256 != checked.features_sha256:
            return await self.read(path, model, request)
        return await self._tell(self._console.of(request), checked, card, cards, agreed)

    async def clear(self) -> Updates:
        """No file any more."""
        return self._nothing()

    async def tell(
        self,
        checked: Checked | None,
        model: str,
        agreed: list[str],
        request: gr.Request,
    ) -> Updates:
        """The price, what must be decided first, and whether the button may be pressed."""
        if checked is None:
            return {}
        cards = await self._cards()
        return await self._tell(
            self._console.of(request), checked, _find(cards, model), cards, agreed
        )

    async def _cards(self) -> list[ModelCard]:
        """Of all models that can be bought, defaults first."""
        cards = await fetch_priced(self._console.server)
        if not cards:
            raise gr.Error(self._t("many", "no_models"), title=self._t("frame", "title"))
        return cards

    async def _tell(
        self,
        server: Server,
        checked: Checked,
        card: ModelCard,
        cards: Sequence[ModelCard],
        agreed: list[str],
    ) -> Updates:
        notes = self._notes(checked)
        same = bool(notes and _is_of(card, notes))
        quote = await self._quote(server, card, checked, notes if same else None)
        blocked = self._blocked(checked.upload, agreed)
        told = Told(card, quote, is_ready=not blocked and not quote.lacking)
        html = self._console.templates.render(
            "many_quote.html",
            quote=quote,
            blocked=blocked,
            notes=notes,
            same=same,
            offered=any(_is_of(each, notes) for each in cards) if notes else False,
        )
        return {
            self._widgets.quote: html,
            self._widgets.quoted: told,
            self._widgets.start: self._button(told),
        } | self._choices(checked.upload, agreed)

    def _read(self, path: str, card: ModelCard, account_id: str) -> Checked:
        settings = self._console.settings
        upload = read_upload(
            Path(path),
            card.features,
            rows_max=settings.rows_max,
            bytes_max=settings.upload_bytes_max,
        )
        parts = tuple(cut_parts(upload.packed[upload.good]))
        return Checked(upload, parts, card.features_sha256, account_id)

    def _notes(self, checked: Checked) -> JobNotes | None:
        return find_notes(self._console.results, checked.account_id, checked.upload)

    async def _quote(
        self, server: Server, card: ModelCard, checked: Checked, notes: JobNotes | None
    ) -> Quote:
        """The API quotes no more rows than one request takes: its price of one row counts."""
        answer = await server.get(
            "/accounts/v1/quotes", model=card.name, version=card.version, instances=1
        )
        balance = await server.get("/accounts/v1/balance")
        rows = checked.upload.good_rows
        due, sure = notes.due_rows(checked.parts) if notes else (rows, rows)
        return Quote(
            model=card.name,
            version=card.version,
            each=Decimal(answer["amount_each"]),
            rows=rows,
            due_rows=due,
            sure_rows=sure,
            available=Decimal(balance["available"]),
        )

    def _blocked(self, upload: Upload, agreed: list[str]) -> str:
        """What must be decided before anything is bought, or nothing."""
        if not upload.good_rows:
            return self._t("many", "quote_nothing")
        if upload.faults_total and LEAVE_OUT not in agreed:
            return self._t("many", "quote_need_leave_out")
        if upload.suggestions and IGNORE not in agreed:
            return self._t("many", "quote_need_ignore")
        return ""

    def _button(self, told: Told) -> Any:  # noqa: ANN401 - an update
        quote = told.quote
        amount = self._console.templates.show_credits(str(quote.amount))
        if quote.is_begun and not quote.due_rows:
            label = self._t("many", "fetch_again")
        else:
            label = self._t("many", "go_on" if quote.is_begun else "start_amount", amount=amount)
        return gr.update(value=label, visible=True, interactive=told.is_ready)

    def _choices(self, upload: Upload, agreed: list[str]) -> Updates:
        count = self._console.templates.show_amount(upload.rows - upload.good_rows)
        choices = []
        if upload.faults_total and upload.good_rows:
            choices.append((self._t("many", "leave_out", count=count), LEAVE_OUT))
        if upload.suggestions:
            choices.append((self._t("many", "ignore"), IGNORE))
        update = gr.update(choices=choices, value=agreed, visible=bool(choices))
        return {self._widgets.agreed: update}

    def _report(self, checked: Checked) -> str:
        upload = checked.upload
        mends = [self._mend(fault) for fault in upload.faults]
        name = name_file(upload, "faults", "csv")
        if mends:
            head = [
                self._t("many", "line" if upload.form == "csv" else "row"),
                *(self._t("many", each) for each in ("column", "found", "mend")),
            ]
            path = self._console.results.place(checked.account_id, name)
            write_faults(upload.faults, path, head, mends)
        shown = list(zip(upload.faults, mends, strict=True))[:FAULTS_SHOWN]
        return self._console.templates.render(
            "many_report.html", upload=upload, faults=shown, faults_file=name
        )

    def _mend(self, fault: Fault) -> str:
        if fault.kind is FaultKind.NAME and fault.hint:
            return self._t("many", "mend_name_near", hint=fault.hint)
        return self._t("many", f"mend_{fault.kind}", hint=fault.hint)

    def _say_refused(self, refused: FileRefused) -> str:
        shown = {
            name: self._console.templates.show_amount(value) if isinstance(value, int) else value
            for name, value in refused.values.items()
        }
        return self._console.templates.render(
            "many_refused.html",
            said=self._t("many", f"refused_{refused.code}", **shown),
            nearest=refused.values.get("nearest"),
        )

    def _nothing(self) -> Updates:
        """The page as it is without a file."""
        widgets = self._widgets
        empty = (widgets.report, widgets.quote, widgets.progress, widgets.results, widgets.table)
        return {
            **dict.fromkeys(empty, ""),
            **dict.fromkeys((widgets.checked, widgets.quoted, widgets.outcome)),
            widgets.agreed: gr.update(visible=False, value=[]),
            **dict.fromkeys((widgets.start, widgets.anew, widgets.sort), gr.update(visible=False)),
        }

    def _name(self, card: ModelCard) -> str:
        assert card.price is not None  # fetch_priced leaves out what has none
        return self._t(
            "many",
            "model_default" if card.is_default else "model_choice",
            model=card.name,
            version=card.version,
            price=self._console.templates.show_credits(card.price),
        )


def _find(cards: Sequence[ModelCard], model: str | None) -> ModelCard:
    """The chosen one, or the first where it is gone or none was chosen yet."""
    return find_model(cards, model) or cards[0]


def _is_of(card: ModelCard, notes: JobNotes) -> bool:
    return (card.name, card.version) == (notes.model, notes.version)
