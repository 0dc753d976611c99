"""Where a version's rows come from, and what was trained on them: records, runs, adapters."""

from bioui.components.view import View
from bioui.present import ago, counted, exact, status_chip
from db import lineage
from db.lineage import Standing
from db.session import Session
from db.tables import DatasetVersion, Job

TEMPLATE = """
{{#if value.shown}}
<ol class="lineage">
  <li><h3>Records</h3><p>{{value.records}}</p><p class="muted">{{value.standing}}</p></li>
  <li><h3>This version</h3><p><code>{{value.hash}}</code></p></li>
  <li><h3>Training runs</h3>
    {{#if value.runs}}<ul>{{#each value.runs}}<li>
      <a href="{{this.href}}">{{this.name}}</a>
      <span class="chip chip-{{this.hue}}"><span class="chip-mark" aria-hidden="true"></span>
        {{this.status}}</span>
      <span class="muted" title="{{this.exact}}">{{this.by}}, {{this.ago}}</span></li>{{/each}}</ul>
    {{else}}<p class="muted">No run was asked for on it yet.</p>{{/if}}</li>
  <li><h3>Adapters</h3>
    {{#if value.adapters}}<ul>{{#each value.adapters}}<li>
      {{#if this.href}}<a href="{{this.href}}">{{this.name}}</a>{{else}}{{this.name}}{{/if}}
      <span class="muted" title="{{this.exact}}">{{this.told}}</span></li>{{/each}}</ul>
    {{else}}<p class="muted">{{value.no_adapter}}</p>{{/if}}</li>
</ol>
{{/if}}
"""
NO_LINEAGE = {"shown": False}


def lineage_view() -> View:
    return View(TEMPLATE, NO_LINEAGE, elem_id="lineage")


def lineage_value(session: Session, version: DatasetVersion) -> dict:
    standing = lineage.count_standing(session, version.id)
    runs = lineage.list_runs(session, version.id)
    return {
        "shown": True,
        "hash": version.content_hash[:12],
        "records": _records(standing),
        "standing": _became(standing),
        "runs": [_run(job) for job in runs],
        "adapters": [_adapter(each, version) for each in lineage.list_trained(session, version.id)],
        "no_adapter": "A finished run leaves its adapter here." if runs else "A run makes the first.",
    }


def _records(standing: Standing) -> str:
    from_records = standing.as_frozen + standing.revised + standing.withdrawn
    parts = [f"{counted(from_records, 'row')} frozen from records of this studio"] if from_records else []
    if standing.of_no_record:
        parts.append(f"{counted(standing.of_no_record, 'row')} shipped or put together outside")
    return " and ".join(parts) + "."


def _became(standing: Standing) -> str:
    """What became of the records since."""
    if not standing.revised and not standing.withdrawn:
        return "Every record says today what was frozen." if standing.as_frozen else ""
    parts = []
    if standing.revised:
        parts.append(f"{counted(standing.revised, 'record')} approved in a newer revision")
    if standing.withdrawn:
        parts.append(f"{counted(standing.withdrawn, 'record')} retired, deleted or no longer approved")
    return f"Since then: {' and '.join(parts)}. The frozen rows stay as they are."


def _run(job: Job) -> dict:
    word, hue = status_chip(job.status)
    return {
        "name": job.name,
        "href": f"/train?project={job.project_id}&job={job.id}",
        "status": word,
        "hue": hue,
        "by": job.created_by.full_name,
        "ago": ago(job.created_at),
        "exact": exact(job.created_at),
    }


def _adapter(found: lineage.Descendant, version: DatasetVersion) -> dict:
    adapter = found.adapter
    told = [f"on {adapter.base_model.name}", ago(adapter.created_at)]
    if adapter.dataset_version_id != version.id:
        told.append("trained on the same rows under another version's name")
    elif not found.is_same_data:
        told.append("its data hash is not this version's")
    if adapter.deleted_at:
        told.append("deleted")
    href = "" if adapter.deleted_at else f"/models?project={adapter.project_id}&adapter={adapter.id}"
    return {
        "name": adapter.name,
        "href": href,
        "told": ", ".join(told),
        "exact": exact(adapter.created_at),
    }
