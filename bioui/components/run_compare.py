"""Runs side by side: their curves of one metric in one chart, and a table of what differs between them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import gradio as gr

from bioui.components.curves import SMOOTHING, Line, curves, curves_value
from bioui.components.empty import empty_state
from bioui.components.job_panel import head_on_load, said, time_taken
from bioui.components.train_form import label_of
from bioui.components.version_panel import version_name
from bioui.components.view import View
from bioui.present import status_chip
from bioui.watching import SMALL
from db import curves as stored
from db import datasets, registry, specs
from db.enums import JobStatus
from db.session import Session
from db.tables import Job
from db.train_spec import TrainSpec

METRICS = {
    "loss": ("Training loss", "Loss (nats per token)", 1.0),
    "eval_loss": ("Validation loss", "Validation loss (nats per token)", 1.0),
    **{chart.metric: (chart.axis, chart.axis, chart.scale) for chart in SMALL},
}
TEMPLATE = """
{{#if value.ids}}
<div class="pane-head"><h2>{{value.title}}</h2>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
{{/if}}
"""
TABLE = """
{{#if value.runs}}
<h3>What differs</h3>
<div class="table-scroll" tabindex="0"><table class="table compare-table">
  <thead><tr><th scope="col"></th>{{#each value.runs}}<th scope="col">
    <span class="compare-key hue-{{this.hue}}" aria-hidden="true"></span>
    <a href="{{this.href}}">{{this.name}}</a></th>{{/each}}</tr></thead>
  <tbody>{{#each value.rows}}<tr><th scope="row">{{this.name}}</th>
    {{#each this.values}}<td class="col-num">{{this}}</td>{{/each}}</tr>{{/each}}</tbody>
</table></div>
<p class="field-help">{{value.same}}</p>
{{/if}}
"""
NO_HEAD = {"ids": ""}
NO_TABLE = {"runs": []}
NO_METRIC = empty_state("None of these runs measured that.", "Choose another metric.")


@dataclass(frozen=True)
class ComparePane:
    """The pane's components."""

    head_html: View
    metric_dd: gr.Dropdown
    smoothing_slider: gr.Slider
    chart_html: View
    table_html: View


def compare_pane() -> ComparePane:
    head_html = View(
        TEMPLATE, NO_HEAD, on_load=head_on_load("compare").replace("props.value.id", "props.value.ids")
    )
    with gr.Row(elem_classes="field-row"):
        metric_dd = gr.Dropdown(
            [(words, name) for name, (words, _, _) in METRICS.items()],
            value="loss",
            label="Metric",
            elem_id="field-metric",
        )
        smoothing_slider = gr.Slider(
            0, 0.99, value=SMOOTHING, step=0.01, label="Smoothing", elem_id="field-smoothing"
        )
    chart_html = curves(NO_METRIC)
    table_html = View(TABLE, NO_TABLE)
    return ComparePane(head_html, metric_dd, smoothing_slider, chart_html, table_html)


def head_value(runs: Sequence[Job]) -> dict:
    return {"ids": ",".join(str(run.id) for run in runs), "title": f"{len(runs)} runs side by side"}


def chart_value(session: Session, runs: Sequence[Job], metric: str, smoothing: float) -> dict:
    """One line a run. Runs of one name are told apart by their numbers."""
    _, axis, scale = METRICS[metric]
    names = [run.name for run in runs]
    lines = []
    for number, run in enumerate(runs):
        points = stored.read_curves(session, run.id, (metric,)).points.get(metric, ())
        lines.append(
            Line(
                run.name if names.count(run.name) == 1 else f"{run.name} ({run.id})",
                [(step, value * scale) for step, value in points],
                f"c{number + 1}",
                smooth=smoothing > 0,
                smoothing=smoothing,
            )
        )
    return curves_value(lines, x_name="Step", y_name=axis, waiting=NO_METRIC)


def table_value(session: Session, runs: Sequence[Job]) -> dict:
    """Results of each run, then the settings in which they differ."""
    settings = [_settings(session, run) for run in runs]
    names = list(settings[0])
    differing = [name for name in names if len({each[name] for each in settings}) > 1]
    rows = [{"name": name, "values": [each[name] for each in settings]} for name in differing]
    same = len(names) - len(differing)
    return {
        "runs": [
            {
                "name": run.name,
                "hue": f"c{number + 1}",
                "href": f"/train?project={run.project_id}&job={run.id}",
            }
            for number, run in enumerate(runs)
        ],
        "rows": [*_results(session, runs), *rows],
        "same": f"The other {same} settings are the same in all of them.",
    }


def _results(session: Session, runs: Sequence[Job]) -> list[dict]:
    columns: dict[str, list[str]] = {"Status": [], "Training loss": [], "Validation loss": [], "Took": []}
    for run in runs:
        ended = run.status is JobStatus.FINISHED
        columns["Status"].append(status_chip(run.status)[0])
        columns["Training loss"].append(_number(run.result.get("loss") if ended else None))
        columns["Validation loss"].append(_number(run.result.get("eval_loss") if ended else None))
        columns["Took"].append(time_taken(run))
    return [{"name": name, "values": values} for name, values in columns.items()]


def _settings(session: Session, run: Job) -> dict[str, str]:
    spec: TrainSpec = specs.from_json(run.kind, run.spec)
    shown = {
        "Base model": registry.get_base_model(session, spec.base_model_id).name,
        "Dataset version": version_name(datasets.get_version(session, spec.dataset_version_id)),
    }
    for option in fields(spec):
        if option.name not in ("base_model_id", "dataset_version_id", "adapter_name"):
            shown[label_of(option.name)] = said(getattr(spec, option.name))
    return shown


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
