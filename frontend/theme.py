"""The look: one set of colours for light and dark, fonts of the reader's own system."""

from __future__ import annotations

from gradio.themes import Base
from gradio.themes.utils import colors, sizes

_TEAL = colors.Color(
    name="farebox",
    c50="#eefbf9",
    c100="#d3f4ef",
    c200="#a9e8df",
    c300="#72d5ca",
    c400="#3dbab0",
    c500="#1f9e96",
    c600="#0d7d78",
    c700="#0c6562",
    c800="#0e514f",
    c900="#114442",
    c950="#042827",
)
_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")


def make_theme() -> Base:
    """Text and buttons keep a contrast of 4.5 to 1 in both (WCAG 2.2, 1.4.3)."""
    theme = Base(
        primary_hue=_TEAL,
        secondary_hue=_TEAL,
        neutral_hue=colors.slate,
        radius_size=sizes.radius_md,
        font=_SANS,
        font_mono=_MONO,
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_100",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_border_width="1px",
        input_border_color="*neutral_400",
        input_border_color_dark="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        link_text_color_hover="*primary_800",
        link_text_color_hover_dark="*primary_200",
    )
