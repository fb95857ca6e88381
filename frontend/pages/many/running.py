"""Runs the check of a file, shows how far it is, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import anyio
import gradio as gr

from frontend.context import Console
from frontend.model_cards import ModelCard
from frontend.pages.many.checking import Checked, Checking, Told, Updates
from frontend.pages.many.jobs import begin_notes
from frontend.pages.many.outcome import Outcome, make_outcome, name_file, write_csv, write_parquet
from frontend.pages.many.quotes import Quote
from frontend.pages.many.runner import EXPIRED, NO_CREDITS, Order, Run, Stopped
from frontend.server import Problem, Server, SessionEnded, Unreachable

if TYPE_CHECKING:
    from frontend.pages.many.page import Widgets

BY_SUSPICION = "suspicious"
IN_FILE = "file"
ROWS_SHOWN = 100
_SHOWN_EVERY_SECONDS = 0.5
_MINUTE_SECONDS = 60


class Running:
    """Everything from the button on."""

    def __init__(self, console: Console, widgets: Widgets, checking: Checking) -> None:
        self._console = console
        self._widgets = widgets
        self._checking = checking
        self._t = console.texts

    async def start(
        self,
        checked: Checked | None,
        model: str,
        agreed: list[str],
        told: Told | None,
        request: gr.Request,
    ) -> AsyncIterator[Updates]:
        """Check the good rows, or the rest of them; what was paid before is fetched."""
        async for updates in self._go(checked, model, agreed, told, request):
            yield updates

    async def start_anew(
        self,
        checked: Checked | None,
        model: str,
        agreed: list[str],
        told: Told | None,
        request: gr.Request,
    ) -> AsyncIterator[Updates]:
        """The same, and parts whose stored answers are gone are bought again."""
        async for updates in self._go(checked, model, agreed, told, request, pay_anew=True):
            yield updates

    async def stop(self, run: Run | None) -> Any:  # noqa: ANN401 - an update
        """Let the run end behind the parts under way."""
        if run:
            run.stop()
        return gr.update(value=self._t("many", "stopping"), interactive=False)

    async def sort(self, outcome: Outcome | None, order: str) -> str:
        """The table in another order."""
        return self._table(outcome, order) if outcome else ""

    async def _go(
        self,
        checked: Checked | None,
        model: str,
        agreed: list[str],
        told: Told | None,
        request: gr.Request,
        *,
        pay_anew: bool = False,
    ) -> AsyncIterator[Updates]:
        if checked is None or told is None:
            return
        now = await self._checking.tell(checked, model, agreed, request)
        told_now: Told = now[self._widgets.quoted]
        if not self._may_begin(told_now, told):
            yield now
            return
        card, quote = told_now.card, told_now.quote
        run = await self._make_run(self._console.of(request), checked, quote, pay_anew=pay_anew)
        yield self._begin(run)
        error: Exception | None = None
        async for each in self._follow(run):
            if isinstance(each, Exception):
                error = each
            else:
                yield {self._widgets.progress: each}
        yield self._end() | (self._show_ending(run, error) if error else {})
        if isinstance(error, SessionEnded):
            return
        if error is None:
            yield await self._show_results(checked, run, card)
        afterwards = await self._checking.tell(checked, model, agreed, request)
        yield afterwards | (self._offer_anew(run, quote) if _is_expired(error) else {})

    def _may_begin(self, now: Told, told: Told) -> bool:
        """What was shown still holds: the price above all."""
        if now.quote.each != told.quote.each:
            gr.Warning(self._t("many", "price_changed"), title=self._t("frame", "title"))
            return False
        return now.is_ready

    async def _make_run(
        self, server: Server, checked: Checked, quote: Quote, *, pay_anew: bool
    ) -> Run:
        order = Order(
            checked.upload.sha256, quote.model, quote.version, checked.parts, pay_anew=pay_anew
        )
        notes = await anyio.to_thread.run_sync(
            begin_notes,
            self._console.results,
            checked.account_id,
            checked.upload,
            quote.model,
            quote.version,
        )
        return Run(server, order, notes, at_once=self._console.settings.job_requests_at_once)

    async def _follow(self, run: Run) -> AsyncIterator[str | Exception]:
        """Progress until the end, and the error behind it if there is one. Whoever stops to
        listen ends the run: answers that get lost so are fetched the next time."""
        task = asyncio.create_task(run.finish())
        try:
            while not task.done():
                yield self._progress(run)
                await asyncio.wait({task}, timeout=_SHOWN_EVERY_SECONDS)
            yield self._progress(run)
            if error := task.exception():
                assert isinstance(error, Exception)
                yield error
        finally:
            run.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _begin(self, run: Run) -> Updates:
        widgets = self._widgets
        off = gr.update(interactive=False)
        emptied = dict.fromkeys((widgets.results, widgets.table), "")
        return {
            **dict.fromkeys((widgets.file, widgets.model, widgets.agreed), off),
            **dict.fromkeys((widgets.start, widgets.anew, widgets.sort), gr.update(visible=False)),
            **emptied,
            widgets.stop: gr.update(visible=True, interactive=True, value=self._t("many", "stop")),
            widgets.run: run,
            widgets.progress: self._progress(run),
        }

    def _end(self) -> Updates:
        widgets = self._widgets
        on = gr.update(interactive=True)
        return {
            **dict.fromkeys((widgets.file, widgets.model, widgets.agreed), on),
            widgets.start: on | gr.update(visible=True),
            widgets.stop: gr.update(visible=False),
            widgets.run: None,
        }

    async def _show_results(self, checked: Checked, run: Run, card: ModelCard) -> Updates:
        widgets = self._widgets
        labels = (card.negative, card.positive)
        outcome = make_outcome(
            checked.upload, run.probabilities, labels=labels, threshold=card.threshold
        )
        names = await anyio.to_thread.run_sync(self._write, outcome, checked.account_id)
        html = self._console.templates.render(
            "many_results.html",
            outcome=outcome,
            progress=run.progress,
            csv=names[0],
            parquet=names[1],
            hours=round(self._console.settings.files_kept_hours),
        )
        return {
            widgets.progress: "",
            widgets.results: html,
            widgets.outcome: outcome,
            widgets.sort: gr.update(visible=True, value=BY_SUSPICION),
            widgets.table: self._table(outcome, BY_SUSPICION),
            widgets.anew: gr.update(visible=False),
        }

    def _write(self, outcome: Outcome, account_id: str) -> tuple[str, str]:
        left_out = self._t("many", "left_out")
        files = self._console.results
        names = tuple(name_file(outcome.upload, "checked", each) for each in ("csv", "parquet"))
        write_csv(outcome, files.place(account_id, names[0]), left_out)
        write_parquet(outcome, files.place(account_id, names[1]), left_out)
        return names[0], names[1]

    def _show_ending(self, run: Run, error: Exception) -> Updates:
        return {self._widgets.progress: self._progress(run, error)}

    def _offer_anew(self, run: Run, quote: Quote) -> Updates:
        """In place of the price of going on, which counts on answers that are gone."""
        most = self._console.templates.show_credits(str(quote.each * run.progress.rows))
        return {
            self._widgets.quote: "",
            self._widgets.start: gr.update(visible=False),
            self._widgets.anew: gr.update(visible=True, value=self._t("many", "anew", amount=most)),
        }

    def _why(self, error: Exception) -> str:
        """Why a check ended early, and what to do."""
        if isinstance(error, Stopped):
            return self._t("many", "ended_stopped")
        if isinstance(error, SessionEnded):
            return self._console.say(error)
        if isinstance(error, Unreachable):
            return self._t("many", "ended_unreachable")
        if isinstance(error, Problem):
            if _is_expired(error):
                return self._t("many", "ended_expired")
            if error.code == NO_CREDITS:
                return self._t("many", "ended_credits")
            said = self._t.problem(error.code) or error.detail
            return f"{self._t('many', 'ended_other')} {said}"
        raise error

    def _progress(self, run: Run, error: Exception | None = None) -> str:
        progress = run.progress
        is_over = error is not None or progress.rows_done == progress.rows
        return self._console.templates.render(
            "many_progress.html",
            progress=progress,
            percent=100 * progress.rows_done // progress.rows,
            left="" if is_over else self._left(run),
            said=self._why(error) if error else "",
            calm=isinstance(error, Stopped),
            buy=isinstance(error, Problem) and error.code == NO_CREDITS,
        )

    def _left(self, run: Run) -> str:
        seconds = run.progress.seconds_left(time.monotonic())
        if seconds is None:
            return self._t("many", "progress_left_unknown")
        if seconds < _MINUTE_SECONDS:
            return self._t("many", "progress_left_seconds", seconds=round(seconds))
        minutes = round(seconds / _MINUTE_SECONDS)
        return self._t("many", "progress_left_minutes", minutes=minutes)

    def _table(self, outcome: Outcome, order: str) -> str:
        upload = outcome.upload
        kept = upload.kept
        rows = [
            (
                int(upload.lines[row]),
                [kept.column(place)[row].as_py() for place in range(kept.num_columns)],
                outcome.label(row),
                bool(outcome.probabilities[row] >= outcome.threshold),
                self._console.templates.show_amount(f"{outcome.probabilities[row]:.4f}"),
            )
            for row in outcome.first_rows(ROWS_SHOWN, suspicious_first=order == BY_SUSPICION)
        ]
        return self._console.templates.render(
            "many_table.html",
            head=kept.column_names,
            rows=rows,
            in_lines=upload.form == "csv",
            positive=outcome.positive,
        )


def _is_expired(error: Exception | None) -> bool:
    return isinstance(error, Problem) and error.code == EXPIRED
