"""What can be looked at of the open evaluations, one at a time; `?tab=` in the address bar names it."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.frame import Page
from bioui.components.leak_list import NOTHING as NO_LEAK_LIST
from bioui.components.leak_list import leak_list, leak_values
from bioui.components.prediction_browser import NOTHING as NO_PREDICTIONS
from bioui.components.prediction_browser import browser_values, prediction_browser
from bioui.components.progress import progress_bar
from bioui.components.result_figures import NO_FIGURES, figures_view, gains_view
from bioui.components.result_tables import NO_TABLES, tables_view
from bioui.components.result_ways import NO_WAYS, ways_view
from bioui.handling import needs
from bioui.predicted import Browsing
from bioui.resulting import Chosen, Pair, figures_of, open_pair, tables_of, ways_of
from db.policy import Right
from db.session import Session, read

TABS = {"figures": "Figures", "tables": "Tables", "predictions": "Predictions", "leaks": "Leaks"}
# what each tab shows when nothing is open; as many values as it fills
EMPTY = {
    "figures": (NO_FIGURES, NO_FIGURES, NO_WAYS),
    "tables": (NO_TABLES,),
    "predictions": NO_PREDICTIONS,
    "leaks": NO_LEAK_LIST,
}
FOLLOW = """(tab) => {
  studio.setParam('tab', tab === 'figures' ? null : tab);
  if (tab === 'predictions') return;
  for (const name of ['show', 'q', 'fault', 'of', 'row']) studio.setParam(name, null);
}"""


@dataclass(frozen=True)
class ResultTabs:
    """`outputs` are filled by `tab_values`; `gains` are a `gains_value` and a `progress_value`."""

    radio: gr.Radio
    outputs: list
    gains: list


def tab_values(
    session: Session, pair: Pair, tab: str, browsing: Browsing, *, position: int | None = None
) -> tuple:
    """Everything that `result_tabs` fills, for one tab; what the rest shows stays as it is."""
    tab = tab if tab in TABS else "figures"
    if tab == "figures":
        own = (*figures_of(session, pair), ways_of(session, pair))
    elif tab == "tables":
        own = (tables_of(pair),)
    elif tab == "predictions":
        own = browser_values(session, pair, browsing, position=position)
    else:
        own = leak_values(session, pair)
    return _filled(tab, own, {name: (gr.skip(),) * len(values) for name, values in EMPTY.items()})


@needs(Right.READ)
def show_fault(project_id: int, chosen: Chosen, event: gr.EventData, request: gr.Request):
    """The answers that have this fault, in the tab of predictions."""
    with read() as session:
        pair = open_pair(session, project_id, chosen.evaluation_id, chosen.against_id)
        browsing = Browsing.of(pair, "faulty", fault=str(event.kind), of=str(event.of))
        return tab_values(session, pair, "predictions", browsing)


def no_tab_values() -> tuple:
    """The same where no evaluation is open: nothing, without tabs."""
    _, *rest = _filled("", (), EMPTY)
    return gr.Radio(value="figures", visible=False), *rest


def _filled(tab: str, own: tuple, others: dict[str, tuple]) -> tuple:
    columns = [gr.Column(visible=name == tab) for name in TABS]
    values = [value for name in TABS for value in (own if name == tab else others[name])]
    return gr.Radio(value=tab, visible=True), *columns, *values


def result_tabs(page: Page, chosen_state: gr.State) -> ResultTabs:
    """Lay the tabs out."""
    tab_radio = gr.Radio(
        [(words, name) for name, words in TABS.items()], value="figures", show_label=False, container=False,
        label="Of these evaluations", elem_classes="tabs-row", elem_id="result-tabs", visible=False,
    )  # fmt: skip
    columns, outputs, gains = [], [], []
    for name in TABS:
        with gr.Column(visible=False, elem_id=f"tab-{name}", elem_classes="tab-body") as column:
            if name == "figures":
                outputs.append(figures_view())
                gains += [gains_view(), progress_bar()]
                outputs += [figures_view(), ways_view()]
            elif name == "tables":
                tables_html = tables_view()
                outputs.append(tables_html)
            elif name == "predictions":
                outputs += prediction_browser(page)
            else:
                outputs += leak_list(page, chosen_state)
        columns.append(column)
    filled = [tab_radio, *columns, *outputs]
    tab_radio.change(fn=None, inputs=[tab_radio], js=FOLLOW)
    page.on(tables_html.fault, show_fault, [page.project_id, chosen_state], filled)
    return ResultTabs(tab_radio, filled, gains)
