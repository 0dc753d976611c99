"""A warning before a prompt is sent: what in it looks like patient data, and where.

Events of the returned View: `send`, when the person sends it all the same. A press on a finding marks it in
its field; typing in a field takes the warning away, since it spoke of another text.
"""

from collections.abc import Sequence

from bioui.components.view import View
from bioui.present import counted
from db.checks import phi
from db.prompt_privacy import Finding

TEMPLATE = """
{{#if value.findings}}
<section class="privacy-warning" role="alert" aria-labelledby="privacy-warning-title">
  <h2 id="privacy-warning-title"><span class="notice-mark" aria-hidden="true">!</span>{{value.title}}</h2>
  <p>Nothing was sent yet. Take it out or invent something in its place; send it only if it tells of no real
  person.</p>
  <ul>{{#each value.findings}}<li><button type="button" class="quiet-btn" data-field="{{this.slug}}"
    data-start="{{this.start}}" data-end="{{this.end}}">{{this.sentence}}</button></li>{{/each}}</ul>
  <p class="muted">Not looked for: {{value.not_checked}}.</p>
  <p class="privacy-warning-go">
    <button type="button" class="secondary-btn" data-keep>Change the text</button>
    <button type="button" class="quiet-btn" data-send>Send anyway</button>
    <small>Sending it is noted in the audit log, without the text.</small></p>
</section>
{{/if}}
"""
ON_LOAD = """
const fieldOf = (slug) => document.querySelector('#field-' + CSS.escape(slug) + ' :is(textarea, input)');
const mark = (button) => {
  const field = fieldOf(button.dataset.field);
  if (!field) return;
  // Offsets count characters, a browser counts UTF-16 units.
  const units = (characters) => [...field.value].slice(0, characters).join('').length;
  field.focus();
  field.setSelectionRange(units(Number(button.dataset.start)), units(Number(button.dataset.end)));
};
const clear = () => { props.value = {...props.value, findings: []}; };
element.addEventListener('click', (event) => {
  const place = event.target.closest('[data-field]');
  if (place) return mark(place);
  const first = element.querySelector('[data-field]');
  if (event.target.closest('[data-keep]')) { mark(first); clear(); }
  if (event.target.closest('[data-send]')) { clear(); trigger('send', {}); }
});
document.addEventListener('input', (event) => {
  const fields = [...element.querySelectorAll('[data-field]')].map((one) => fieldOf(one.dataset.field));
  if (fields.includes(event.target)) clear();
});
"""
NO_WARNING: dict = {"findings": [], "title": "", "not_checked": ""}


def privacy_warning() -> View:
    """Nothing until there is something to warn of."""
    return View(TEMPLATE, NO_WARNING, on_load=ON_LOAD, elem_classes="privacy-warning-view")


def warning_value(findings: Sequence[Finding]) -> dict:
    """The warning; NO_WARNING where nothing was found. A finding's field has the elem_id "field-<slug>"."""
    if not findings:
        return NO_WARNING
    places = counted(len(findings), "place")
    return {
        "title": f"{places} in this prompt may tell who a person is",
        "not_checked": "; ".join(phi.not_checked()),
        "findings": [
            {
                "slug": one.field.replace("_", "-").replace(" ", "-"),
                "start": one.start,
                "end": one.end,
                "sentence": one.sentence,
            }
            for one in findings
        ],
    }
