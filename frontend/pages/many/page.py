"""The layout of the page, and which event leads where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from frontend.context import Console
from frontend.html import html_block
from frontend.pages.frame import Page
from frontend.pages.many.checking import Checking
from frontend.pages.many.running import BY_SUSPICION, IN_FILE, Running


@dataclass(frozen=True, slots=True)
class Widgets:
    """Components of the page, from top to bottom."""

    model: gr.Dropdown
    file: gr.File
    report: gr.HTML
    agreed: gr.CheckboxGroup
    """What is done about faults and unknown columns: `LEAVE_OUT`, `IGNORE`."""
    quote: gr.HTML
    start: gr.Button
    anew: gr.Button
    stop: gr.Button
    progress: gr.HTML
    results: gr.HTML
    sort: gr.Radio
    table: gr.HTML
    checked: gr.State
    """What was read of the file."""
    quoted: gr.State
    """What was shown of its price."""
    run: gr.State
    """The run under way, to be stopped."""
    outcome: gr.State


def build_many(page: Page) -> None:
    """Lay out the page."""
    widgets = _lay_out(page.console)
    checking = Checking(page.console, widgets)
    running = Running(page.console, widgets, checking)
    on = page.console.on
    asked = [widgets.checked, widgets.model, widgets.agreed]
    told = [widgets.quote, widgets.quoted, widgets.start, widgets.agreed]
    read = [
        *told,
        widgets.checked,
        widgets.model,
        widgets.report,
        widgets.anew,
        widgets.progress,
        widgets.results,
        widgets.sort,
        widgets.table,
        widgets.outcome,
    ]
    page.on_load(
        checking.offer_models, None, [widgets.model, widgets.report], show_progress="hidden"
    )
    on(
        widgets.file.upload,
        checking.read,
        [widgets.file, widgets.model],
        read,
        show_progress_on=widgets.report,
    )
    on(widgets.file.clear, checking.clear, None, read, show_progress="hidden")
    on(
        widgets.model.input,
        checking.choose,
        [*asked, widgets.file],
        read,
        show_progress_on=widgets.quote,
    )
    on(widgets.agreed.input, checking.tell, asked, told, show_progress_on=widgets.quote)
    ran = [*read, widgets.file, widgets.stop, widgets.run]
    inputs = [*asked, widgets.quoted]
    for button, handler in ((widgets.start, running.start), (widgets.anew, running.start_anew)):
        begun = on(button.click, handler, inputs, ran, show_progress="hidden")  # it has its own
        page.then_show_balance(begun)
    on(widgets.stop.click, running.stop, widgets.run, widgets.stop, show_progress="hidden")
    on(widgets.sort.input, running.sort, [widgets.outcome, widgets.sort], widgets.table)


def _lay_out(console: Console) -> Widgets:
    t = console.texts.section("many")
    settings = console.settings
    html_block(
        console.templates.render(
            "many_intro.html",
            rows_max=settings.rows_max,
            megabytes_max=settings.upload_bytes_max // 2**20,
        )
    )
    orders = [(t["sort_suspicious"], BY_SUSPICION), (t["sort_file"], IN_FILE)]
    model = gr.Dropdown(label=t["model"], choices=[], interactive=True)
    file = gr.File(label=t["file"], type="filepath", height=160)
    report = html_block()
    quote = html_block()
    agreed = gr.CheckboxGroup(choices=[], label=t["decide"], visible=False)
    with gr.Row():
        start = gr.Button(t["start"], variant="primary", visible=False)
        anew = gr.Button("", visible=False)
        stop = gr.Button(t["stop"], visible=False)
    return Widgets(
        model=model,
        file=file,
        report=report,
        agreed=agreed,
        quote=quote,
        start=start,
        anew=anew,
        stop=stop,
        progress=html_block(),
        results=html_block(),
        sort=gr.Radio(orders, value=BY_SUSPICION, label=t["sort"], visible=False),
        table=html_block(),
        checked=_state(),
        quoted=_state(),
        run=_state(),
        outcome=_state(),
    )


def _state() -> Any:  # noqa: ANN401 - Gradio's
    """Of one tab; forgotten some time after it was closed."""
    return gr.State(None)
