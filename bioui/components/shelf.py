"""The prompt shelf: prompts by category with a search of its own, and a place to begin with a blank page.

Events of the returned View: `pick`, with `picked_id(event)`; 0 means "write my own".
"""

from collections.abc import Sequence

import gradio as gr

from bioui.components.view import View
from db.enums import Category
from db.tables import Prompt

HEADINGS = {
    Category.QA: "Questions",
    Category.IE: "Extraction",
    Category.GEN: "Writing",
    Category.OTHER: "Other",
}

TEMPLATE = """
<details class="shelf">
  <summary><h2>Prompts</h2></summary>
  <input type="search" class="shelf-search" aria-label="Search prompts"
    placeholder="Search {{value.count}} prompts">
  <div class="shelf-list">
    <button type="button" class="shelf-item shelf-own" data-id="0"
      {{#if value.own}}aria-current="true"{{/if}}>Write my own</button>
    {{#each value.groups}}<section><h3>{{this.heading}}</h3>
      {{#each this.prompts}}<button type="button" class="shelf-item" data-id="{{this.id}}"
        {{#if this.current}}aria-current="true"{{/if}}>{{this.title}}
        <span>{{this.about}}</span></button>{{/each}}
    </section>{{/each}}
    <p class="shelf-none muted" hidden>No prompt has these words. Try fewer, or write your own.</p>
  </div>
</details>
"""
ON_LOAD = """
const find = () => {
  const words = element.querySelector('.shelf-search').value.toLowerCase().split(/\\s+/);
  let found = 0;
  for (const section of element.querySelectorAll('section')) {
    let here = 0;
    for (const item of section.querySelectorAll('.shelf-item')) {
      const text = (section.querySelector('h3').textContent + ' ' + item.textContent).toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      here += !item.hidden;
    }
    section.hidden = !here;
    found += here;
  }
  element.querySelector('.shelf-none').hidden = found > 0;
};
const wide = window.matchMedia('(min-width: 1000px)');
let open = wide.matches;
const settle = () => { element.querySelector('.shelf').open = open; find(); };
element.addEventListener('input', find);
element.addEventListener('click', (event) => {
  if (event.target.closest('summary')) { open = !element.querySelector('.shelf').open; return; }
  const item = event.target.closest('[data-id]');
  if (!item) return;
  if (!wide.matches) open = false;
  settle();
  trigger('pick', {id: Number(item.dataset.id)});
});
element.addEventListener('keydown', (event) => {
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (!step) return;
  const items = [...element.querySelectorAll('.shelf-item')].filter((item) => item.offsetParent);
  const to = items[items.indexOf(document.activeElement) + step];
  if (to) { event.preventDefault(); to.focus(); }
});
wide.addEventListener('change', () => { open = wide.matches; settle(); });
watch('value', settle);
settle();
"""


def shelf() -> View:
    return View(TEMPLATE, shelf_value(()), on_load=ON_LOAD, elem_classes="shelf-view")


def shelf_value(prompts: Sequence[Prompt], current_id: int = 0) -> dict:
    """The prompts in the order of the categories; `current_id` 0 for a prompt of one's own."""
    groups = [
        (heading, [prompt for prompt in prompts if prompt.category is category])
        for category, heading in HEADINGS.items()
    ]
    return {
        "count": len(prompts),
        "own": current_id == 0,
        "groups": [
            {"heading": heading, "prompts": [_item(prompt, current_id) for prompt in group]}
            for heading, group in groups
            if group
        ],
    }


def picked_id(event: gr.EventData) -> int:
    return int(event.id)


def _item(prompt: Prompt, current_id: int) -> dict:
    about = " · ".join(part.replace("_", " ") for part in (prompt.task, prompt.specialty) if part)
    return {"id": prompt.id, "title": prompt.title, "about": about, "current": prompt.id == current_id}
