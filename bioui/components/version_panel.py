"""A frozen dataset version: what it is, how it was made, and its rows by split and category.

Events of the returned View: `verify` (check the hash), `close`. The address bar names the version shown.
"""

from bioui.components.version_splits import CATEGORY_WORDS, SPLIT_TABLE, splits_value
from bioui.components.view import View
from bioui.downloads import version_href
from bioui.present import ago, exact
from db.enums import Category, Split
from db.policy import Actor, Right
from db.tables import DatasetVersion

TEMPLATE = (
    """
{{#if value.id}}
<div class="pane-head"><h2>{{value.name}}</h2>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
<p class="pane-lead">{{value.recipe}}</p>
<dl class="facts">
  <dt>Hash</dt><dd><code title="{{value.hash}}">{{value.short_hash}}</code>
    <button type="button" class="quiet-btn" data-copy="{{value.hash}}">Copy</button></dd>
  <dt>Licence</dt><dd>{{value.licence}}</dd>
  <dt>Frozen by</dt><dd>{{value.by}}, <time title="{{value.exact}}">{{value.ago}}</time></dd>
</dl>
"""
    + SPLIT_TABLE
    + """<p class="pane-links">
  {{#if value.train_href}}<a class="secondary-btn" href="{{value.train_href}}">Train on this</a>{{/if}}
  <button type="button" class="secondary-btn" data-do="verify">Verify hash</button>
  <a class="secondary-btn" href="{{value.file_href}}" download>Export JSONL</a></p>
{{/if}}
"""
)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button) return;
  button.dataset.do === 'close' ? trigger('close', {}) : trigger('verify', {});
});
if (props.value.id) studio.setParam('version', props.value.id);
watch('value', () => {
  studio.setParam('version', props.value.id || null);
  if (!props.value.id) for (const name of ['tab', 'against']) studio.setParam(name, null);
});
"""
NO_VERSION = {"id": 0}
_OUTCOMES = {
    "refuse": "none was found", "drop": "rows with them were dropped", "waive": "rows with them stayed",
}  # fmt: skip
_RESTRICTED = {True: "under a data-use agreement", False: "under no data-use agreement"}


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
        "licence": version.licence or "unknown",
        **splits_value(_by_category(rows)),
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
    if recipe.get("study"):
        return (
            f"Drawn with seed {recipe['seed']} from another version's train rows for arm {recipe['arm']} "
            f"of the study {recipe['study_name']}; the validation rows came along."
        )
    chosen = [
        _either("category", [CATEGORY_WORDS.get(name, name) for name in recipe.get("categories", ())]),
        _either("origin", recipe.get("origins", ())),
        f"task {recipe['task']}" if recipe.get("task") else "",
        f"specialty {recipe['specialty']}" if recipe.get("specialty") else "",
        f"text containing “{recipe['text']}”" if recipe.get("text") else "",
        _either("provenance", recipe.get("provenances", ())),
        f"tagged {' and '.join(recipe['tags'])}" if recipe.get("tags") else "",
        f"licence {recipe['licence']}" if recipe.get("licence") else "",
        _RESTRICTED.get(recipe.get("is_restricted"), ""),
    ]
    which = ", ".join(part for part in chosen if part)
    shares = f"{recipe.get('validation', 0):.3g} to validation and {recipe.get('test', 0):.3g} to test"
    start = f"Approved instructions of {which}" if which else "All approved instructions"
    split = f"{start}; shuffled with seed {recipe.get('seed', 0)}, a share of {shares}."
    parts = [split, _unreviewed_sentence(recipe), _near_sentence(recipe), _screening_sentence(recipe)]
    return " ".join(filter(None, parts))


def _unreviewed_sentence(recipe: dict) -> str:
    runs = " and ".join(map(str, recipe.get("unreviewed_runs") or ()))
    return f"Beside them what nobody had reviewed of generation run {runs}." if runs else ""


def _near_sentence(recipe: dict) -> str:
    if "near" not in recipe:
        return ""
    on = "their input" if recipe.get("near_on") == "input" else "instruction and input"
    corpora = " Rows of a corpus keep their source's split." if recipe.get("by_source") else ""
    return f"Rows with a ROUGE-L F1 above {recipe['near']:g} on {on} share a split.{corpora}"


def _screening_sentence(recipe: dict) -> str:
    screening = recipe.get("screening") or {}
    sets = " and ".join(each["name"] for each in screening.get("against", ()))
    return f"Texts of {sets} were looked for: {_OUTCOMES[screening['then']]}." if sets else ""


def _either(name: str, values) -> str:
    return f"{name} {' or '.join(values)}" if values else ""


def _by_category(rows: dict[tuple[Split, Category], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (split, category), count in rows.items():
        found.setdefault(category, {})[split] = count
    return found
