"""Which predictions are listed: right, wrong, faulty, changed by tuning; words to search for; one fault.

Event of the returned View: `filter` (`event.show`, `event.text`, `event.fault`). What is typed stays: the
list is another View.
"""

from collections.abc import Sequence

from bioui.components.view import View

TEMPLATE = """
{{#if value.shows}}<form class="prediction-filter" role="search" aria-label="Filter the predictions">
  <div class="prediction-shows" role="group" aria-label="Which rows">{{#each value.shows}}
    <button type="button" data-show="{{this.name}}" title="{{this.help}}"
      aria-pressed="{{#if this.current}}true{{else}}false{{/if}}">{{this.word}}</button>{{/each}}</div>
  <label class="filter filter-search"><span class="sr-only">Search</span>
    <input id="search" type="search" autocomplete="off" spellcheck="false" value="{{value.text}}"
      placeholder="Search prompts and answers   /"></label>
  <p class="prediction-fault" {{#unless value.fault}}hidden{{/unless}}>Only answers with this fault:
    <b>{{value.fault_words}}</b>
    <button type="button" class="quiet-btn" data-any-fault>Show any fault</button></p>
</form>{{/if}}
"""
ON_LOAD = """
let timer = 0;
const pressed = () => element.querySelector('[data-show][aria-pressed="true"]').dataset.show;
const ask = (show, fault) => {
  clearTimeout(timer);
  for (const button of element.querySelectorAll('[data-show]'))
    button.setAttribute('aria-pressed', button.dataset.show === show);
  element.querySelector('.prediction-fault').hidden = !fault;
  const text = element.querySelector('#search').value.trim();
  const params = {show: show === 'all' ? null : show, q: text, fault, row: null};
  if (!fault) params.of = null;
  for (const [name, value] of Object.entries(params)) studio.setParam(name, value);
  trigger('filter', {show, text, fault});
};
const fault = () => element.querySelector('.prediction-fault').hidden ? '' : props.value.fault;
element.addEventListener('submit', (event) => { event.preventDefault(); ask(pressed(), fault()); });
element.addEventListener('input', (event) => {
  if (event.target.id !== 'search') return;
  clearTimeout(timer);
  timer = setTimeout(() => ask(pressed(), fault()), 400);
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-show], [data-any-fault]');
  if (button) ask(button.dataset.show || 'faulty', '');
});
"""
# what predictions.page can show -> (the button's word, what it means)
SHOWS = {
    "all": ("All", ""),
    "right": ("Right", "Wholly right."),
    "wrong": ("Wrong", "Not wholly right."),
    "faulty": ("Faulty", "Something in the answer could not be counted."),
    "fixed": ("Fixed", "Wrong on the left, right on the right."),
    "broken": ("Broken", "Right on the left, wrong on the right."),
    "better": ("Better", "A higher score on the right than on the left."),
    "worse": ("Worse", "A lower score on the right than on the left."),
}
OF_PAIRS = ("fixed", "broken", "better", "worse")
NO_FILTER: dict = {"shows": []}


def prediction_filter() -> View:
    return View(TEMPLATE, NO_FILTER, on_load=ON_LOAD, elem_classes="prediction-filter-view")


def shows_of(is_pair: bool) -> Sequence[str]:
    """What can be shown of one evaluation, or of two."""
    return [name for name in SHOWS if is_pair or name not in OF_PAIRS]


def filter_value(show: str, text: str, fault: str, fault_words: str, *, is_pair: bool) -> dict:
    return {
        "shows": [
            {
                "name": name,
                "word": f"{SHOWS[name][0]} by tuning" if name in ("fixed", "broken") else SHOWS[name][0],
                "help": SHOWS[name][1],
                "current": name == show,
            }
            for name in shows_of(is_pair)
        ],
        "text": text,
        "fault": fault,
        "fault_words": fault_words,
    }
