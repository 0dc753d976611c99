"""The preference pairs that a round's votes make, to take away."""

from bioui.components.view import View
from db.preferences import Preferences
from db.tables import Round

TEMPLATE = """
{{#if value.href}}<section class="round-export"><h3>Preference pairs</h3>
  <p>{{value.told}} For TRL's DPO and reward trainers.</p>
  {{#if value.has}}<p><a class="secondary-btn" href="{{value.href}}" download>Download JSONL</a></p>{{/if}}
</section>{{/if}}
"""
NO_EXPORT: dict = {"href": ""}


def export_link() -> View:
    return View(TEMPLATE, NO_EXPORT, elem_classes="round-export-view")


def export_href(round: Round) -> str:
    """Where a round's preference pairs can be downloaded."""
    return f"/rounds/{round.id}/preferences.jsonl?project={round.project_id}"


def export_value(round: Round, found: Preferences) -> dict:
    return {"href": export_href(round), "told": found.sentence, "has": bool(found.rows)}
