"""What stands around a pair on the blind page: the round, how far one is, the prompt, the last vote, the end.

Events of `last_vote()`: `undo` takes the last vote or skip back, `reveal` asks which side stood where; both
carry the assignment's id (`components.ballot.assignment_of`).
"""

from collections.abc import Sequence

from bioui.components.view import View
from bioui.present import counted
from db.assignments import Laid, Revealed
from db.tables import Round

HEAD = """
<h1>{{value.title}}</h1>
{{#if value.note}}<details class="round-note" {{#if value.note_open}}open{{/if}}>
  <summary>Note to the raters</summary>
  <p class="reading">{{value.note}}</p></details>{{/if}}
{{#if value.count}}<div class="round-far"><p><strong>{{value.count}}</strong><span>{{value.left}}</span></p>
  <div class="bar-track" role="progressbar" aria-label="Pairs done" aria-valuemin="0" aria-valuemax="100"
    aria-valuenow="{{value.percent}}"><span style="width: {{value.percent}}%"></span></div></div>{{/if}}
"""
NO_HEAD: dict = {"title": "Blind comparison", "note": "", "count": ""}
PROMPT = """
{{#if value.instruction}}<section class="ballot-prompt" aria-labelledby="ballot-prompt-title">
  <h2 id="ballot-prompt-title">Prompt</h2>
  {{#if value.system}}<details class="round-note"><summary>What both models were told beforehand</summary>
    <p class="reading">{{value.system}}</p></details>{{/if}}
  {{#each value.before}}<div class="ballot-turn"><p class="reading">{{this.asked}}</p>
    <div class="ballot-replies"><p class="reading"><b>A</b> {{this.left}}</p>
    <p class="reading"><b>B</b> {{this.right}}</p></div></div>{{/each}}
  <p class="reading">{{value.instruction}}</p></section>{{/if}}
"""
NO_PROMPT: dict = {"instruction": ""}
LAST = """
{{#if value.id}}<div class="ballot-last" role="status" data-id="{{value.id}}">
  <p><b aria-hidden="true">✓</b> {{value.said}}{{#if value.left}} <span class="ballot-names">A was
    <strong>{{value.left}}</strong>, B was <strong>{{value.right}}</strong>.</span>{{/if}}</p>
  <p class="ballot-after">{{#if value.can_undo}}<button type="button" class="quiet-btn" data-undo-vote
    >{{value.undo}}</button>{{/if}}{{#if value.can_reveal}}<button type="button" class="quiet-btn" data-reveal
    >Show which was which</button>{{/if}}</p></div>{{/if}}
"""
NO_LAST: dict = {"id": 0}
LAST_ON_LOAD = """
element.addEventListener('click', (event) => {
  const id = {assignment: Number(element.querySelector('.ballot-last')?.dataset.id)};
  if (event.target.closest('[data-undo-vote]')) trigger('undo', id);
  if (event.target.closest('[data-reveal]')) trigger('reveal', id);
});
"""
END = """
{{#if value.title}}<section class="ballot-end {{#if value.is_proud}}is-proud{{/if}}">
  {{#if value.is_proud}}<span class="ballot-end-mark" aria-hidden="true">✓</span>{{/if}}
  <h2>{{value.title}}</h2>{{#each value.sentences}}<p>{{this}}</p>{{/each}}
  {{#if value.rounds}}<ul class="ballot-rounds">{{#each value.rounds}}
    <li><a href="{{this.href}}">{{this.title}}</a><span>{{this.far}}</span></li>{{/each}}</ul>{{/if}}
  {{#if value.href}}<p><a href="{{value.href}}">{{value.link}}</a></p>{{/if}}</section>{{/if}}
"""
NO_END: dict = {"title": "", "sentences": [], "rounds": []}
WHAT_HAPPENS = """
<details class="round-note ballot-what"><summary>What happens with my votes</summary>
<ul><li>They are counted with those of the other raters into a verdict on the two models.</li>
<li>Whoever leads the round sees how far you are and, once you have voted, what you said; other raters do
not see it.</li>
<li>A corrected answer becomes an instruction in the review queue, with your name on it.</li>
<li>Votes can leave the studio as preference pairs for training, with a number in place of your name.</li>
</ul></details>
"""


def round_head() -> View:
    return View(HEAD, NO_HEAD, elem_classes="round-head")


def pair_prompt() -> View:
    return View(PROMPT, NO_PROMPT, elem_classes="ballot-prompt-view")


def last_vote() -> View:
    return View(LAST, NO_LAST, on_load=LAST_ON_LOAD, elem_classes="ballot-last-view")


def ending() -> View:
    return View(END, NO_END, elem_classes="ballot-end-view")


def what_happens() -> View:
    return View(WHAT_HAPPENS, {}, elem_classes="ballot-what-view")


def head_value(round: Round, *, done: int, total: int, minutes: int) -> dict:
    """`Pair 3 of 20` and the time that is left; the note stands open until the first vote."""
    is_over = done >= total
    return {
        "title": round.title,
        "note": round.note,
        "note_open": not done,
        "count": f"{done:,} of {total:,} done" if is_over else f"{done + 1:,} of {total:,}",
        "left": "" if is_over else f"about {counted(minutes, 'minute')} left",
        "percent": round_percent(done, total),
    }


def round_percent(done: int, total: int) -> int:
    return int(100 * done / total) if total else 0


def prompt_value(laid: Laid) -> dict:
    """What was asked; the source passage stands beside the answers."""
    before = [{"asked": turn.asked, "left": turn.left, "right": turn.right} for turn in laid.before]
    return {"instruction": laid.instruction, "system": laid.system, "before": before}


def last_value(
    assignment_id: int, said: str, *, is_open: bool, is_vote: bool, revealed: Revealed | None = None
) -> dict:
    """The vote, or skip, before this pair. Its sides are named only where they were asked for."""
    return {
        "id": assignment_id,
        "said": said,
        "can_undo": is_open,
        "undo": "Change it; it no longer counts as blind" if revealed else "Change it",
        "can_reveal": is_vote and revealed is None,
        "left": revealed.left if revealed else "",
        "right": revealed.right if revealed else "",
    }


def end_value(
    title: str,
    *sentences: str,
    is_proud: bool = False,
    rounds: Sequence[dict] = (),
    href: str = "",
    link: str = "",
) -> dict:
    """What stands in place of a pair. `rounds` are {"title", "href", "far"}."""
    return {
        "title": title,
        "sentences": list(sentences),
        "is_proud": is_proud,
        "rounds": list(rounds),
        "href": href,
        "link": link,
    }
