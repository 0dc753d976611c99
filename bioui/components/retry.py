"""What went wrong while answers were on their way, with the button that asks again.

Event of the returned View: `again`. What is on the desk is asked as it stands there now.
"""

from collections.abc import Iterable

from bioui.components.view import View

TEMPLATE = """
{{#if value.sentences}}<section class="retry" role="alert">
  <div>{{#each value.sentences}}<p>{{this}}</p>{{/each}}</div>
  <button type="button" class="secondary-btn" data-again>Try again</button>
</section>{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-again]');
  if (button) { button.disabled = true; trigger('again', {}); }
});
"""
NO_FAILURE: dict = {"sentences": []}


def retry() -> View:
    return View(TEMPLATE, NO_FAILURE, on_load=ON_LOAD, elem_classes="retry-view")


def failure(sentences: Iterable[str]) -> dict:
    return {"sentences": list(sentences)}
