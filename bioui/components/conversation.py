"""The turns before the one on the desk: each folds open, and can be edited and sent again as a branch.

Events of the returned View:
  edit   a turn is wanted on the desk; `turn_number(event)` says which, counted from 0
  leave  a new conversation shall begin
"""

import gradio as gr

from bioui.components.answers import LETTERS
from bioui.components.view import View
from bioui.present import counted
from bioui.shown import title_of
from db import sides
from db.comparisons import prompt_text
from db.session import Session
from db.tables import Comparison

TEMPLATE = """
{{#if value.turns}}<section class="talk" aria-labelledby="talk-title">
<header><h2 id="talk-title">Conversation</h2><span class="muted">{{value.before}}</span>
  <button type="button" class="quiet-btn" data-leave>New conversation</button></header>
{{#each value.turns}}<details class="talk-turn">
  <summary><span class="talk-number">{{this.number}}</span> {{this.title}}</summary>
  {{#if this.system}}<p class="talk-system"><strong>System prompt</strong> {{this.system}}</p>{{/if}}
  <p class="reading talk-asked">{{this.asked}}</p>
  <div class="talk-answers">{{#each this.answers}}<section class="talk-answer {{this.colour}}">
    <h3><span class="talk-letter">{{this.letter}}</span> {{this.title}}</h3>
    <p class="reading">{{this.text}}</p></section>{{/each}}</div>
  <p><button type="button" class="quiet-btn" data-edit="{{this.at}}">Edit and send again</button></p>
</details>{{/each}}</section>{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const edit = event.target.closest('[data-edit]');
  if (edit) trigger('edit', {turn: Number(edit.dataset.edit)});
  if (event.target.closest('[data-leave]')) trigger('leave', {});
});
"""
NO_TALK: dict = {"turns": [], "before": ""}


def conversation() -> View:
    return View(TEMPLATE, NO_TALK, on_load=ON_LOAD, elem_classes="talk-view")


def talk_value(session: Session, turns: list[Comparison], order: tuple[int, ...] = ()) -> dict:
    """These turns, oldest first. With `order` blind: that order of the columns, and no name of a side."""
    return {
        "before": f"{counted(len(turns), 'turn')} before this one; each side goes on from its own answers.",
        "turns": [
            {
                "at": at,
                "number": str(at + 1),
                "title": title_of(turn),
                "system": turn.system,
                "asked": prompt_text(turn.instruction, turn.input),
                "answers": _answers(session, turn, order),
            }
            for at, turn in enumerate(turns)
        ],
    }


def turn_number(event: gr.EventData) -> int:
    """Raises ValueError for none."""
    turn = getattr(event, "turn", None)
    if isinstance(turn, bool) or not isinstance(turn, int) or turn < 0:
        raise ValueError("conversation: there is no such turn.")
    return turn


def _answers(session: Session, turn: Comparison, order: tuple[int, ...]) -> list[dict]:
    places = order or range(len(turn.answers))
    return [
        {
            "letter": LETTERS[at],
            "title": "" if order else sides.label_of(session, sides.of_answer(turn.answers[place])),
            "colour": "" if order else f"talk-{sides.of_answer(turn.answers[place]).colour}",
            "text": turn.answers[place].text,
        }
        for at, place in enumerate(places)
    ]
