"""What a rater sees of a blind round: the pair that is next, how far they are, what they said last.

Everything here is built from `db.assignments.lay_out`, which knows no side's name; the one exception is what
a rater asks to be told after their vote.
"""

from math import ceil
from statistics import median

from bioui.components.answers import AnswersState, ColumnState, answers_value
from bioui.components.ballot import NO_BALLOT, Ballot, ballot_value
from bioui.components.ballot_bar import NO_BAR, SAID, bar_value
from bioui.components.ballot_head import (
    NO_END,
    NO_HEAD,
    NO_LAST,
    NO_PROMPT,
    end_value,
    head_value,
    last_value,
    prompt_value,
)
from bioui.present import counted
from db import assignments, rounds, rubric
from db.assignments import Laid
from db.enums import Side
from db.policy import Actor
from db.round_drawing import seconds_of
from db.session import Session
from db.tables import Assignment, Round

PACED = 3  # votes after which a rater's own pace counts
NO_PAIR = (NO_PROMPT, answers_value(None, blind=True), NO_BAR, NO_BALLOT)


def blind_href(round: Round) -> str:
    """The link that a lead sends to the raters."""
    return f"/blind?project={round.project_id}&round={round.id}"


def count_waiting(session: Session, actor: Actor, project_id: int) -> int:
    """The pairs that wait for this person's vote, in all open rounds."""
    return sum(_left(session, actor, round) for round in rounds.list_open_for(session, actor, project_id))


def waiting_rounds(session: Session, actor: Actor, project_id: int, *, but: int = 0) -> list[dict]:
    """The open rounds that wait for this person: title, link and `12 of 20 left`."""
    found = rounds.list_open_for(session, actor, project_id)
    return [
        {
            "title": round.title,
            "href": blind_href(round),
            "far": f"{counted(_left(session, actor, round), 'pair')} left",
        }
        for round in found
        if round.id != but
    ]


def begin_next(session: Session, actor: Actor, round: Round) -> Assignment | None:
    """Open what is next, so that its time counts from now; None where nothing is, or the round is closed."""
    if round.closed_at is not None:
        return None
    following = assignments.next_assignment(session, actor, round.id)
    return assignments.open_assignment(session, actor, following.id) if following else None


def screen(session: Session, actor: Actor, round: Round, *, said: Ballot | None = None) -> tuple:
    """The blind page, in the order of its `shown`; `said` is what was said of this pair before."""
    own = assignments.list_own(session, actor, round.id)
    if not own:
        return _not_a_rater(session, actor, round)
    current = begin_next(session, actor, round)
    head, last = _head(session, actor, round, own), _last_value(session, actor, round, own)
    if current is None:
        return head, last, *NO_PAIR, _ended(session, actor, round, own)
    laid = assignments.lay_out(session, actor, current.id)
    return head, last, *_pair(round, current, laid, said), NO_END


def before_it(session: Session, actor: Actor, round: Round) -> tuple:
    """The round and its note, while the question before it is not answered: no pair is opened yet."""
    own = assignments.list_own(session, actor, round.id)
    if not own:
        return _not_a_rater(session, actor, round)
    return _head(session, actor, round, own), NO_LAST, *NO_PAIR, NO_END


def last_of(session: Session, actor: Actor, round: Round) -> dict:
    """The line on what the rater said last."""
    return _last_value(session, actor, round, assignments.list_own(session, actor, round.id))


def nothing(ending: dict) -> tuple:
    """No pair: only why not."""
    return NO_HEAD, NO_LAST, *NO_PAIR, ending


def overview(session: Session, actor: Actor, project_id: int) -> tuple:
    """The rounds that wait for this person, where the address names none."""
    waiting = waiting_rounds(session, actor, project_id)
    if waiting:
        return nothing(end_value("Rounds that wait for your votes", rounds=waiting))
    return nothing(
        end_value(
            "No round waits for your votes.",
            "When somebody makes a round with you in it, it stands here, on Home, and beside Playground in "
            "the bar.",
        )
    )


def last_done(own: list[Assignment]) -> Assignment | None:
    """What the rater voted on or skipped last."""
    done = [assignment for assignment in own if assignment.done_at is not None]
    return max(done, key=lambda assignment: (assignment.done_at, assignment.position), default=None)


def said_of(assignment: Assignment) -> Ballot | None:
    """A vote as the form says it; None for a skip."""
    vote = assignment.vote
    if vote is None:
        return None
    left, right = (vote.other_id, vote.one_id) if assignment.is_flipped else (vote.one_id, vote.other_id)
    return Ballot(
        assignment.id,
        assignments.to_left_right(vote.choice, is_flipped=assignment.is_flipped),
        vote.rubric.get(str(left), {}),
        vote.rubric.get(str(right), {}),
        vote.corrected_answer,
        vote.comment,
    )


def _pair(round: Round, current: Assignment, laid: Laid, said: Ballot | None) -> tuple:
    """Prompt, answers, bar and form of the next pair."""
    columns = [ColumnState("", Side.BASE, text, "stop") for text in (laid.left, laid.right)]
    shown = answers_value(
        AnswersState(columns), title="Prompt", prompt=laid.instruction, passage=laid.input, blind=True
    )
    said = said if said and said.assignment_id == current.id else None
    return (
        prompt_value(laid),
        shown,
        bar_value(current.id, said.choice if said else ""),
        ballot_value(current.id, (laid.left, laid.right), rubric.of_round(round), said),
    )


def _head(session: Session, actor: Actor, round: Round, own: list[Assignment]) -> dict:
    done = sum(assignment.done_at is not None for assignment in own)
    seconds = _pace(session, actor, own) * (len(own) - done)
    return head_value(round, done=done, total=len(own), minutes=max(1, ceil(seconds / 60)))


def _pace(session: Session, actor: Actor, own: list[Assignment]) -> float:
    """Seconds a pair: the rater's own once there are some votes, before that by the length of the next."""
    taken = [each.vote.seconds for each in own if each.vote is not None and each.vote.seconds is not None]
    if len(taken) >= PACED:
        return median(taken)
    following = next((each for each in own if each.done_at is None), None)
    return seconds_of(_words(assignments.lay_out(session, actor, following.id))) if following else 0.0


def _words(laid: Laid) -> int:
    earlier = [text for turn in laid.before for text in (turn.asked, turn.left, turn.right)]
    return sum(len(text.split()) for text in (*earlier, laid.instruction, laid.input, laid.left, laid.right))


def _last_value(session: Session, actor: Actor, round: Round, own: list[Assignment]) -> dict:
    last = last_done(own)
    if last is None:
        return NO_LAST
    ballot = said_of(last)
    told = f"saved: {SAID[ballot.choice]}" if ballot else f"skipped: {last.skipped}"
    is_known = ballot is not None and last.revealed_at is not None
    return last_value(
        last.id,
        f"Pair {own.index(last) + 1} {told}.",
        is_open=round.closed_at is None,
        is_vote=ballot is not None,
        revealed=assignments.reveal(session, actor, last.id) if is_known else None,
    )


def _not_a_rater(session: Session, actor: Actor, round: Round) -> tuple:
    return nothing(
        end_value(
            "You are not among the raters of this round.",
            "Ask whoever sent you the link to put you on the list.",
            rounds=waiting_rounds(session, actor, round.project_id, but=round.id),
        )
    )


def _ended(session: Session, actor: Actor, round: Round, own: list[Assignment]) -> dict:
    """All done, or closed before that."""
    votes = [each.vote for each in own if each.vote is not None]
    skipped = sum(bool(each.skipped) for each in own)
    corrected = sum(bool(vote.corrected_answer) for vote in votes)
    told = [counted(len(votes), "vote"), *([f"{skipped:,} skipped"] if skipped else [])]
    if corrected:
        told.append(f"{counted(corrected, 'corrected answer')} on the way to the reviewers")
    others = waiting_rounds(session, actor, round.project_id, but=round.id)
    home = {"href": f"/?project={round.project_id}", "link": "Home"}
    if all(each.done_at is not None for each in own):
        thanks = f"Thank you, {actor.full_name.split()[0]}. That was the last of {counted(len(own), 'pair')}."
        after = "Until the round closes, you can still change your last vote."
        if round.closed_at is not None:
            after = "The round is closed; its verdict is being read."
        return end_value(thanks, f"{', '.join(told)}.", after, is_proud=True, rounds=others, **home)
    return end_value(
        "This round is closed.",
        f"It takes no more votes. Yours count: {', '.join(told)}.",
        rounds=others,
        **home,
    )


def _left(session: Session, actor: Actor, round: Round) -> int:
    mine = [one for one in rounds.progress(session, round.id) if one.rater_id == actor.id]
    return mine[0].left if mine else 0
