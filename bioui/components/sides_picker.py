"""Who answers: one to six sides. A base with its newest adapter stands ready; further ones are added below.

Every choice is a text that names its side (`comparing.key_of`), checked again by whoever takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from bioui.comparing import key_of, require_one_base, side_of
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.view import View
from bioui.handling import needs
from bioui.present import ago
from db import endpoints, registry, sides
from db.addresses import host_and_port
from db.compare_spec import MAX_SIDES, SideSpec
from db.policy import Right
from db.session import Session, read
from db.tables import Adapter, Endpoint

STEPS = """
{{#if value.adapters}}<div class="steps">{{#each value.adapters}}
<div class="steps-row" data-adapter="{{this.id}}" data-steps="{{this.steps}}">
  <label for="steps-{{this.id}}">{{this.name}} at step <output>{{this.last}}</output></label>
  <input type="range" id="steps-{{this.id}}" min="0" max="{{this.most}}" value="{{this.most}}" step="1"
    aria-valuetext="step {{this.last}}">
  <button type="button" class="secondary-btn" data-add>Add this step</button>
</div>{{/each}}</div>
{{else}}<p class="muted">No adapter of this project kept its earlier steps.</p>{{/if}}
"""
STEPS_ON_LOAD = """
const rowOf = (node) => node.closest('.steps-row');
const stepOf = (row) => row.dataset.steps.split(' ')[Number(row.querySelector('input').value)];
element.addEventListener('input', (event) => {
  const row = rowOf(event.target);
  row.querySelector('output').textContent = Number(stepOf(row)).toLocaleString('en');
  event.target.setAttribute('aria-valuetext', 'step ' + stepOf(row));
});
element.addEventListener('click', (event) => {
  const row = event.target.closest('[data-add]') && rowOf(event.target);
  if (row) trigger('choose', {adapter: Number(row.dataset.adapter), step: Number(stepOf(row))});
});
"""
NOTE = """
{{#if value.problem}}<p class="sides-note sides-wrong" role="alert">{{value.problem}}</p>
{{else}}{{#if value.leaves}}<p class="sides-note"><strong>Leaves this machine</strong> What you send goes to
{{value.leaves}}.</p>{{/if}}{{/if}}
"""
NO_NOTE = {"problem": "", "leaves": ""}


@dataclass(frozen=True)
class SidesPicker:
    """Its components."""

    sides_dd: gr.Dropdown
    note_html: View
    steps_html: View
    endpoint_dd: gr.Dropdown
    model_tb: gr.Textbox
    add_btn: gr.Button

    @property
    def opened(self) -> list:
        """What `opened_values` fills."""
        return [self.sides_dd, self.note_html, self.steps_html, self.endpoint_dd]

    @property
    def chosen(self) -> list:
        """What `chosen_values` fills."""
        return [self.sides_dd, self.note_html]


# data -----------------------------------------------------------------------------------------------


def choices_of(session: Session, project_id: int, extra: Sequence[SideSpec] = ()) -> list[tuple[str, str]]:
    """(a line about the side, its key): adapters, newest first, bases, models of endpoints; then `extra`."""
    adapters = registry.list_adapters(session, project_id)
    found = [
        *((_about(adapter), SideSpec(adapter_id=adapter.id)) for adapter in adapters),
        *(
            (f"{base.name} · base", SideSpec(base_model_id=base.id))
            for base in registry.list_base_models(session)
        ),
        *(
            (f"{row.model} at {row.name} · {_host(row)}", SideSpec(endpoint_id=row.id))
            for row in _outside(session)
        ),
    ]
    known = {side for _, side in found}
    more = [(sides.title_of(session, side), side) for side in extra if side not in known]
    return [(line, key_of(side)) for line, side in [*found, *more]]


def default_sides(session: Session, project_id: int, adapter_id: int = 0) -> list[SideSpec]:
    """The base and that adapter, or else the newest; without any adapter the first base."""
    adapters = registry.list_adapters(session, project_id)
    adapter = next((one for one in adapters if one.id == adapter_id), next(iter(adapters), None))
    if adapter is None:
        return [SideSpec(base_model_id=base.id) for base in registry.list_base_models(session)[:1]]
    return [SideSpec(base_model_id=adapter.base_model_id), SideSpec(adapter_id=adapter.id)]


def chosen_values(session: Session, project_id: int, chosen: Sequence[SideSpec]) -> tuple:
    """The list with these chosen, and the note below it."""
    choices = choices_of(session, project_id, chosen)
    return gr.update(choices=choices, value=[key_of(side) for side in chosen]), note_value(session, chosen)


def opened_values(session: Session, project_id: int, chosen: Sequence[SideSpec]) -> tuple:
    """All of the picker."""
    outside = [(f"{row.name} · {_host(row)}", row.id) for row in _outside(session)]
    first = outside[0][1] if outside else None
    endpoint = gr.update(choices=outside, value=first, interactive=bool(outside))
    return (*chosen_values(session, project_id, chosen), _steps_value(session, project_id), endpoint)


def note_value(session: Session, chosen: Sequence[SideSpec]) -> dict:
    """What is wrong with a choice, or where it sends what is typed."""
    try:
        require_one_base(session, chosen)
    except ValueError as error:
        return {"problem": str(error).partition(": ")[2].capitalize(), "leaves": ""}
    rows = [endpoints.get_endpoint(session, side.endpoint_id) for side in chosen if side.endpoint_id]
    return {"problem": "", "leaves": " and ".join(dict.fromkeys(_host(row) for row in rows))}


def _steps_value(session: Session, project_id: int) -> dict:
    kept = [(one, registry.steps_of(one)) for one in registry.list_adapters(session, project_id)]
    return {
        "adapters": [
            {
                "id": adapter.id,
                "name": adapter.name,
                "steps": " ".join(str(step) for step in steps),
                "most": len(steps) - 1,
                "last": f"{steps[-1]:,}",
            }
            for adapter, steps in kept
            if steps
        ]
    }


def _about(adapter: Adapter) -> str:
    version = adapter.dataset_version
    data = f"{version.dataset.name} v{version.number}" if version else "data not recorded"
    return f"{adapter.name} · on {adapter.base_model.name} · {data} · {ago(adapter.created_at)}"


def has_tuned(session: Session, project_id: int) -> bool:
    """Whether there is anything to set beside a base: an adapter here, or a model elsewhere."""
    return bool(registry.list_adapters(session, project_id) or _outside(session))


def _outside(session: Session) -> list[Endpoint]:
    """Endpoints of others: what our own model server answers is a base or an adapter here."""
    return [row for row in endpoints.list_endpoints(session) if row.base_url != endpoints.OWN]


def _host(row: Endpoint) -> str:
    return host_and_port(row.base_url)[0]


# handlers -------------------------------------------------------------------------------------------


@needs(Right.COMPARE)
def show_note(keys: list[str], request: gr.Request):
    """Whether the chosen ones can be asked together."""
    with read() as session:
        return note_value(session, [side_of(key) for key in keys or ()])


@needs(Right.COMPARE)
def add_step(project_id: int, keys: list[str], event: gr.EventData, request: gr.Request):
    """A checkpoint of an adapter as one more side."""
    with read() as session:
        adapter = registry.get_adapter(session, int(event.adapter))
        return _added(session, project_id, keys, SideSpec(adapter_id=adapter.id, step=int(event.step)))


@needs(Right.COMPARE)
def add_model(project_id: int, keys: list[str], endpoint_id: int | None, model: str, request: gr.Request):
    """A model at an endpoint as one more side; its own where no name is given."""
    if not endpoint_id:
        raise ValueError("endpoint: choose one; an admin or a trainer adds them on the Endpoints page.")
    with read() as session:
        endpoint = endpoints.get_endpoint(session, endpoint_id)
        name = (model or "").strip()
        side = SideSpec(endpoint_id=endpoint.id, model="" if name == endpoint.model else name)
        return (*_added(session, project_id, keys, side), "")


def _added(session: Session, project_id: int, keys: list[str], side: SideSpec) -> tuple:
    chosen = [side_of(key) for key in keys or ()]
    if side in chosen:
        raise ValueError("sides: it is chosen already.")
    if len(chosen) == MAX_SIDES:
        raise ValueError(f"sides: {MAX_SIDES} are the most; take one out first.")
    return chosen_values(session, project_id, [*chosen, side])


# layout and wiring ----------------------------------------------------------------------------------


def sides_picker() -> SidesPicker:
    with gr.Column(elem_classes="sides"):
        sides_dd = gr.Dropdown(
            [],
            label="Sides",
            info=f"Who answers, from left to right: a base and what was tuned on it, up to {MAX_SIDES}.",
            multiselect=True,
            max_choices=MAX_SIDES,
            elem_id="field-sides",
        )
        note_html = View(NOTE, NO_NOTE, elem_classes="note-view")
        with fold("Add a checkpoint, or another model at an endpoint", elem_classes="sides-more"):
            steps_html = View(STEPS, {"adapters": []}, on_load=STEPS_ON_LOAD)
            with gr.Row(elem_classes="sides-endpoint"):
                endpoint_dd = gr.Dropdown(
                    [],
                    label="Endpoint",
                    info="Any server that speaks the OpenAI protocol, such as vLLM.",
                    elem_id="field-endpoint",
                )
                model_tb = gr.Textbox(
                    label="Model",
                    info="Its name there; empty for the endpoint's own. vLLM serves adapters by name.",
                    elem_id="field-model",
                )
                add_btn = gr.Button("Add this model", size="sm")
    return SidesPicker(sides_dd, note_html, steps_html, endpoint_dd, model_tb, add_btn)


def wire_sides(page: Page, picker: SidesPicker) -> None:
    here = [page.project_id, picker.sides_dd]
    page.on(picker.sides_dd.input, show_note, [picker.sides_dd], picker.note_html)
    page.on(picker.steps_html.choose, add_step, here, picker.chosen)
    added = [*here, picker.endpoint_dd, picker.model_tb]
    page.on(picker.add_btn.click, add_model, added, [*picker.chosen, picker.model_tb])
