"""What can be looked at of an open version, one at a time; `?tab=` in the address bar names it."""

import gradio as gr

from bioui.components.contamination_table import contamination_table, hits_value
from bioui.components.export_panel import export_panel
from bioui.components.frame import Page
from bioui.components.version_card import card_value, card_view
from bioui.components.version_compare import OUTPUTS as COMPARE_OUTPUTS
from bioui.components.version_compare import compare_tab, compare_values
from bioui.components.version_hub import OUTPUTS as HUB_OUTPUTS
from bioui.components.version_hub import hub_part, hub_values
from bioui.components.version_lineage import lineage_value, lineage_view
from bioui.components.version_report import report_value, report_view
from bioui.components.version_rows import NO_ROW, rows_tab
from bioui.frozen import Reading, get_version_of, rows_value
from bioui.handling import actor_of, needs
from db import datasets
from db.exchange import records
from db.policy import Actor, Right
from db.session import Session, read
from db.tables import DatasetVersion

TABS = {
    "rows": "Rows", "report": "Report", "compare": "Compare", "lineage": "Lineage", "card": "Card",
    "export": "Export",
}  # fmt: skip
# tab -> how many components it fills
FILLS = {
    "rows": 4, "report": 3, "compare": COMPARE_OUTPUTS, "lineage": 1, "card": 1, "export": HUB_OUTPUTS,
}  # fmt: skip
FOLLOW = "(tab) => { studio.setParam('tab', tab === 'rows' ? null : tab); }"


def tab_values(
    session: Session, actor: Actor, version: DatasetVersion, tab: str = "rows", *, against_id: int = 0
) -> tuple:
    """Everything `version_tabs` returns, for one tab of a version; what the rest shows stays as it is."""
    tab = tab if tab in TABS else "rows"
    reading = Reading(version.id)
    if tab == "rows":
        rows, reading = rows_value(session, reading)
        has_unread = bool(datasets.count_unreviewed(session, version.id))
        own = gr.Radio(value=""), rows, NO_ROW, gr.Radio(value="", visible=has_unread)
    elif tab == "report":
        project_id = version.dataset.project_id
        report = report_value(project_id, version.recipe, version.report)
        own = report, hits_value(project_id, version.report), 0
    elif tab == "compare":
        own = compare_values(session, version, against_id)
    elif tab == "lineage":
        own = (lineage_value(session, version),)
    elif tab == "card":
        own = (card_value(session, version),)
    else:
        own = hub_values(session, actor, version)
    columns = [gr.Column(visible=name == tab) for name in TABS]
    filled = [own if name == tab else (gr.skip(),) * fills for name, fills in FILLS.items()]
    return (gr.Radio(value=tab), *columns, *(value for values in filled for value in values), reading)


def no_tab_values() -> tuple:
    """The same when no version is open."""
    return (*(gr.skip(),) * (1 + len(TABS) + sum(FILLS.values())), Reading())


@needs(Right.READ)
def choose_tab(project_id: int, reading: Reading, tab: str, request: gr.Request):
    with read() as session:
        version = get_version_of(session, project_id, reading.version_id)
        return tab_values(session, actor_of(session, request), version, tab)


def version_tabs(page: Page, reading_state: gr.State) -> list:
    """Lay the tabs out; what is returned is filled by `tab_values`."""
    tab_radio = gr.Radio(
        [(words, name) for name, words in TABS.items()], value="rows", show_label=False, container=False,
        label="Of this version", elem_classes="tabs-row", elem_id="version-tabs",
    )  # fmt: skip
    columns, outputs = [], []
    for name in TABS:
        with gr.Column(visible=name == "rows", elem_id=f"tab-{name}", elem_classes="tab-body") as column:
            outputs += _LAYOUTS[name](page, reading_state)
        columns.append(column)
    filled = [tab_radio, *columns, *outputs, reading_state]
    page.on(tab_radio.input, choose_tab, [page.project_id, reading_state, tab_radio], filled)
    tab_radio.change(fn=None, inputs=[tab_radio], js=FOLLOW)
    return filled


def _report_tab(page: Page, reading_state: gr.State) -> list:
    return [report_view(), *contamination_table(page, reading_state, _report_of).outputs]


def _export_tab(page: Page, reading_state: gr.State) -> list:
    with gr.Row(elem_classes="actions"):
        export_btn = gr.Button("Export as a file")
    export_panel(page, [reading_state], _frozen_rows, open_btn=export_btn)
    return hub_part(page, reading_state)


_LAYOUTS = {
    "rows": rows_tab,
    "report": _report_tab,
    "compare": compare_tab,
    "lineage": lambda page, state: [lineage_view()],
    "card": lambda page, state: [card_view()],
    "export": _export_tab,
}


def _report_of(session: Session, reading: Reading) -> dict:
    return datasets.get_version(session, reading.version_id).report


def _frozen_rows(session: Session, actor: Actor, reading: Reading) -> records.Records:
    return records.of_version(session, actor, reading.version_id)
