"""A block that says what stays true: a caution, a failure with its mend, a result and the next step."""

from bioui.components.view import View

TEMPLATE = """
{{#if value.title}}
<div class="notice notice-{{value.hue}}" role="{{value.role}}">
  {{#if value.mark}}<span class="notice-mark" aria-hidden="true">{{value.mark}}</span>{{/if}}
  <div class="notice-body"><h3>{{value.title}}</h3>{{#each value.sentences}}<p>{{this}}</p>{{/each}}
  {{#if value.log}}<p class="muted">Log: <code>{{value.log}}</code></p>{{/if}}
  {{#if value.links}}<p class="notice-links">
    {{#each value.links}}<a href="{{this.href}}">{{this.text}}</a>{{/each}}</p>{{/if}}
  </div></div>
{{/if}}
"""
NO_NOTICE = {"title": "", "hue": "info", "role": "note", "mark": "", "sentences": [], "log": "", "links": []}
_MARKS = {"attention": "!", "review": "!", "approved": "✓", "info": ""}


def notice(value: dict | None = None) -> View:
    """A notice; NO_NOTICE shows nothing."""
    return View(TEMPLATE, value or NO_NOTICE, elem_classes="notice-area")


def notice_value(
    title: str, *sentences: str, hue: str = "info", log: str = "", links: dict[str, str] | None = None
):
    """`hue`: info, review (a caution), approved (done), attention (a failure); `links`: text -> address."""
    return {
        **NO_NOTICE,
        "title": title,
        "hue": hue,
        "role": "alert" if hue == "attention" else "note",
        "mark": _MARKS[hue],
        "sentences": list(sentences),
        "log": log,
        "links": [{"text": text, "href": href} for text, href in (links or {}).items()],
    }


def failure_value(
    what: str, means: str, mend: str, *, log: str = "", links: dict[str, str] | None = None
) -> dict:
    """What happened, what it means, what to do, and where the log is."""
    return notice_value(what, means, mend, hue="attention", log=log, links=links)
