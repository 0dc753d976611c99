"""A vote on the open comparison, with a corrected answer and a comment; and the recent comparisons."""

from dataclasses import dataclass

import gradio as gr

from bioui.comparing import get_comparison_of, title_of
from bioui.components.empty import empty_state
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.table import Column, cell, table, table_value
from bioui.components.view import View
from bioui.components.vote import HIDDEN, LABELS, chosen, vote_bar, vote_value
from bioui.handling import actor_of, needs
from bioui.present import ago, exact
from db import comparisons
from db.enums import Choice
from db.policy import Actor, Right
from db.session import Session, read, write
from db.tables import Comparison

RECENT = (
    Column("Prompt", "long"),
    Column("Adapter"),
    Column("Your vote", "status"),
    Column("By"),
    Column("When", "time"),
)
NONE_YET = empty_state(
    "No comparisons yet.", "Every finished pair is kept here, with its settings and votes."
)
HUES = {Choice.BASE: "base", Choice.TUNED: "tuned"}


@dataclass(frozen=True)
class Voting:
    """Its components."""

    vote_html: View
    corrected_tb: gr.Textbox
    comment_tb: gr.Textbox
    note_btn: gr.Button
    recent_html: View

    @property
    def shown(self) -> list:
        """What `show_vote` fills."""
        return [self.vote_html, self.corrected_tb, self.comment_tb, self.recent_html]


def recent_value(session: Session, actor: Actor, project_id: int, current_id: int = 0) -> dict:
    """The table of the latest comparisons with the actor's own votes."""
    found = comparisons.list_comparisons(session, project_id)
    votes = comparisons.list_votes(session, actor, [comparison.id for comparison in found])
    rows = [_recent_row(session, comparison, votes.get(comparison.id)) for comparison in found]
    return table_value(RECENT, rows, empty=NONE_YET, current_id=current_id)


def _recent_row(session: Session, comparison: Comparison, choice: Choice | None) -> dict:
    return {
        "id": comparison.id,
        "opens": True,
        "cells": [
            cell(title_of(session, comparison)),
            cell(comparison.adapter.name, note="deleted" if comparison.adapter.deleted_at else ""),
            cell(LABELS[choice], chip=HUES.get(choice, "draft")) if choice else cell(""),
            cell(comparison.created_by.full_name),
            cell(ago(comparison.created_at), title=exact(comparison.created_at)),
        ],
    }


# handlers -------------------------------------------------------------------------------------------


@needs(Right.COMPARE)
def show_vote(project_id: int, comparison_id: int, request: gr.Request):
    """One's own vote on the open comparison, and the recent ones."""
    with read() as session:
        actor = actor_of(session, request)
        recent = recent_value(session, actor, project_id, comparison_id)
        if not comparison_id:
            return HIDDEN, "", "", recent
        vote = comparisons.get_vote(session, actor, comparison_id)
        if vote is None:
            return vote_value(None), "", "", recent
        return vote_value(vote.choice), vote.corrected_answer, vote.comment, recent


@needs(Right.COMPARE)
def cast_vote(
    project_id: int,
    comparison_id: int,
    corrected_answer: str,
    comment: str,
    event: gr.EventData,
    request: gr.Request,
):
    return _vote(project_id, comparison_id, chosen(event), corrected_answer, comment, request)


@needs(Right.COMPARE)
def save_note(project_id: int, comparison_id: int, corrected_answer: str, comment: str, request: gr.Request):
    """Keep the corrected answer and the comment with the vote that was cast before."""
    with read() as session:
        vote = comparisons.get_vote(session, actor_of(session, request), comparison_id)
        if vote is None:
            raise ValueError("vote: say first which answer is better; your note is kept with the vote.")
        choice = vote.choice
    answer = _vote(project_id, comparison_id, choice, corrected_answer, comment, request)
    gr.Success("Your note is kept with your vote.", duration=4)
    return answer


def _vote(
    project_id: int,
    comparison_id: int,
    choice: Choice,
    corrected_answer: str,
    comment: str,
    request: gr.Request,
) -> tuple:
    """The vote bar and the recent comparisons, once the vote is stored."""
    with write() as session:
        actor = actor_of(session, request)
        get_comparison_of(session, project_id, comparison_id)
        comparisons.vote(
            session,
            actor,
            comparison_id,
            choice,
            corrected_answer=corrected_answer or "",
            comment=comment or "",
        )
        session.flush()
        return vote_value(choice), recent_value(session, actor, project_id, comparison_id)


# layout and wiring ----------------------------------------------------------------------------------


def voting() -> Voting:
    vote_html = vote_bar()
    with fold("Add a corrected answer or a comment", elem_classes="vote-notes"):
        with gr.Row(elem_classes="desk-prompt"):
            corrected_tb = gr.Textbox(
                label="Corrected answer",
                info="What a careful expert would have said.",
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
            note_btn = gr.Button("Save with the vote", size="sm")
    with gr.Column(elem_classes="section recent"):
        View("<h2>Recent comparisons</h2>", {})
        recent_html = table("Recent comparisons", param="comparison", empty_value=NONE_YET)
    return Voting(vote_html, corrected_tb, comment_tb, note_btn, recent_html)


def wire_voting(page: Page, vote: Voting, *, here: list) -> None:
    """`here` is the project and the open comparison."""
    inputs = [*here, vote.corrected_tb, vote.comment_tb]
    page.on(vote.vote_html.vote, cast_vote, inputs, [vote.vote_html, vote.recent_html])
    page.on(vote.note_btn.click, save_note, inputs, [vote.vote_html, vote.recent_html])
