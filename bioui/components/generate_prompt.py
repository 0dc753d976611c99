"""The very prompt of a draw, and what the whole run may take, before anything is asked or paid."""

from pathlib import Path

from bioui.components.view import View
from bioui.present import counted, duration, shortened
from db.generate_spec import GenerateSpec
from db.generation_preview import Outlook, Preview

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
NO_PROMPT = {"shown": False, "waiting": ""}
ROLES = {"system": "What the model is told first", "user": "What it is asked"}
BASIS = (
    "At least: every record is kept and as long as the seeds. At most: one in three is kept, and replies are "
    "half as long again. Failed requests that are tried again come on top; budgets count these too."
)


def prompt_view() -> View:
    return View(TEMPLATE, NO_PROMPT, elem_classes="prompt-view")


def waiting(sentence: str) -> dict:
    """What stands there while the form cannot make a prompt."""
    return {**NO_PROMPT, "waiting": sentence}


def prompt_value(found: Preview, *, project_id: int, outlook: Outlook | None, spec: GenerateSpec) -> dict:
    messages = found.request.messages
    return {
        "shown": True,
        "title": f"The prompt of draw {found.number + 1:,}",
        "sentence": f"About {found.tokens:,} tokens, by template {found.template}, from "
        f"{counted(found.pool, 'seed')} that people approved.",
        "seeds": seed_links(found.seeds, project_id),
        "messages": [
            {
                "role": ROLES.get(message["role"], message["role"]),
                "text": message["content"],
                "tokens": f"{len(message['content']):,} characters",
                "open": message["role"] == "user",
            }
            for message in messages
        ],
        "range": _range(outlook, spec) if outlook else [],
        "basis": BASIS if outlook else "",
        "caution": _caution(outlook, spec) if outlook else "",
    }


def seed_links(seeds, project_id: int) -> list[dict]:
    """Links to the seeds as they stand in Curate; `end` is what parts them."""
    return [
        {
            "href": f"/curate?project={project_id}&id={seed.id}",
            "name": f"{seed.id}",
            "title": f"Version {seed.version}: {shortened(seed.content.instruction, 80)}",
            "end": "" if place == len(seeds) else ", ",
        }
        for place, seed in enumerate(seeds, 1)
    ]


def money(amount: float) -> str:
    """`0`, `0.0042`, `0.50`, `1.27`, `1,204`."""
    if not amount or amount >= 100:
        return f"{amount:,.0f}"
    return f"{amount:,.2f}" if amount >= 0.1 else f"{amount:.2g}"


def _range(outlook: Outlook, spec: GenerateSpec) -> list[dict]:
    rows = [
        ("Calls", _between(*(f"{calls:,}" for calls in outlook.calls))),
        ("Tokens", _between(*(_rounded(tokens) for tokens in outlook.tokens))),
        ("Money", _between(*map(money, outlook.cost)) if outlook.cost else "The endpoint has no prices"),
        (
            "Time",
            _between(*map(duration, outlook.seconds))
            if outlook.seconds
            else "Not known before the endpoint's first reply",
        ),
    ]
    return [{"name": name, "text": text} for name, text in rows]


def _caution(outlook: Outlook, spec: GenerateSpec) -> str:
    if outlook.bound:
        return f"A budget may stop the run before its target: {outlook.bound}."
    if not (spec.budget_tokens or spec.budget_money or spec.budget_hours) and outlook.cost:
        return "No budget is set: only the target, or Pause, ends the run. What it may cost stands above."
    return ""


def _between(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"


def _rounded(tokens: int) -> str:
    """Two figures: an estimate says no more."""
    digits = max(0, len(str(tokens)) - 2)
    return f"{round(tokens, -digits):,}"
