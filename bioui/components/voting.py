"""A vote on two answers of the open comparison, with rubric, correction and comment; the recent ones."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.conversation import NO_TALK, talk_value
from bioui.components.empty import empty_state
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.rating import NO_RATING, rated, rating, rating_value
from bioui.components.table import Column, cell, table, table_value
from bioui.components.view import View
from bioui.components.vote import HIDDEN, chosen, chosen_pair, vote_bar, vote_value
from bioui.handling import actor_of, needs
from bioui.present import ago, exact, status_chip
from bioui.shown import Shown, reveal, stored_value, title_of
from db import comparisons, instructions, sides, votes
from db.enums import Choice
from db.policy import Actor, Right
from db.rubric import DEFAULT
from db.session import Session, read, write
from db.tables import Answer, Comparison, Vote

RECENT = (
    Column("Prompt", "long"),
    Column("Sides"),
    Column("Your vote", "status"),
    Column("By"),
    Column("When", "time"),
)
NONE_YET = empty_state(
    "No comparisons yet.", "Every finished comparison is kept here, with its settings and votes."
)
NOBODY: dict = {"left": {}, "right": {}}  # a rubric of which nothing was said


@dataclass(frozen=True)
class Voting:
    """Its components."""

    vote_html: View
    rating_html: View
    said: gr.State  # the rubric so far: {left or right: {axis: value}}
    corrected_tb: gr.Textbox
    comment_tb: gr.Textbox
    begin_left_btn: gr.Button
    begin_right_btn: gr.Button
    note_btn: gr.Button
    recent_html: View

    @property
    def bar(self) -> list:
        return [self.vote_html, self.rating_html, self.said]

    @property
    def shown(self) -> list:
        """What `show_vote` fills."""
        return [*self.bar, self.corrected_tb, self.comment_tb, self.recent_html]


# data -----------------------------------------------------------------------------------------------


def bar_values(session: Session, actor: Actor, comparison: Comparison, shown: Shown) -> tuple:
    """Vote bar, rubric and what is said in it so far, for the two answers that are voted on."""
    pair = shown.voted_on(comparison)
    if pair is None:
        return HIDDEN, NO_RATING, NOBODY
    vote = votes.own_on(session, actor, pair[0].id, pair[1].id)
    said = _rubric_of(vote, pair)
    names = ["" if shown.is_blind else _name(session, one) for one in shown.answers(comparison)]
    colours = ["" if shown.is_blind else sides.of_answer(one).colour for one in shown.answers(comparison)]
    left, right = shown.pair
    bar = vote_value(
        names,
        colours,
        shown.pair,
        choice=_as_shown(vote, pair) if vote else "",
        links=_links(session, actor, comparison, vote),
    )
    return bar, rating_value(DEFAULT, shown.pair, (names[left], names[right]), said), said


def recent_value(session: Session, actor: Actor, project_id: int, current_id: int = 0) -> dict:
    """The table of the latest comparisons with the actor's own votes."""
    found = comparisons.list_recent(session, project_id, limit=20)
    cast = votes.own(session, actor, [comparison.id for comparison in found])
    rows = [_recent_row(session, comparison, cast.get(comparison.id)) for comparison in found]
    return table_value(RECENT, rows, empty=NONE_YET, current_id=current_id)


def _recent_row(session: Session, comparison: Comparison, vote: Vote | None) -> dict:
    names = " · ".join(_name(session, answer) for answer in comparison.answers)
    return {
        "id": comparison.id,
        "opens": True,
        "cells": [
            cell(title_of(comparison), note="a later turn" if comparison.follows_id else ""),
            cell(names),
            cell(*_preferred(session, vote)) if vote else cell(""),
            cell(comparison.created_by.full_name),
            cell(ago(comparison.created_at), title=exact(comparison.created_at)),
        ],
    }


def _preferred(session: Session, vote: Vote) -> tuple[str]:
    if vote.choice in (Choice.ONE, Choice.OTHER):
        better = vote.one if vote.choice is Choice.ONE else vote.other
        return (f"{_name(session, better)} is better",)
    return ("Equally good" if vote.choice is Choice.TIE else "Both are bad",)


def _name(session: Session, answer: Answer) -> str:
    return sides.label_of(session, sides.of_answer(answer))


def _as_shown(vote: Vote, pair: tuple[Answer, Answer]) -> str:
    """A stored vote as left, right, tie or both_bad."""
    if vote.choice not in (Choice.ONE, Choice.OTHER):
        return vote.choice.value
    better = vote.one_id if vote.choice is Choice.ONE else vote.other_id
    return "left" if better == pair[0].id else "right"


def _as_stored(choice: str) -> Choice:
    """For `votes.cast`, which is given the left answer first."""
    return {"left": Choice.ONE, "right": Choice.OTHER}.get(choice) or Choice(choice)


def _rubric_of(vote: Vote | None, pair: tuple[Answer, Answer]) -> dict:
    if vote is None:
        return NOBODY
    left, right = pair
    return {"left": vote.rubric.get(str(left.id), {}), "right": vote.rubric.get(str(right.id), {})}


def _links(session: Session, actor: Actor, comparison: Comparison, vote: Vote | None) -> list[dict]:
    """Where the corrected answer went."""
    if vote is None or vote.instruction_id is None:
        return []
    record = instructions.get_instruction(session, vote.instruction_id)
    project = f"?project={comparison.project_id}"
    word = status_chip(record.status)[0].lower()
    text = f"Your correction is instruction {record.id} ({word})."
    links = [{"href": f"/curate{project}&id={record.id}", "text": text}]
    if actor.can(Right.REVIEW):
        links.append({"href": f"/review{project}", "text": "Open the review queue"})
    return links


# handlers -------------------------------------------------------------------------------------------


@needs(Right.COMPARE)
def show_vote(project_id: int, shown: Shown, request: gr.Request):
    """One's own vote on the open comparison, and the recent ones."""
    with read() as session:
        actor = actor_of(session, request)
        recent = recent_value(session, actor, project_id, shown.comparison_id)
        if not shown.comparison_id:
            return HIDDEN, NO_RATING, NOBODY, "", "", recent
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        vote = _own(session, actor, comparison, shown)
        typed = (vote.corrected_answer, vote.comment) if vote else ("", "")
        return (*bar_values(session, actor, comparison, shown), *typed, recent)


@needs(Right.COMPARE)
def choose_pair(project_id: int, shown: Shown, event: gr.EventData, request: gr.Request):
    """Vote on two other answers of the same comparison."""
    with read() as session:
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        actor, shown = actor_of(session, request), shown.with_pair(*chosen_pair(event))
        vote = _own(session, actor, comparison, shown)
        typed = (vote.corrected_answer, vote.comment) if vote else ("", "")
        return (shown, *bar_values(session, actor, comparison, shown), *typed)


@needs(Right.COMPARE)
def cast_vote(
    project_id: int,
    shown: Shown,
    said: dict,
    corrected_answer: str,
    comment: str,
    event: gr.EventData,
    request: gr.Request,
):
    """Store the vote and, where it was blind, tell which side is which."""
    return _vote(project_id, shown, chosen(event), said, corrected_answer, comment, request)


@needs(Right.COMPARE)
def rate(project_id: int, shown: Shown, event: gr.EventData, request: gr.Request):
    """Keep what the rubric says: with the vote where one was cast, else until it is."""
    said = rated(event)
    with write() as session:
        actor = actor_of(session, request)
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        vote = _own(session, actor, comparison, shown)
        if vote is not None:
            kept = (vote.corrected_answer, vote.comment)
            choice = _as_shown(vote, shown.voted_on(comparison))
            _cast(session, actor, comparison, shown, choice, said, *kept, again=vote)
        return said


@needs(Right.COMPARE)
def save_note(
    project_id: int, shown: Shown, said: dict, corrected_answer: str, comment: str, request: gr.Request
):
    """Keep the corrected answer and the comment with the vote that was cast before."""
    with read() as session:
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        vote = _own(session, actor_of(session, request), comparison, shown)
        if vote is None:
            raise ValueError("vote: say first which answer is better; your note is kept with the vote.")
        choice = _as_shown(vote, shown.voted_on(comparison))
    answer = _vote(project_id, shown, choice, said, corrected_answer, comment, request)
    gr.Success("Your note is kept with your vote.", duration=4)
    return answer


@needs(Right.COMPARE)
def begin_with_left(project_id: int, shown: Shown, request: gr.Request):
    return _text_of(project_id, shown, 0)


@needs(Right.COMPARE)
def begin_with_right(project_id: int, shown: Shown, request: gr.Request):
    return _text_of(project_id, shown, 1)


def _text_of(project_id: int, shown: Shown, place: int) -> str:
    """One of the two answers, to be corrected."""
    with read() as session:
        pair = shown.voted_on(comparisons.get(session, project_id, shown.comparison_id))
        return pair[place].text if pair else ""


def _own(session: Session, actor: Actor, comparison: Comparison, shown: Shown) -> Vote | None:
    pair = shown.voted_on(comparison)
    return votes.own_on(session, actor, pair[0].id, pair[1].id) if pair else None


def _vote(
    project_id: int,
    shown: Shown,
    choice: str,
    said: dict,
    corrected_answer: str,
    comment: str,
    request: gr.Request,
) -> tuple:
    """State, vote bar and rubric, answers, conversation and recent comparisons, once the vote is stored."""
    was_blind = shown.is_blind
    with write() as session:
        actor = actor_of(session, request)
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        texts, again = (corrected_answer or "", comment or ""), _own(session, actor, comparison, shown)
        _cast(session, actor, comparison, shown, choice, said, *texts, again=again)
        session.flush()
        if was_blind:
            shown = reveal(session, actor, comparison, shown)
        bar = bar_values(session, actor, comparison, shown)
        recent = recent_value(session, actor, project_id, comparison.id)
        revealed = _revealed(session, comparison, shown) if was_blind else (gr.skip(), gr.skip())
        return (shown, *bar, *revealed, recent)


def _revealed(session: Session, comparison: Comparison, shown: Shown) -> tuple[dict, dict]:
    """The answers and the conversation with their names."""
    before = comparisons.turns_of(session, comparison)[:-1]
    return stored_value(session, comparison, shown), talk_value(session, before) if before else NO_TALK


def _cast(
    session: Session,
    actor: Actor,
    comparison: Comparison,
    shown: Shown,
    choice: str,
    said: dict,
    corrected_answer: str,
    comment: str,
    *,
    again: Vote | None,
) -> None:
    """The same vote with more said keeps how it was cast; another choice, the names in sight, is open."""
    pair = shown.voted_on(comparison)
    if pair is None:
        raise ValueError("vote: there is but one answer; a vote is between two.")
    left, right = pair
    same = again if again and _as_shown(again, pair) == choice else None
    votes.cast(
        session,
        actor,
        comparison.id,
        left.id,
        right.id,
        _as_stored(choice),
        rubric={left.id: said.get("left", {}), right.id: said.get("right", {})},
        corrected_answer=corrected_answer,
        comment=comment,
        is_blind=same.is_blind if same else shown.is_blind,
        first_id=same.first_id if same else left.id,
        seconds=same.seconds if same else shown.seconds,
    )


# layout and wiring ----------------------------------------------------------------------------------


def voting() -> Voting:
    vote_html = vote_bar()
    with fold("Say more: rubric, corrected answer, comment", elem_classes="vote-notes"):
        rating_html = rating()
        with gr.Row(elem_classes="desk-prompt"):
            corrected_tb = gr.Textbox(
                label="Corrected answer",
                info="What a careful expert would have said. It goes to the review queue as an instruction.",
                lines=4,
                max_lines=14,
                elem_id="field-corrected-answer",
            )
            comment_tb = gr.Textbox(
                label="Comment",
                info="What is wrong, missing or well put, in a sentence.",
                lines=4,
                max_lines=14,
                elem_id="field-comment",
            )
        with gr.Row(elem_classes="actions"):
            begin_left_btn = gr.Button("Correct the left answer", size="sm")
            begin_right_btn = gr.Button("Correct the right answer", size="sm")
            note_btn = gr.Button("Save with the vote", size="sm")
    with gr.Column(elem_classes="section recent"):
        View("<h2>Recent comparisons</h2>", {})
        recent_html = table("Recent comparisons", param="", empty_value=NONE_YET)
    said = gr.State(NOBODY)
    buttons = (begin_left_btn, begin_right_btn, note_btn)
    return Voting(vote_html, rating_html, said, corrected_tb, comment_tb, *buttons, recent_html)


def wire_voting(page: Page, vote: Voting, *, shown: gr.State, answers_html: View, talk_html: View) -> None:
    here = [page.project_id, shown]
    typed = [vote.corrected_tb, vote.comment_tb]
    inputs = [*here, vote.said, *typed]
    outputs = [shown, *vote.bar, answers_html, talk_html, vote.recent_html]
    page.on(vote.vote_html.vote, cast_vote, inputs, outputs)
    page.on(vote.vote_html.pair, choose_pair, here, [shown, *vote.bar, *typed])
    page.on(vote.rating_html.rate, rate, here, vote.said)
    page.on(vote.note_btn.click, save_note, inputs, outputs)
    page.on(vote.begin_left_btn.click, begin_with_left, here, vote.corrected_tb)
    page.on(vote.begin_right_btn.click, begin_with_right, here, vote.corrected_tb)
