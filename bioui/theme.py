"""The look of the studio as a Gradio theme: IBM Plex, neutral greys, one teal, hairlines, no shadows.

The colours are named once, as CSS variables in assets/studio.css; the theme only points at them.
"""

from pathlib import Path

import gradio as gr
from gradio.themes.utils.fonts import LocalFont

ASSETS = Path(__file__).parent / "assets"
SHEETS = (
    "studio.css",
    "curate.css",
    "guidelines.css",
    "datasets.css",
    "import.css",
    "playground.css",
    "desk.css",
    "answers.css",
    "batches.css",
    "coverage.css",
    "bulk.css",
    "remarks.css",
    "factory.css",
    "convert.css",
    "train.css",
    "tasks.css",
    "evaluate.css",
    "encoders.css",
    "studies.css",
    "results.css",
    "judge.css",
    "verdict.css",
    "rounds.css",
    "blind.css",
)
CSS = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SHEETS)
HEAD = (
    '<script src="/studio/stream.js"></script>'
    '<script src="/studio/studio.js"></script><script src="/studio/keys.js"></script>'
    '<link rel="icon" href="/studio/icon.svg" type="image/svg+xml">'
)

# Gradio's variable -> ours. Each is set for light and dark alike: ours change with the mode.
VARIABLES = {
    "body_background_fill": "ground",
    "body_text_color": "ink",
    "body_text_color_subdued": "ink-quiet",
    "background_fill_primary": "ground",
    "background_fill_secondary": "surface",
    "block_background_fill": "none",
    "block_label_background_fill": "none",
    "block_label_text_color": "ink-quiet",
    "block_title_text_color": "ink",
    "block_info_text_color": "ink-quiet",
    "block_border_color": "line",
    "border_color_primary": "line",
    "border_color_accent": "accent",
    "border_color_accent_subdued": "line",
    "panel_background_fill": "none",
    "panel_border_color": "line",
    "input_background_fill": "field",
    "input_background_fill_focus": "field",
    "input_background_fill_hover": "field",
    "input_border_color": "line-strong",
    "input_border_color_hover": "ink-faint",
    "input_border_color_focus": "accent",
    "input_placeholder_color": "ink-faint",
    "color_accent_soft": "accent-soft",
    "link_text_color": "accent",
    "link_text_color_hover": "accent-strong",
    "link_text_color_active": "accent-strong",
    "link_text_color_visited": "accent",
    "checkbox_background_color": "field",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "line-strong",
    "checkbox_border_color_selected": "accent",
    "checkbox_border_color_focus": "accent",
    "checkbox_label_background_fill": "none",
    "checkbox_label_background_fill_hover": "none",
    "checkbox_label_background_fill_selected": "none",
    "checkbox_label_border_color": "line-strong",
    "checkbox_label_border_color_selected": "accent",
    "checkbox_label_text_color": "ink",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent-strong",
    "button_primary_border_color": "accent",
    "button_primary_text_color": "on-accent",
    "button_secondary_background_fill": "field",
    "button_secondary_background_fill_hover": "surface",
    "button_secondary_border_color": "line-strong",
    "button_secondary_border_color_hover": "ink-faint",
    "button_secondary_text_color": "ink",
    "button_cancel_background_fill": "field",
    "button_cancel_background_fill_hover": "attention-soft",
    "button_cancel_border_color": "attention",
    "button_cancel_text_color": "attention",
    "slider_color": "accent",
    "loader_color": "accent",
    "stat_background_fill": "accent",
    "table_border_color": "line",
    "table_even_background_fill": "none",
    "table_odd_background_fill": "none",
    "error_background_fill": "attention-soft",
    "error_border_color": "attention",
    "error_text_color": "attention",
    "code_background_fill": "surface",
}
SHADOWS = (
    "block_shadow", "input_shadow", "input_shadow_focus", "checkbox_shadow", "checkbox_label_shadow",
    "button_primary_shadow", "button_primary_shadow_hover", "button_primary_shadow_active",
    "button_secondary_shadow", "button_secondary_shadow_hover", "button_secondary_shadow_active",
)  # fmt: skip
WITHOUT_DARK = {"checkbox_shadow"}


def make_theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue="teal",
        secondary_hue="slate",
        neutral_hue="zinc",
        radius_size="sm",
        text_size="md",
        spacing_size="md",
        # The bundled SemiBold files hold no Latin letters: Bold stands in for 600, as in assets/fonts.css.
        font=(LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=(LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"),
    )
    settings = {name: f"var(--studio-{ours})" for name, ours in VARIABLES.items()}
    settings |= dict.fromkeys(SHADOWS, "none")
    dark = {f"{name}_dark": value for name, value in settings.items() if name not in WITHOUT_DARK}
    return theme.set(
        **settings,
        **dark,
        color_accent="var(--studio-accent)",
        body_text_size="15px",
        block_title_text_size="13px",
        block_title_text_weight="600",
        block_label_text_size="13px",
        block_info_text_size="13px",
        block_border_width="0px",
        block_padding="0px",
        block_radius="6px",
        container_radius="6px",
        input_radius="6px",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_padding="8px 12px",
        input_text_size="15px",
        layout_gap="24px",
        form_gap_width="0px",
        button_large_radius="6px",
        button_medium_radius="6px",
        button_small_radius="6px",
        button_large_padding="7px 16px",
        button_medium_padding="7px 16px",
        button_small_padding="3px 12px",
        button_large_text_size="15px",
        button_medium_text_size="15px",
        button_small_text_size="13px",
        button_large_text_weight="600",
        button_medium_text_weight="600",
        button_small_text_weight="400",
        button_border_width="1px",
        button_transition="background-color 0.1s, border-color 0.1s",
    )
