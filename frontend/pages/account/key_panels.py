"""The forms of API keys: a new one, changes to one, its replacement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from frontend.days import last_day
from frontend.html import html_block
from frontend.pages.account.key_forms import PERIODS, cap_of
from frontend.pages.account.parts import Section, date_box

_HOURS = {"old_until_revoked": 0, "old_hour": 1, "old_day": 24, "old_week": 168, "old_month": 720}
"""How long the old key of a rotation may still work."""

_SCOPES = ("score", "read")


class NewPanel:
    """For another key."""

    def __init__(self, section: Section) -> None:
        say = section.say
        with gr.Accordion(say("new_key"), open=False):
            self.name = gr.Textbox(label=say("key_name"), info=say("key_name_hint"), max_lines=1)
            self.scopes = gr.CheckboxGroup(
                label=say("scopes"),
                choices=[(say(f"scope_{scope}"), scope) for scope in _SCOPES],
                value=list(_SCOPES),
            )
            self.day = date_box(say("last_day_of_key"), say("last_day_hint"))
            self.caps = _cap_boxes(section)
            self.said = html_block()
            self.make = gr.Button(
                say("make_key"),
                variant="primary",
                elem_id="fb-make-key",
                elem_classes=["fb-narrow"],
            )

    @property
    def inputs(self) -> list[Any]:
        return [self.name, self.scopes, self.day, *self.caps]

    @staticmethod
    def empty() -> list[Any]:
        """As it is at first: of `inputs`."""
        return ["", list(_SCOPES), "", *[""] * len(PERIODS)]


class ChangePanel:
    """For a key's name, expiry and caps; filled when it is opened."""

    def __init__(self, section: Section) -> None:
        say = section.say
        with gr.Column(visible=False, elem_classes=["fb-confirm"]) as self.panel:
            self.words = html_block()
            self.name = gr.Textbox(label=say("key_name"), max_lines=1)
            self.day = date_box(say("last_day_of_key"), say("last_day_hint"))
            self.caps = _cap_boxes(section)
            self.said = html_block()
            with gr.Row():
                self.cancel = gr.Button(say("cancel"), elem_id="fb-change-cancel")
                self.save = gr.Button(say("save"), variant="primary", elem_id="fb-change-save")

    @property
    def inputs(self) -> list[Any]:
        return [self.name, self.day, *self.caps]

    @property
    def outputs(self) -> list[Any]:
        """What `fill` and `empty` answer for."""
        return [self.words, self.said, *self.inputs]

    @staticmethod
    def fill(key: Mapping[str, Any], words: str) -> list[str]:
        """What the key has now."""
        caps = [cap_of(key, period) or "" for period in PERIODS]
        return [words, "", key["name"], last_day(key["expires_at"]), *caps]

    @staticmethod
    def empty() -> list[str]:
        """Nothing."""
        return [""] * (4 + len(PERIODS))


class RotatePanel:
    """For a new key in the place of another."""

    def __init__(self, section: Section) -> None:
        say = section.say
        with gr.Column(visible=False, elem_classes=["fb-confirm"]) as self.panel:
            self.words = html_block()
            self.hours = gr.Dropdown(
                label=say("old_key_works"),
                choices=[(say(name), hours) for name, hours in _HOURS.items()],
                value=24,
                filterable=False,
            )
            self.said = html_block()
            with gr.Row():
                self.cancel = gr.Button(say("cancel"), elem_id="fb-rotate-cancel")
                self.rotate = gr.Button(say("rotate"), variant="primary", elem_id="fb-rotate")


def _cap_boxes(section: Section) -> list[gr.Textbox]:
    """In the order of PERIODS."""
    with gr.Row():
        return [
            gr.Textbox(
                label=section.say(f"cap_{period}"),
                info=section.say("cap_hint"),
                max_lines=1,
                min_width=220,
            )
            for period in PERIODS
        ]
