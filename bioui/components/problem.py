"""The sentence that says what went wrong: at its field or, without one, at the top of the page."""

from bioui.components.view import View
from bioui.handling import NOTHING

TEMPLATE = """
{{#if value.text}}
<div class="problem" role="alert" data-slug="{{value.slug}}">
  <span class="problem-mark" aria-hidden="true">!</span>
  <p>{{#if value.field}}<strong>{{value.field}}</strong> {{/if}}<span data-text>{{value.text}}</span></p>
  <button type="button" class="quiet-btn" data-dismiss aria-label="Dismiss">Dismiss</button>
</div>
{{/if}}
"""

# The message also appears under the component with elem_id "field-<slug>", which is marked invalid.
ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-dismiss]')) {
    studio.clearField();
    props.value = {text: '', field: ''};
  }
});
watch('value', () => studio.showProblem(element, props.value));
"""


def problem_area() -> View:
    """An empty area; handlers wired with `handling.on` fill it."""
    return View(TEMPLATE, NOTHING, on_load=ON_LOAD, elem_classes="problem-area")
