"""What the app asks for: found by search, pasted, or taken from an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from frontend.context import Console
from frontend.examples import load_examples
from frontend.html import html_block
from frontend.pages.check.feature_input import (
    FeatureInput,
    InputFault,
    match_features,
    read_features,
)

_SHOWN_MAX = 60
"""Names that a search lists at once: more are a wall, not a list."""


@dataclass(frozen=True, slots=True)
class Picker:
    """The components by which features are chosen; `chosen` holds the outcome."""

    console: Console
    names: gr.State
    """Every name that the chosen model knows, in its order."""
    search: gr.Textbox
    group: gr.Dropdown
    found: gr.CheckboxGroup
    found_note: gr.HTML
    pasted: gr.Textbox
    uploaded: gr.File
    take: gr.Button
    example: gr.Radio
    chosen: gr.Dropdown
    note: gr.HTML

    def wire(self) -> None:
        """Have the ways to choose meet in `chosen`."""
        on = self.console.on
        listed = [self.found, self.found_note]
        for change in (self.search.change, self.group.input):
            on(
                change,
                self.find,
                [self.search, self.group, self.chosen, self.names],
                listed,
                show_progress="hidden",
                trigger_mode="always_last",
            )
        on(
            self.found.input,
            self.pick,
            [self.found, self.chosen, self.search, self.group, self.names],
            self.chosen,
            show_progress="hidden",
            trigger_mode="always_last",
        )
        on(
            self.chosen.input,
            self.find,
            [self.search, self.group, self.chosen, self.names],
            listed,
            show_progress="hidden",
        )
        taken = [self.chosen, self.note]
        for event in (
            on(self.take.click, self.take_pasted, [self.pasted, self.names], taken),
            on(self.uploaded.upload, self.take_file, [self.uploaded, self.names], taken),
            on(self.example.input, self.take_example, [self.example, self.names], taken),
        ):
            on(
                event.then,
                self.find,
                [self.search, self.group, self.chosen, self.names],
                listed,
                show_progress="hidden",
            )

    async def find(
        self, search: str, group: str, chosen: list[str], names: tuple[str, ...]
    ) -> tuple[object, str]:
        """What the search lists, with what is chosen already ticked, and how much it is."""
        found = self._found(search, group, names)
        shown = found[:_SHOWN_MAX]
        ticked = [name for name in shown if name in set(chosen)]
        said = self.console.texts("check", "found", shown=len(shown), found=len(found))
        if not found:
            said = self.console.texts("check", "found_none")
        choices = [(self._label(name), name) for name in shown]
        update = gr.CheckboxGroup(choices=choices, value=ticked, visible=bool(found))
        return update, self.console.templates.render("check_note.html", said=said)

    async def pick(
        self,
        ticked: list[str],
        chosen: list[str],
        search: str,
        group: str,
        names: tuple[str, ...],
    ) -> list[str]:
        """What was chosen, less what the list shows unticked, and with what it shows ticked."""
        shown = set(self._found(search, group, names)[:_SHOWN_MAX])
        kept = {name for name in chosen if name not in shown} | set(ticked)
        return [name for name in names if name in kept]

    async def take_pasted(self, text: str, names: tuple[str, ...]) -> tuple[object, str]:
        """Choose what the pasted text names."""
        if not text.strip():
            return gr.skip(), self._note(self.console.texts("check", "paste_empty"), bad=True)
        return self._take(text, names)

    async def take_file(self, path: str | None, names: tuple[str, ...]) -> tuple[object, str]:
        """Choose what the uploaded manifest names."""
        if path is None:
            return gr.skip(), ""
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: ASYNC230, PTH123 - small
            text = file.read(4_000_000)
        return self._take(text, names)

    async def take_example(
        self, example_id: str | None, names: tuple[str, ...]
    ) -> tuple[object, str]:
        """Choose what an example asks for."""
        for example in load_examples(self.console.language):
            if example.id == example_id:
                taken = match_features(example.features, names)
                return list(taken.known), self._taken(taken)
        return gr.skip(), ""

    def _take(self, text: str, names: Sequence[str]) -> tuple[object, str]:
        try:
            taken = read_features(text, names)
        except InputFault as fault:
            return gr.skip(), self._note(self.console.texts("check", fault.reason), bad=True)
        return list(taken.known), self._taken(taken)

    def _found(self, search: str, group: str, names: tuple[str, ...]) -> list[str]:
        features = self.console.features
        found = features.search(search, names)
        return [
            name
            for members in features.groups(found).values()
            for name in members
            if not group or features.describe(name).group == group
        ]

    def _label(self, name: str) -> str:
        text = self.console.features.describe(name).text
        return f"{name} \N{EN DASH} {text}" if text else name

    def _taken(self, taken: FeatureInput) -> str:
        return self.console.templates.render("check_taken.html", taken=taken)

    def _note(self, said: str, *, bad: bool = False) -> str:
        return self.console.templates.render("check_note.html", said=said, bad=bad)


def lay_out_picker(console: Console) -> Picker:
    """The components, in tabs, with what is chosen below them."""
    t = console.texts
    names = gr.State(())
    with gr.Tabs():
        with gr.Tab(t("check", "tab_search")):
            with gr.Row():
                search = gr.Textbox(
                    label=t("check", "search"), placeholder=t("check", "search_hint"), scale=3
                )
                group = gr.Dropdown(
                    choices=[
                        (t("check", "all_groups"), ""),
                        *((title, group) for group, title in console.features.titles.items()),
                    ],
                    value="",
                    label=t("check", "group"),
                    scale=2,
                )
            found_note = html_block()
            found = gr.CheckboxGroup(
                label=t("check", "found_label"), elem_classes="fb-found", visible=False
            )
        with gr.Tab(t("check", "tab_paste")):
            pasted = gr.Textbox(
                label=t("check", "paste"),
                placeholder=t("check", "paste_hint"),
                lines=6,
                max_lines=14,
            )
            take = gr.Button(t("check", "take"))
            uploaded = gr.File(label=t("check", "upload"), file_types=[".xml", ".txt"], height=140)
        with gr.Tab(t("check", "tab_example")):
            example = gr.Radio(
                choices=[(each.title, each.id) for each in load_examples(console.language)],
                label=t("check", "example"),
            )
    note = html_block()
    chosen = gr.Dropdown(
        choices=[],
        multiselect=True,
        label=t("check", "chosen"),
        info=t("check", "chosen_info"),
        elem_id="fb-chosen",
    )
    return Picker(
        console,
        names,
        search,
        group,
        found,
        found_note,
        pasted,
        uploaded,
        take,
        example,
        chosen,
        note,
    )
