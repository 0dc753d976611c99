"""Whether an adapter passes the regression gate, in one badge, with what failed or is missing behind it."""

from collections.abc import Sequence

# For inclusion in a template where the context is a gate_value: {{#with this.gate}}...{{/with}}
TEMPLATE = (
    '<details class="gate"><summary><span class="chip chip-{{hue}}">'
    '<span class="chip-mark" aria-hidden="true"></span>{{text}}</span></summary>'
    "<ul>{{#each lines}}<li>{{this}}</li>{{/each}}</ul></details>"
)
_CHIPS = {
    "passed": ("Gate passed", "approved"),
    "failed": ("Gate failed", "attention"),
    "not measured": ("Gate not measured", "review"),
}


def gate_value(state: str, lines: Sequence[str], *, waived: str = "") -> dict:
    """`state` is that of db.gates.State; `lines` say why, a sentence each; `waived` is a waiver's reason."""
    text, hue = _CHIPS[state]
    if waived and state == "failed":
        return {"text": "Gate waived", "hue": "review", "lines": [f"Waived: {waived}", *lines]}
    return {"text": text, "hue": hue, "lines": list(lines)}
