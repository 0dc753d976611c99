"""On Home: the blind rounds that wait for this person's votes, each with its link."""

from collections.abc import Sequence

from bioui.components.view import View

TEMPLATE = """
{{#if value.rounds}}<div class="notice" role="note"><div class="notice-body">
  <h3>Answers wait for your vote</h3><ul class="kept-list">{{#each value.rounds}}
  <li><span class="kept-text"><a href="{{this.href}}">{{this.title}}</a></span>
    <span class="muted">{{this.far}}</span></li>{{/each}}</ul></div></div>{{/if}}
"""
NO_WAITING: dict = {"rounds": []}


def waiting_rounds() -> View:
    return View(TEMPLATE, NO_WAITING, elem_classes="notice-area")


def waiting_value(rounds: Sequence[dict]) -> dict:
    """`rounds` are those of `bioui.balloting.waiting_rounds`."""
    return {"rounds": list(rounds)}
