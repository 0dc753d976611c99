"""What changed from one version to another: how many rows of which kind, the rows by pages, their words."""

from dataclasses import dataclass, field, replace

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.frame import Page
from bioui.components.table import Column, Trail, cell, row_id, table, table_value
from bioui.components.version_panel import version_name
from bioui.components.version_splits import SPLIT_WORDS
from bioui.components.view import View
from bioui.components.word_diff import CHANGES, field_changes
from bioui.handling import needs
from bioui.present import counted, exact, shortened
from db import datasets, version_diff
from db.content import content_of
from db.policy import Right
from db.session import Session, read
from db.tables import DatasetRow, DatasetVersion
from db.version_diff import PAGE_ROWS, Change, Difference, VersionDiff

OUTPUTS = 6
KINDS = [("All", ""), *((kind.value.capitalize(), kind.value) for kind in Difference)]
COLUMNS = (Column("Change"), Column("Instruction", "long"), Column("Split"))
NO_CHANGES = empty_state("No such row.", "The versions do not differ in this way.")
SUMMARY = """
{{#if value.against}}<p class="pane-lead">{{value.sentence}}</p>
<ul class="diff-counts" aria-label="Rows by difference">{{#each value.counts}}
  <li class="diff-{{this.kind}}"><strong>{{this.count}}</strong> {{this.kind}}</li>{{/each}}</ul>
{{else}}<p class="muted">{{value.sentence}}</p>{{/if}}
"""
SUMMARY_ON_LOAD = """
const follow = () => studio.setParam('against', props.value.against || null);
if (props.value.against) follow();
watch('value', follow);
"""
CHANGE = (
    """
{{#if value.title}}
<div class="pane-head"><h3>{{value.title}}</h3>
  <button type="button" class="quiet-btn" data-close>Close change</button></div>
<p class="muted">{{value.labels}}</p>
{{#if value.terms}}<ul class="diff-terms">{{#each value.terms}}<li>{{this}}</li>{{/each}}</ul>{{/if}}
{{#each value.texts}}"""
    + CHANGES
    + """{{/each}}
{{#if value.note}}<p class="muted">{{value.note}}</p>{{/if}}
{{#each value.whole}}<h4>{{this.label}}</h4><p class="reading">{{this.text}}</p>{{/each}}
{{#if value.href}}<p><a href="{{value.href}}">The instruction it was frozen from</a></p>{{/if}}
{{/if}}
"""
)
CHANGE_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-close]')) trigger('close', {});
});
"""
NO_SUMMARY = {"against": 0, "sentence": "", "counts": []}
NO_CHANGE = {"title": ""}
_TERMS = (("licence", "licence"), ("origin", "origin"), ("provenance", "provenance"))


@dataclass(frozen=True)
class Comparing:
    """The diff that is open, and where in it the reader is."""

    diff: VersionDiff = field(default_factory=lambda: VersionDiff(0, 0, (), 0))
    kind: str = ""
    trail: Trail = field(default_factory=Trail)
    following: int | None = None


# data -------------------------------------------------------------------------------------------------


def compare_values(session: Session, version: DatasetVersion, against_id: int = 0) -> tuple:
    """The tab as it opens: against `against_id`, else against the version before this one."""
    known = datasets.list_versions(session, version.dataset.project_id)
    listed = [each for each in known if each.id != version.id]
    before = [
        each for each in listed if each.dataset_id == version.dataset_id and each.number < version.number
    ]
    wanted = [each.id for each in listed if each.id == against_id] or [each.id for each in before]
    chosen = wanted[0] if wanted else 0
    choices = [(_choice(each), each.id) for each in listed]
    against = gr.Dropdown(choices=choices, value=chosen or None)
    return (against, *diff_values(session, version, chosen))


def diff_values(session: Session, version: DatasetVersion, against_id: int) -> tuple:
    """Kinds, summary, rows, open change and state for this diff."""
    if not against_id:
        said = "Choose a version to see what changed from it to this one."
        summary = {**NO_SUMMARY, "sentence": said}
        return gr.Radio(value="", visible=False), summary, _blank(), NO_CHANGE, Comparing()
    against = datasets.get_version(session, against_id)
    if against.dataset.project_id != version.dataset.project_id:
        raise LookupError(f"This project has no dataset version number {against_id}.")
    diff = version_diff.compare_versions(session, against_id, version.id)
    listed, comparing = changes_value(session, Comparing(diff))
    summary = summary_value(against, version, diff)
    return gr.Radio(value="", visible=True), summary, listed, NO_CHANGE, comparing


def summary_value(before: DatasetVersion, after: DatasetVersion, diff: VersionDiff) -> dict:
    same = before.content_hash == after.content_hash
    said = " They have the same hash: the same rows in the same splits." if same else ""
    counts = {**{kind.value: count for kind, count in diff.counts.items()}, "unchanged": diff.unchanged}
    return {
        "against": before.id,
        "sentence": f"From {version_name(before)} to {version_name(after)}.{said}",
        "counts": [{"kind": kind, "count": f"{count:,}"} for kind, count in counts.items()],
    }


def changes_value(
    session: Session, comparing: Comparing, *, open_key: int | None = None
) -> tuple[dict, Comparing]:
    """A page of changes, and the state that knows where the next begins."""
    diff, kind = comparing.diff, Difference(comparing.kind) if comparing.kind else None
    after = -1 if comparing.trail.before_id is None else comparing.trail.before_id
    found = diff.page(kind, after=after, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    following = shown[-1].key if len(found) > PAGE_ROWS else None
    pairs = version_diff.read_changes(session, diff, shown)
    value = table_value(
        COLUMNS,
        [
            {"id": change.key, "opens": True, "cells": _cells(change, *pair)}
            for change, pair in zip(shown, pairs, strict=True)
        ],
        empty=NO_CHANGES,
        total=diff.counts[kind] if kind else len(diff.changes),
        trail=comparing.trail,
        page_rows=PAGE_ROWS,
        next_before_id=following,
        current_id=open_key,
        turns=("Previous", "Next"),
    )
    return value, replace(comparing, following=following)


def change_value(session: Session, diff: VersionDiff, key: int, project_id: int) -> dict:
    """One change: its words side by side in one text, or the whole row where there is only one."""
    if not 0 <= key < len(diff.changes):
        raise LookupError("There is no such change between these versions.")
    change = diff.changes[key]
    before, after = version_diff.read_change(session, diff, change)
    row = after or before
    href = f"/curate?project={project_id}&id={row.instruction_id}" if row.instruction_id else ""
    told = {
        "title": f"Row {row.position + 1}: {_words(change)}",
        "labels": " · ".join(filter(None, [_move(change), row.task, row.specialty])),
        "href": href,
        "terms": [], "texts": [], "note": "", "whole": [],
    }  # fmt: skip
    texts = [(name.capitalize(), getattr(row, name)) for name in ("instruction", "input", "output")]
    whole = [{"label": label, "text": text} for label, text in texts if text]
    if before is None or after is None:
        return {**told, "whole": whole}
    changes = field_changes(content_of(before), content_of(after))
    terms = _changed_terms(before, after)
    if not changes:
        return {**told, "terms": terms, "note": "The text is the same in both:", "whole": whole}
    return {**told, "terms": terms, "texts": [{"changes": changes}]}


# handlers ---------------------------------------------------------------------------------------------


@needs(Right.READ)
def choose_against(project_id: int, reading, against: int | None, request: gr.Request):
    with read() as session:
        version = datasets.get_version(session, reading.version_id)
        return diff_values(session, version, against or 0)


@needs(Right.READ)
def choose_kind(comparing: Comparing, kind: str, request: gr.Request):
    with read() as session:
        return (*changes_value(session, Comparing(comparing.diff, kind)), NO_CHANGE)


@needs(Right.READ)
def next_changes(comparing: Comparing, request: gr.Request):
    moved = replace(comparing, trail=comparing.trail.older(comparing.following))
    with read() as session:
        return (*changes_value(session, moved), NO_CHANGE)


@needs(Right.READ)
def changes_before(comparing: Comparing, request: gr.Request):
    with read() as session:
        return (*changes_value(session, replace(comparing, trail=comparing.trail.newer())), NO_CHANGE)


@needs(Right.READ)
def open_change(project_id: int, comparing: Comparing, event: gr.EventData, request: gr.Request):
    with read() as session:
        change = change_value(session, comparing.diff, row_id(event), project_id)
        return (*changes_value(session, comparing, open_key=row_id(event)), change)


@needs(Right.READ)
def close_change(comparing: Comparing, request: gr.Request):
    with read() as session:
        return (*changes_value(session, comparing), NO_CHANGE)


# layout and wiring ------------------------------------------------------------------------------------


def compare_tab(page: Page, reading_state: gr.State) -> list:
    """Lay the tab out; its outputs are those of `compare_values`."""
    comparing_state = gr.State(Comparing())
    against_dd = gr.Dropdown(
        [], label="Compare with", elem_id="field-compare", info="What changed from it to this version."
    )
    summary_html = View(SUMMARY, NO_SUMMARY, on_load=SUMMARY_ON_LOAD, elem_id="diff-summary")
    kind_radio = gr.Radio(KINDS, value="", label="Changes", elem_classes="segments", visible=False)
    with gr.Row(elem_classes="rows-and-row"):
        changes_html = table("Rows that differ", empty_value=NO_CHANGES)
        change_html = View(
            CHANGE, NO_CHANGE, on_load=CHANGE_ON_LOAD, elem_classes="row-reading", elem_id="change-reading"
        )
    shown = [changes_html, comparing_state, change_html]
    outputs = [kind_radio, summary_html, changes_html, change_html, comparing_state]
    page.on(against_dd.input, choose_against, [page.project_id, reading_state, against_dd], outputs)
    page.on(kind_radio.input, choose_kind, [comparing_state, kind_radio], shown)
    page.on(changes_html.older, next_changes, [comparing_state], shown)
    page.on(changes_html.newer, changes_before, [comparing_state], shown)
    opened = page.on(changes_html.open, open_change, [page.project_id, comparing_state], shown)
    opened.then(fn=None, js="() => studio.reveal('change-reading')")
    page.on(change_html.close, close_change, [comparing_state], shown)
    return [against_dd, *outputs]


def _choice(version: DatasetVersion) -> str:
    rows = counted(sum(version.counts.values()), "row")
    return f"{version_name(version)} ({rows}, {exact(version.frozen_at)[:10]})"


def _cells(change: Change, before: DatasetRow | None, after: DatasetRow | None) -> list[dict]:
    row = after or before
    return [
        cell(_words(change).capitalize()),
        cell(shortened(row.instruction, 80), note=shortened(row.output, 80)),
        cell(_move(change)),
    ]


def _words(change: Change) -> str:
    return " and ".join(kind.value for kind in Difference if kind in change.differences)


def _move(change: Change) -> str:
    splits = (change.split_before, change.split_after)
    before, after = (SPLIT_WORDS[split] if split else "" for split in splits)
    return f"{before} → {after}" if before and after and before != after else after or before


def _changed_terms(before: DatasetRow, after: DatasetRow) -> list[str]:
    pairs = [("revision", before.instruction_version, after.instruction_version)]
    pairs += [(words, getattr(before, name), getattr(after, name)) for name, words in _TERMS]
    pairs.append(("data-use agreement", *(("yes" if row.is_restricted else "no") for row in (before, after))))
    pairs.append(("reviewed", *(("no" if row.is_unreviewed else "yes") for row in (before, after))))
    return [
        f"{words.capitalize()}: {old or 'none'} → {new or 'none'}" for words, old, new in pairs if old != new
    ]


def _blank() -> dict:
    return table_value(COLUMNS, [], empty=empty_state("", ""))
