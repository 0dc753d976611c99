"""Sample answers of a run, look by look: how the same prompts are answered as the tuning goes on."""

from collections.abc import Sequence
from itertools import groupby

from bioui.components.view import View
from db.tables import SampleAnswer

TEMPLATE = """
{{#if value.prompts}}<h3>Sample answers</h3>
{{#each value.prompts}}<section class="film">
  <p class="film-prompt">{{this.prompt}}</p>
  <ol class="film-strip" tabindex="0" aria-label="Answers by step">{{#each this.frames}}
    <li class="film-frame {{#if this.changed}}film-changed{{/if}}">
      <span class="film-step">{{this.step}}</span><p>{{this.answer}}</p></li>{{/each}}</ol></section>{{/each}}
<p class="field-help">Greedy answers to the same prompts, the base model's first. They are the model's words,
  not advice.</p>
{{/if}}
"""
# A strip shows its newest frame until the reader scrolls it.
ON_LOAD = """
const toEnd = () => requestAnimationFrame(() => {
  for (const strip of element.querySelectorAll('.film-strip')) strip.scrollLeft = strip.scrollWidth;
});
watch('value', toEnd);
new ResizeObserver(toEnd).observe(element);  // it has no width while its pane is closed
"""
NO_FILM = {"prompts": []}


def film_strip() -> View:
    return View(TEMPLATE, NO_FILM, on_load=ON_LOAD)


def film_value(answers: Sequence[SampleAnswer]) -> dict:
    """One strip a prompt, its frames by step; a frame is marked when the answer has changed."""
    by_prompt = sorted(answers, key=lambda answer: (answer.number, answer.step))
    strips = []
    for _, group in groupby(by_prompt, key=lambda answer: answer.number):
        taken, before = list(group), None
        frames = []
        for answer in taken:
            step = "Base" if answer.step == 0 else f"Step {answer.step:,}"
            changed = before is not None and answer.answer != before
            frames.append({"step": step, "answer": answer.answer or "(no answer)", "changed": changed})
            before = answer.answer
        strips.append({"prompt": taken[0].prompt, "frames": frames})
    return {"prompts": strips}
