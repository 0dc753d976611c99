"""Change many: choose what to do with the ticked or the listed records, see it, do just that, take it back.

Usage, on a page whose people may write. Lay it out where it should open; `open_btn` opens and closes it:

    bulk = bulk_panel(page, bulk_btn, filters_state, ticked_state)
    for event in bulk.changed:                       # after these the list is asked for anew
        page.on(event, show_list, asked, left)

`filters_state` is a gr.State whose value has `.query(actor) -> InstructionQuery`; `ticked_state` one that
holds a tuple of instruction ids, empty for all that the list shows. When either changes, a preview is taken
away, for it would no longer be of what the list shows. `right` is what the page itself asks for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from bioui.components import bulk_words
from bioui.components.frame import Page
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted
from bioui.work import Work
from db import bulk, users
from db.bulk import Action, Change, Picked
from db.policy import Actor, Right
from db.search import InstructionQuery
from db.session import Session, read, write

NOBODY = 0  # the choice that takes an assignment away
LISTED = 10  # recent changes shown
SCOPE = """{{#if value.told}}<p class="bulk-scope">Changes <b>{{value.told}}</b>{{value.hint}}</p>{{/if}}"""
PREVIEW, CHANGES = (
    Path(__file__).with_name(f"bulk_{name}.hbs").read_text(encoding="utf-8")
    for name in ("preview", "changes")
)
ON_UNDO = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-undo]');
  if (!button || button.disabled) return;
  button.disabled = true; // one press, one undo; one that was refused can be repeated
  setTimeout(() => { button.disabled = false; }, 2500);
  trigger('undo', {change: Number(button.dataset.undo)});
});
"""


@dataclass(frozen=True)
class Plan:
    """What was previewed, and so may be done: nothing else is."""

    change: Change
    picked: Picked
    count: int
    mark: str


@dataclass(frozen=True)
class BulkPanel:
    """`changed`: the events after which records are not what they were. `panel` opens and closes."""

    changed: list[Callable]
    panel: gr.Column


# data -------------------------------------------------------------------------------------------------


def picked_of(actor: Actor, filters, ticked: Sequence[int] | None) -> Picked:
    """The ticked records, or with none ticked all that the filters find."""
    if ticked:
        return tuple(ticked)
    return filters.query(actor) if filters is not None else InstructionQuery()


def scope_value(session: Session, project_id: int, picked: Picked) -> dict:
    """What a change is for, in words."""
    number = bulk.count_picked(session, project_id, picked)
    if not isinstance(picked, InstructionQuery):
        return {"told": f"the {number:,} ticked" if number > 1 else "the one ticked", "hint": "."}
    if number == 1:
        return {"told": "the one that the list shows", "hint": "."}
    hint = ", on all its pages. Tick some to change only those."
    return {"told": f"all {number:,} that the list shows", "hint": hint}


def people_choices(session: Session) -> list[tuple[str, int]]:
    """Those whom a record can be handed to, and nobody."""
    able = [
        (user.full_name, user.id)
        for user in users.list_users(session)
        if user.is_active and users.as_actor(user).can(Right.WRITE)
    ]
    return [("Nobody: take the assignment away", NOBODY), *able]


def change_of(action: str | None, tags: str | None, person: int | None) -> Change:
    """What the form says. Raises ValueError at its field."""
    if action not in list(Action):
        raise ValueError("action: choose what to do with them.")
    if action == Action.ASSIGN and person is None:
        raise ValueError("assignee_id: choose who shall have them.")
    wants_tags = action in (Action.TAG, Action.UNTAG)
    try:
        return Change(
            Action(action),
            tuple((tags or "").split(",")) if wants_tags else (),
            (person or None) if action == Action.ASSIGN else None,
        )
    except ValueError as error:
        raise ValueError(str(error).replace("tags:", "bulk tags:", 1)) from error


# handlers ---------------------------------------------------------------------------------------------


def toggle(project_id: int, is_open: bool, filters, ticked, request: gr.Request):
    if is_open:
        return False, gr.update(visible=False), *(gr.skip() for _ in range(4))
    with read() as session:
        actor = actor_of(session, request)
        choices = [(bulk_words.NAMES[action], action.value) for action in bulk.allowed_actions(actor)]
        return (
            True,
            gr.update(visible=True),
            scope_value(session, project_id, picked_of(actor, filters, ticked)),
            gr.update(choices=choices),
            gr.update(choices=people_choices(session)),
            bulk_words.changes_value(session, actor, project_id, limit=LISTED),
        )


def rescope(project_id: int, is_open: bool, filters, ticked, request: gr.Request):
    """Other records are meant now: say which; a preview of the former is no more."""
    if not is_open:
        return gr.skip(), *no_plan()
    with read() as session:
        picked = picked_of(actor_of(session, request), filters, ticked)
        return scope_value(session, project_id, picked), *no_plan()


def choose_action(action: str | None, request: gr.Request):
    """The field that the action asks for; a preview of another action is no more."""
    wants_tags = action in (Action.TAG, Action.UNTAG)
    return gr.update(visible=wants_tags), gr.update(visible=action == Action.ASSIGN), *no_plan()


def preview(project_id: int, action, tags, person, filters, ticked, request: gr.Request) -> Iterator:
    """What would change, and why the rest would not. Changes nothing."""
    change = change_of(action, tags, person)

    def look(report) -> tuple:
        with read() as session:
            actor = actor_of(session, request)
            picked = picked_of(actor, filters, ticked)
            seen = bulk.preview(session, actor, project_id, change, picked, report=report)
            plan = Plan(change, picked, seen.count, seen.mark) if seen.count else None
            return plan, bulk_words.preview_value(change, seen, project_id), _apply_button(seen.count)

    work = Work(look, stops=True)
    for done in work.watch():
        progress = progress_value("Looking", done, 0, unit="records", seconds=work.seconds)
        yield *(gr.skip() for _ in range(3)), progress
    yield *work.result(), NO_PROGRESS


def apply(
    project_id: int, plan: Plan | None, action, tags, person, filters, ticked, request: gr.Request
) -> Iterator:
    """Do what was previewed; refused when the page, or the records, say something else by now."""
    if not isinstance(plan, Plan):
        raise ValueError("preview: look at what would change first.")
    with read() as session:
        picked = picked_of(actor_of(session, request), filters, ticked)
    if (change_of(action, tags, person), picked) != (plan.change, plan.picked):
        raise ValueError("preview: it is of another change than the form says now; look again.")

    def change(report) -> int:
        with read() as session:  # the gate takes seconds for thousands, and nobody shall wait for it to write
            actor = actor_of(session, request)
            copies = bulk.find_copies(session, actor, project_id, plan.change, plan.picked)
        with write() as session:
            actor = actor_of(session, request)
            done = bulk.apply(
                session, actor, project_id, plan.change, plan.picked,
                count=plan.count, mark=plan.mark, copies=copies, report=report,
            )  # fmt: skip
            return done.id

    work = Work(change)
    for done in work.watch():
        yield *(gr.skip() for _ in range(4)), _progress("Changing", done, plan.count, work)
    done_id = work.result()
    with read() as session:
        actor = actor_of(session, request)
        shown = bulk_words.changes_value(session, actor, project_id, limit=LISTED, done_id=done_id)
    yield *no_plan(), shown, NO_PROGRESS


def undo(project_id: int, event: gr.EventData, request: gr.Request) -> Iterator:
    """Put back what a change was before, but what someone changed since."""
    change_id = getattr(event, "change", None)
    if not isinstance(change_id, int):
        raise ValueError("change: choose one of the list.")

    with read() as session:
        total = bulk.size_of(session, change_id)

    def put_back(report) -> bulk.Undone:
        with write() as session:
            return bulk.undo(session, actor_of(session, request), change_id, report=report)

    work = Work(put_back)
    for done in work.watch():
        yield gr.skip(), _progress("Putting back", done, total, work)
    undone = work.result()
    with read() as session:
        actor = actor_of(session, request)
        yield (
            bulk_words.changes_value(session, actor, project_id, limit=LISTED, undone=undone),
            NO_PROGRESS,
        )


def no_plan() -> tuple:
    """(plan, preview, apply button) before a preview."""
    return None, bulk_words.NO_PREVIEW, _apply_button(0)


def _progress(phase: str, done: int, total: int, work: Work) -> dict:
    """The work goes on when nobody watches."""
    note = "You may leave the page."
    return progress_value(phase, done, total, unit="records", seconds=work.seconds, note=note)


def _apply_button(count: int) -> dict:
    return gr.update(value=f"Apply to {counted(count, 'record')}", visible=count > 0)


# layout and wiring ------------------------------------------------------------------------------------


def bulk_panel(
    page: Page,
    open_btn: gr.Button,
    filters_state: gr.State,
    ticked_state: gr.State,
    *,
    right: Right = Right.READ,
) -> BulkPanel:
    with gr.Column(visible=False, elem_classes="section bulk-panel", elem_id="bulk-panel") as panel:
        scope_html = View(SCOPE, {"told": "", "hint": ""})
        with gr.Row(elem_classes="bulk-row"):
            action_dd = gr.Dropdown(
                [(bulk_words.NAMES[action], action.value) for action in Action], value=Action.TAG.value,
                label="Do this", info="Nothing changes before you have seen it.",
                elem_id="field-action", scale=0, min_width=280,
            )  # fmt: skip
            tags_tb = gr.Textbox(
                label="Tags", info="With commas between them.", max_lines=1,
                elem_id="field-bulk-tags", scale=0, min_width=280,
            )  # fmt: skip
            person_dd = gr.Dropdown(
                [("Nobody: take the assignment away", NOBODY)], value=None, label="Person", visible=False,
                info="Those who may write or review here.",
                elem_id="field-assignee-id", scale=0, min_width=280,
            )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            preview_btn = gr.Button("Preview", elem_id="bulk-preview-btn")
            close_btn = gr.Button("Close", elem_id="bulk-close-btn")
        preview_html = View(PREVIEW, bulk_words.NO_PREVIEW, elem_id="bulk-preview")
        with gr.Row(elem_classes="actions"):
            apply_btn = gr.Button("Apply", variant="primary", visible=False, elem_id="bulk-apply-btn")
        progress_html = progress_bar()
        changes_html = View(CHANGES, bulk_words.NO_CHANGES, on_load=ON_UNDO, elem_id="bulk-changes")
    open_state, plan_state = gr.State(False), gr.State(None)

    looks = partial(_on, page, right)
    acts = partial(_on, page, Right.WRITE if right is Right.READ else right)
    meant = [page.project_id, open_state, filters_state, ticked_state]
    plan = [plan_state, preview_html, apply_btn]
    for button in (open_btn, close_btn):
        acts(button.click, toggle, meant, [open_state, panel, scope_html, action_dd, person_dd, changes_html])
    for state in (filters_state, ticked_state):
        looks(state.change, rescope, meant, [scope_html, *plan])
    looks(action_dd.input, choose_action, [action_dd], [tags_tb, person_dd, *plan])
    said = [action_dd, tags_tb, person_dd, filters_state, ticked_state]
    for event in (preview_btn.click, tags_tb.submit):
        acts(event, preview, [page.project_id, *said], [*plan, progress_html])
    steps = [
        acts(
            apply_btn.click, apply, [page.project_id, plan_state, *said], [*plan, changes_html, progress_html]
        ),
        acts(changes_html.undo, undo, [page.project_id], [changes_html, progress_html]),
    ]
    for step in steps:
        looks(step.then, rescope, meant, [scope_html, *plan])
    return BulkPanel([step.success for step in steps], panel)


def _on(page: Page, right: Right, event: Callable, handler: Callable, inputs, outputs):
    return page.on(event, needs(right)(handler), inputs, outputs)
