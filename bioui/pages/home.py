"""Home: what the studio holds for this project, the next step, and what happened lately."""

from dataclasses import dataclass

import gradio as gr

from bioui import balloting
from bioui.components.frame import page_frame
from bioui.components.kept_typing import forget, kept_typing, kept_typing_value
from bioui.components.round_waiting import waiting_rounds, waiting_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import audit_row, counted
from db import audit, comparisons, datasets, jobs, registry, reviews, search, users
from db.enums import InstructionStatus, JobKind
from db.policy import Actor, Right
from db.session import Session, read, write

TITLE = "Home"
PATH = "/"
RIGHT = Right.READ

RECENT = 12

PIPELINE = """
<ol class="pipeline">{{#each value.steps}}
  <li class="{{#if this.is_next}}pipeline-next{{/if}}">
    {{#if this.href}}<a class="pipeline-name" href="{{this.href}}">{{this.name}}</a>
    {{else}}<span class="pipeline-name">{{this.name}}</span>{{/if}}
    <span class="pipeline-count">{{this.count}}</span>
    <span class="pipeline-unit">{{this.unit}}</span>
    <span class="pipeline-note">{{this.note}}</span></li>{{/each}}
</ol>
{{#if value.next}}<p class="next-step">{{value.next}}
  {{#if value.href}}<a class="primary-btn" href="{{value.href}}">{{value.link}}</a>{{/if}}</p>{{/if}}
"""
NO_STEPS = {
    "steps": [{"name": name} for name in ("Write", "Review", "Freeze", "Train", "Compare")],
    "next": "",
}
ACTIVITY = """
{{#if value.lines}}<ul class="activity">{{#each value.lines}}
  <li><span class="activity-what"><strong>{{this.who}}</strong> {{this.what}}</span>
    <time title="{{this.exact}}">{{this.ago}}</time></li>{{/each}}</ul>
{{else}}<p class="muted">{{value.empty}}</p>{{/if}}
"""
NO_ACTIVITY = "Nothing yet. What people do in this project is noted here, never the texts themselves."


@dataclass(frozen=True)
class Holdings:
    """What a project holds, by step of the pipeline."""

    instructions: int
    drafts: int
    approved: int
    in_review: int
    waiting: int  # for this person's review
    versions: int
    rows: int  # in the newest version
    adapters: int
    open_jobs: int
    comparisons: int


# (step, page, right that opens it)
STEPS = (
    ("Write", "/curate", Right.READ),
    ("Review", "/review", Right.REVIEW),
    ("Freeze", "/datasets", Right.READ),
    ("Train", "/train", Right.TRAIN),
    ("Compare", "/playground", Right.COMPARE),
)


def count_holdings(session: Session, actor: Actor, project_id: int) -> Holdings:
    by_status = search.count_by_status(session, project_id)
    versions = datasets.list_versions(session, project_id)
    runs = jobs.list_jobs(session, project_id, JobKind.TRAIN)
    return Holdings(
        instructions=sum(by_status.values()),
        drafts=by_status.get(InstructionStatus.DRAFT, 0)
        + by_status.get(InstructionStatus.CHANGES_REQUESTED, 0),
        approved=by_status.get(InstructionStatus.APPROVED, 0),
        in_review=by_status.get(InstructionStatus.IN_REVIEW, 0),
        waiting=reviews.count_waiting(session, actor, project_id) if actor.can(Right.REVIEW) else 0,
        versions=len(versions),
        rows=sum(versions[0].counts.values()) if versions else 0,
        adapters=len(registry.list_adapters(session, project_id)),
        open_jobs=sum(job.status.is_open for job in runs),
        comparisons=comparisons.count(session, project_id),
    )


def pipeline_value(held: Holdings, actor: Actor, project_id: int) -> dict:
    """The five steps with their counts, and the one to take next."""
    place, sentence, link = next_step(held, actor)
    shown = (
        (held.instructions, "instruction", f"{held.approved:,} approved, {counted(held.drafts, 'draft')}"),
        (held.in_review, "in review", f"{held.waiting:,} wait for you" if held.waiting else ""),
        (held.versions, "frozen version", f"newest: {counted(held.rows, 'row')}" if held.versions else ""),
        (held.adapters, "adapter", f"{held.open_jobs} running or queued" if held.open_jobs else ""),
        (held.comparisons, "comparison", ""),
    )
    steps = [
        {
            "name": name,
            "href": f"{path}?project={project_id}" if actor.can(right) else "",
            "count": f"{count:,}",
            "unit": unit if count == 1 or unit == "in review" else f"{unit}s",
            "note": note,
            "is_next": name == place,
        }
        for (name, path, right), (count, unit, note) in zip(STEPS, shown, strict=True)
    ]
    href = next((step["href"] for step in steps if step["name"] == place), "")
    return {"steps": steps, "next": sentence, "href": href, "link": link}


def next_step(held: Holdings, actor: Actor) -> tuple[str, str, str]:
    """(step, sentence, text of the link): what this person can best do now, in the order of the work."""
    if held.waiting:
        verb = "waits" if held.waiting == 1 else "wait"
        return "Review", f"{counted(held.waiting, 'submission')} {verb} for your review.", "Review"
    if not held.approved:
        return "Write", "Write the first instruction and submit it for review.", "Write an instruction"
    if not held.versions and actor.can(Right.FREEZE):
        approved = counted(held.approved, "approved instruction")
        return "Freeze", f"{approved} can be frozen into a first dataset version.", "Freeze a version"
    if held.open_jobs:
        return "Train", "A model is being tuned in the background.", "Watch the run"
    if held.versions and not held.adapters and actor.can(Right.TRAIN):
        return "Train", "Tune a first model on the frozen version.", "Start training"
    if held.adapters and actor.can(Right.COMPARE):
        return "Compare", "Read base and tuned answers side by side.", "Compare answers"
    if actor.can(Right.WRITE):
        return "Write", "Write the next instruction.", "Write an instruction"
    return "", "", ""


def activity_value(session: Session, actor: Actor, project_id: int) -> dict:
    """What happened in the project; for an admin also what concerns the whole studio, such as people."""
    is_admin = actor.can(Right.MANAGE_USERS)
    lines = audit.list_activity(session, project_id, studio_wide=is_admin, limit=RECENT)
    names = {user.id: user.full_name for user in users.list_users(session)} if is_admin else None
    return {"lines": [audit_row(line, names) for line in lines], "empty": NO_ACTIVITY}


@needs(RIGHT)
def show_home(project_id: int, request: gr.Request) -> tuple[dict, dict, dict]:
    with read() as session:
        actor = actor_of(session, request)
        held = count_holdings(session, actor, project_id)
        return (
            kept_typing_value(session, actor, project_id),
            pipeline_value(held, actor, project_id),
            activity_value(session, actor, project_id),
        )


@needs(RIGHT)
def show_waiting(project_id: int, request: gr.Request) -> dict:
    """The blind rounds in which this person still has pairs to vote on."""
    with read() as session:
        actor = actor_of(session, request)
        return waiting_value(balloting.waiting_rounds(session, actor, project_id))


@needs(RIGHT)
def throw_away(project_id: int, event: gr.EventData, request: gr.Request) -> dict:
    """Forget what one typed on a record, or as guidelines, and did not save."""
    with write() as session:
        actor = actor_of(session, request)
        forget(session, actor, project_id, event.id)
        return kept_typing_value(session, actor, project_id)


def build() -> None:
    page = page_frame("Home", "Where the work of this project stands, and what comes next.")
    waiting_html = waiting_rounds()
    kept_html = kept_typing()
    pipeline_html = View(PIPELINE, NO_STEPS)
    with gr.Column(elem_classes="section"):
        gr.Markdown("## Recent activity")
        activity_html = View(ACTIVITY, {"lines": [], "empty": ""})

    page.on_load(show_waiting, waiting_html)
    page.on_load(show_home, [kept_html, pipeline_html, activity_html])
    page.on(kept_html.drop, throw_away, [page.project_id], kept_html)
