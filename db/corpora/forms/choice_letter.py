"""The letter of the right choice; reading it also understands the choice's own words."""

import re
from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle, listed
from db.corpora.forms.one_label import lone_places
from db.corpora.forms.prediction import Choice, Fault, FaultKind, folded
from db.corpora.schema import QaRow

_SAID = re.compile(
    r"(?i:\b(?:answer|option|choice|letter)\b[\"'*]*\s*(?:\bis\b|\bwould be\b|:|=)?[\s\"'*(\[]*)"
    r"(?i:option\s+)?([A-Za-z])\b(?=\s*(?:$|[).,:;\]*\"'\n]|(?:because|since|as|is)\b))"
)
_LETTER = re.compile(r"^\W*([A-Za-z])\s*[).:\]-]+\s*")


@dataclass(frozen=True)
class ChoiceLetter:
    name: ClassVar[str] = "choice_letter"
    title: ClassVar[str] = "The letter of the choice"
    shape: ClassVar[str] = "qa"
    labelled: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = ("multiple_choice",)
    labels: tuple[Label, ...] = ()

    def constraint(self) -> str:
        return "Answer with the letter of the best choice and nothing else."

    def write(self, row: QaRow) -> str:
        return ascii_uppercase[right_choice(row)]

    def gold(self, row: QaRow) -> Choice:
        return Choice(right_choice(row))

    def parse(self, answer: str, row: QaRow) -> Choice:
        return read_choice(answer, row)


def right_choice(row: QaRow) -> int:
    """The index of the right choice. Raises CannotWrite where that is not one choice with a letter."""
    if len(row.choices) > len(ascii_uppercase):
        raise CannotWrite(Obstacle.TOO_MANY_CHOICES)
    if row.answer_index is not None:
        return row.answer_index
    if not row.answer:
        raise CannotWrite(Obstacle.NO_ANSWER)
    if len(row.answer) > 1:
        raise CannotWrite(Obstacle.SEVERAL_ANSWERS)
    if row.answer[0] not in row.choices:
        raise CannotWrite(Obstacle.NOT_A_CHOICE)
    if row.choices.count(row.answer[0]) > 1:
        raise CannotWrite(Obstacle.SAME_CHOICES)
    return row.choices.index(row.answer[0])


def lettered(choices: tuple[str, ...]) -> str:
    """The choices with their letters, one a line: 'A. Amoxicillin'."""
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip(ascii_uppercase, choices, strict=False))


def read_choice(answer: str, row: QaRow) -> Choice:
    """The one choice that a reply makes, by letter or by the choice's words.

    A letter that is not offered, two letters, and a letter with another choice's words are faults: no choice.
    """
    body = reply.body(answer)
    if not body:
        return Choice(None, (Fault(FaultKind.EMPTY),))
    chosen = _lettered_words(reply.lines(body), row.choices)
    said = _SAID.findall(body)
    if said:
        index = ascii_uppercase.index(said[-1].upper())
        chosen = {index} if not chosen or index in chosen else chosen | {index}
    chosen = chosen or _letters(body) or _mentioned_choices(body, row.choices)
    if not chosen:
        return Choice(None, (Fault(FaultKind.UNPARSABLE, body[:80]),))
    letters = listed([ascii_uppercase[index] for index in sorted(chosen)], "and")
    if len(chosen) > 1:
        return Choice(None, (Fault(FaultKind.AMBIGUOUS, letters),))
    index = chosen.pop()
    if index >= len(row.choices):
        return Choice(None, (Fault(FaultKind.UNKNOWN_LABEL, letters),))
    return Choice(index)


def _letters(body: str) -> set[int]:
    """The letters that stand for themselves on the first line of a reply, else anywhere in it."""
    first = reply.lines(body)[0]
    alone = re.fullmatch(r"\W*([a-zA-Z])\W*", first)
    if alone:
        return {ascii_uppercase.index(alone[1].upper())}
    for part in (first, body):
        found = {index for index, letter in enumerate(ascii_uppercase) if lone_places(part, letter)}
        if found:
            return found
    return set()


def _lettered_words(lines: list[str], choices: tuple[str, ...]) -> set[int]:
    """The choices that a line of the reply is, with or without a letter and 'answer:' before the words.

    A letter before the words of another choice counts as well: the reply then says two things.
    """
    wanted = {folded(choice): index for index, choice in enumerate(choices) if len(folded(choice)) > 1}
    found = set()
    for line in lines:
        bare = reply.without_bullet(line)
        for words in (line, bare, reply.after_marker(bare)):
            letter = _LETTER.match(words)
            rest = folded(words[letter.end() :]) if letter else ""
            if folded(words) in wanted:
                found.add(wanted[folded(words)])
            elif rest in wanted:
                found |= {wanted[rest], ascii_uppercase.index(letter[1].upper())}
    return found


def _mentioned_choices(body: str, choices: tuple[str, ...]) -> set[int]:
    """The choices whose words occur in the reply, the longest first, so that part of one is not another."""
    text, found = folded(body), set()
    for index in sorted(range(len(choices)), key=lambda index: -len(choices[index])):
        words = folded(choices[index])
        pattern = rf"(?<!\w){re.escape(words)}(?!\w)"
        if words and re.search(pattern, text):
            text = re.sub(pattern, " ", text)
            found.add(index)
    return found
