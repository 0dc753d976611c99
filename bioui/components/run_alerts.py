"""What a person should look at in a run, newest first."""

from collections.abc import Sequence

from bioui.components.view import View
from bioui.present import ago, exact
from db.enums import AlertKind
from db.tables import Alert

TEMPLATE = """
{{#if value.alerts}}<ul class="alerts" role="status">{{#each value.alerts}}
  <li class="alert chip-{{this.hue}}"><strong>{{this.name}}</strong> {{this.sentence}}
    <span class="muted" title="{{this.exact}}">{{this.when}}</span></li>{{/each}}</ul>{{/if}}
"""
NO_ALERTS = {"alerts": []}
NAMES = {
    AlertKind.NOT_A_NUMBER: ("Not a number.", "attention"),
    AlertKind.DIVERGED: ("Diverging.", "attention"),
    AlertKind.PLATEAU: ("Plateau.", "review"),
    AlertKind.OVERFITTING: ("Overfitting.", "review"),
    AlertKind.SILENT: ("No sign of life.", "attention"),
    AlertKind.DISK: ("Disk nearly full.", "attention"),
}


def run_alerts() -> View:
    return View(TEMPLATE, NO_ALERTS)


def alerts_value(alerts: Sequence[Alert]) -> dict:
    shown = []
    for alert in reversed(alerts):
        name, hue = NAMES[alert.kind]
        when = f"Step {alert.step:,}, {ago(alert.at)}" if alert.step else ago(alert.at)
        shown.append(
            {"name": name, "hue": hue, "sentence": alert.sentence, "when": when, "exact": exact(alert.at)}
        )
    return {"alerts": shown}
