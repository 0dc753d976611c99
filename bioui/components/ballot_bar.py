"""Which of two answers is better: four buttons that stay in sight while one reads, keys 1 to 4.

What is pressed stays in the browser until the whole ballot is saved (`components.ballot`), which listens.
"""

from bioui.components.view import View

CHOICES = (
    ("left", "A is better"),
    ("right", "B is better"),
    ("tie", "Equally good"),
    ("both_bad", "Both are bad"),
)
SAID = {
    "left": "A is better",
    "right": "B is better",
    "tie": "equally good",
    "both_bad": "both are bad",
}
NO_BAR: dict = {"id": 0, "choices": []}
TEMPLATE = """
{{#if value.id}}<div class="ballot-bar" role="group" aria-labelledby="ballot-question" data-id="{{value.id}}">
  <p id="ballot-question">Which answer is better?</p>
  <div class="ballot-choices">{{#each value.choices}}
    <button type="button" data-choice="{{this.choice}}" aria-pressed="{{this.pressed}}"
      aria-keyshortcuts="{{this.key}}"><kbd>{{this.key}}</kbd> {{this.label}}</button>{{/each}}
  </div></div>{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-choice]');
  if (!button) return;
  for (const each of element.querySelectorAll('[data-choice]')) {
    each.setAttribute('aria-pressed', each === button);
  }
  document.dispatchEvent(new CustomEvent('ballot-choice', {detail: button.dataset.choice}));
});
"""


def ballot_bar() -> View:
    return View(TEMPLATE, NO_BAR, on_load=ON_LOAD, elem_classes="ballot-bar-view")


def bar_value(assignment_id: int, chosen: str = "") -> dict:
    """The bar for that assignment, with `chosen` (left, right, tie or both_bad) pressed."""
    choices = [
        {
            "choice": choice,
            "label": label,
            "key": str(key),
            "pressed": "true" if choice == chosen else "false",
        }
        for key, (choice, label) in enumerate(CHOICES, 1)
    ]
    return {"id": assignment_id, "choices": choices}
