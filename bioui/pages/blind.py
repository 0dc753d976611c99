"""Blind: the clean page that a link opens for a rater, one pair at a time and nothing that names a model.

What a person has pressed and typed stays in the browser until it is saved, so a refusal costs them nothing.
"""

import gradio as gr

from bioui import balloting
from bioui.components.acknowledgement import acknowledgement, token_of
from bioui.components.answers import answers
from bioui.components.ballot import assignment_of, ballot, ballot_of, skipped
from bioui.components.ballot_bar import ballot_bar
from bioui.components.ballot_head import ending, last_vote, pair_prompt, round_head, what_happens
from bioui.components.frame import Page
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs, project_of
from db import acknowledgements, assignments, rounds
from db.policy import Right
from db.session import Session, write
from db.tables import Round

TITLE, PATH, RIGHT = "Your votes", "/blind", Right.COMPARE
SECTION, UNDER = "Playground", "/rounds"  # in the section's row, not in the bar: a link leads here
CAUTION = """
<p class="caution" role="note"><strong>Not for clinical use.</strong><span>Models wrote both
answers, and they invent findings, doses and references. Apply none of it to a patient.</span></p>
"""


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The next pair of ?round=, else the rounds that wait; the first time in a login the question before."""
    with write() as session:
        return _screen(session, request)


@needs(RIGHT)
def begin(request: gr.Request):
    """The question is answered: the first pair, and its time counts from here."""
    with write() as session:
        acknowledgements.give(session, actor_of(session, request), token_of(request))
        session.flush()
        return _screen(session, request)


@needs(RIGHT)
def vote(event: gr.EventData, request: gr.Request):
    """Store the vote with its rubric and correction, and go on to the next pair."""
    said = ballot_of(event)
    with write() as session:
        acknowledgements.require_given(session, token_of(request))
        assignments.vote_on(
            session,
            actor_of(session, request),
            said.assignment_id,
            said.choice,
            rubric={"left": said.left, "right": said.right},
            corrected_answer=said.corrected,
            comment=said.comment,
        )
        return _screen(session, request)


@needs(RIGHT)
def skip(event: gr.EventData, request: gr.Request):
    assignment_id, reason = skipped(event)
    with write() as session:
        assignments.skip(session, actor_of(session, request), assignment_id, reason)
        return _screen(session, request)


@needs(RIGHT)
def undo(event: gr.EventData, request: gr.Request):
    """The last pair again, with all that was said of it; it waits for a vote like any other."""
    with write() as session:
        actor, round = actor_of(session, request), _linked_round(session, request)
        last = balloting.last_done(assignments.list_own(session, actor, round.id))
        if last is None or last.id != assignment_of(event):
            raise ValueError("Another pair came after this one; load the page again to change that.")
        said = balloting.said_of(last)
        assignments.undo(session, actor, round.id)
        session.flush()
        return balloting.screen(session, actor, round, said=said)


@needs(RIGHT)
def reveal(event: gr.EventData, request: gr.Request):
    """Which side stood where in the pair that was voted on; the pair on the page stays as it is."""
    with write() as session:
        actor, round = actor_of(session, request), _linked_round(session, request)
        assignments.reveal(session, actor, assignment_of(event))
        session.flush()
        return balloting.last_of(session, actor, round)


def _screen(session: Session, request: gr.Request) -> tuple:
    session.flush()
    actor = actor_of(session, request)
    if not linked(request, "round"):
        return balloting.overview(session, actor, project_of(session, request).id)
    round = _linked_round(session, request)
    if acknowledgements.given_at(session, token_of(request)) is None:
        return balloting.before_it(session, actor, round)
    return balloting.screen(session, actor, round)


def _linked_round(session: Session, request: gr.Request) -> Round:
    """The round of ?round=, of whatever project the address names. Raises LookupError for none."""
    return rounds.get(session, project_of(session, request).id, linked(request, "round"))


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    head_html = round_head()
    page = Page(gr.Row(visible=False))
    View(CAUTION, {})
    acknowledgement_html = acknowledgement(page)
    last_html = last_vote()
    end_html = ending()
    prompt_html = pair_prompt()
    answers_html = answers()
    bar_html = ballot_bar()
    ballot_html = ballot()
    what_happens()

    shown = [head_html, last_html, prompt_html, answers_html, bar_html, ballot_html, end_html]
    page.on_load(show_page, shown)
    page.on(acknowledgement_html.give, begin, None, shown)
    for event, handler in ((ballot_html.vote, vote), (ballot_html.skip, skip), (last_html.undo, undo)):
        step = page.on(event, handler, None, shown)
        step.success(fn=None, js="() => studio.reveal('main')")
    page.on(last_html.reveal, reveal, None, last_html)
