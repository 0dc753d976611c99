"""A list of names and values: provenance, settings, identity of a record."""

from bioui.components.view import View

TEMPLATE = """
{{#if value.facts}}<dl class="facts">{{#each value.facts}}
  <dt>{{this.name}}</dt>
  <dd {{#if this.mono}}class="mono"{{/if}} {{#if this.title}}title="{{this.title}}"{{/if}}>
    {{#if this.href}}<a href="{{this.href}}">{{this.text}}</a>{{else}}{{this.text}}{{/if}}</dd>{{/each}}
</dl>{{/if}}
"""


def fact_list() -> View:
    return View(TEMPLATE, {"facts": []}, elem_classes="facts-view")


def facts_value(*facts: dict) -> dict:
    return {"facts": list(facts)}


def fact(name: str, text: object, *, mono: bool = False, title: str = "", href: str = "") -> dict:
    """One line. `mono` for ids, hashes and counts; `title` shows on hover."""
    return {"name": name, "text": str(text), "mono": mono, "title": title, "href": href}
