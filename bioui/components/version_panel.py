"""A frozen dataset version: what it is, how it was made, and its rows by split and category.

Events of the returned View: `verify` (check the hash), `close`. The address bar names the version shown.
"""

from bioui.components.view import View
from bioui.downloads import version_href
from bioui.present import ago, exact
from db.enums import Category, Split
from db.policy import Actor, Right
from db.tables import DatasetVersion

CATEGORY_WORDS = {Category.QA: "QA", Category.IE: "IE", Category.GEN: "GEN", Category.OTHER: "other"}
SPLIT_WORDS = {Split.TRAIN: "train", Split.VALIDATION: "validation", Split.TEST: "test"}

TEMPLATE = """
{{#if value.id}}
<div class="pane-head"><h2>{{value.name}}</h2>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
<p class="pane-lead">{{value.recipe}}</p>
<dl class="facts">
  <dt>Hash</dt><dd><code title="{{value.hash}}">{{value.short_hash}}</code>
    <button type="button" class="quiet-btn" data-copy="{{value.hash}}">Copy</button></dd>
  <dt>Frozen by</dt><dd>{{value.by}}, <time title="{{value.exact}}">{{value.ago}}</time></dd>
</dl>
<table class="table split-table"><caption class="sr-only">Rows by split and category</caption>
  <thead><tr><th scope="col">Rows</th>
    {{#each value.categories}}<th scope="col" class="col-num">{{this}}</th>{{/each}}
    <th scope="col" class="col-num">All</th></tr></thead>
  <tbody>{{#each value.splits}}<tr><th scope="row">{{this.name}}</th>
    {{#each this.cells}}<td class="col-num">{{this.text}}<span class="bar-track" aria-hidden="true"><span
      style="width:{{this.width}}%"></span></span></td>{{/each}}
    <td class="col-num">{{this.total}}</td></tr>{{/each}}</tbody></table>
<p class="pane-links">
  {{#if value.train_href}}<a class="secondary-btn" href="{{value.train_href}}">Train on this</a>{{/if}}
  <button type="button" class="secondary-btn" data-do="verify">Verify hash</button>
  <a class="secondary-btn" href="{{value.file_href}}" download>Export JSONL</a></p>
{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button) return;
  button.dataset.do === 'close' ? trigger('close', {}) : trigger('verify', {});
});
if (props.value.id) studio.setParam('version', props.value.id);
watch('value', () => { studio.setParam('version', props.value.id || null); });
"""
NO_VERSION = {"id": 0}


def version_panel() -> View:
    return View(TEMPLATE, NO_VERSION, on_load=ON_LOAD, elem_classes="version-panel")


def version_name(version: DatasetVersion) -> str:
    return f"{version.dataset.name}, version {version.number}"


def version_value(version: DatasetVersion, rows: dict[tuple[Split, Category], int], actor: Actor) -> dict:
    """What the panel shows to `actor`; `rows` counts by split and category."""
    project_id = version.dataset.project_id
    train_href = f"/train?project={project_id}&version={version.id}" if actor.can(Right.TRAIN) else ""
    return {
        "id": version.id,
        "name": version_name(version),
        "recipe": recipe_sentence(version.recipe),
        "hash": version.content_hash,
        "short_hash": version.content_hash[:12],
        "by": version.frozen_by.full_name,
        "ago": ago(version.frozen_at),
        "exact": exact(version.frozen_at),
        "categories": list(CATEGORY_WORDS.values()),
        "splits": _split_rows(rows),
        "train_href": train_href,
        "file_href": version_href(version.id),
    }


def recipe_sentence(recipe: dict) -> str:
    """A stored recipe in words."""
    if recipe.get("shipped"):
        return (
            "Shipped with the studio: written by code from a table of facts. "
            "The test split holds facts, names and wordings that the train split lacks."
        )
    chosen = [
        _either("category", [CATEGORY_WORDS.get(name, name) for name in recipe.get("categories", ())]),
        _either("origin", recipe.get("origins", ())),
        f"task {recipe['task']}" if recipe.get("task") else "",
        f"specialty {recipe['specialty']}" if recipe.get("specialty") else "",
        f"text containing “{recipe['text']}”" if recipe.get("text") else "",
    ]
    which = ", ".join(part for part in chosen if part)
    shares = f"{recipe.get('validation', 0):.3g} to validation and {recipe.get('test', 0):.3g} to test"
    start = f"Approved instructions of {which}" if which else "All approved instructions"
    return f"{start}; shuffled with seed {recipe.get('seed', 0)}, a share of {shares}."


def _either(name: str, values) -> str:
    return f"{name} {' or '.join(values)}" if values else ""


def _split_rows(rows: dict[tuple[Split, Category], int]) -> list[dict]:
    most = max(rows.values(), default=0) or 1
    return [
        {
            "name": SPLIT_WORDS[split].capitalize(),
            "total": f"{sum(rows.get((split, category), 0) for category in Category):,}",
            "cells": [
                {
                    "text": f"{(count := rows.get((split, category), 0)):,}",
                    "width": round(100 * count / most, 1),
                }
                for category in Category
            ],
        }
        for split in Split
    ]
