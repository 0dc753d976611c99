"""The calls of a judge run: each row's pair in both orders, each answer alone."""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from db.asking.client import Ask
from db.generating.calls import most_tokens
from db.judge_spec import JudgeSpec
from db.judging import prompts, style
from db.judging.rubrics import Rubric
from db.judging.verdicts import Reply, read_grades, read_pair


@dataclass(frozen=True)
class ToJudge:
    """One row as a judge sees it. `other` is the answer to compare with, "" where there is none."""

    position: int
    document: str
    prompt: str
    reference: str
    answer: str
    other: str


@dataclass(frozen=True)
class Call:
    """One question to a judge. `prompt_tokens`: as many as it can have at most."""

    position: int
    order: int
    ask: Ask = field(repr=False)
    prompt_tokens: int

    def read(self, text: str, rubric: Rubric) -> Reply:
        """What the reply says. Raises Unreadable."""
        return read_pair(text, self.order) if self.order < 2 else read_grades(text, rubric)


def drawn(rows: list[ToJudge], spec: JudgeSpec) -> list[ToJudge]:
    """`limit` of the rows at random by the seed, in their order."""
    if not spec.limit or spec.limit >= len(rows):
        return rows
    places = sorted(random.Random(spec.seed).sample(range(len(rows)), spec.limit))
    return [rows[place] for place in places]


def prepare(rows: Iterable[ToJudge], rubric: Rubric, spec: JudgeSpec) -> Iterator[Call]:
    """Every call of a run, the calls of one row one after the other."""
    for row in rows:
        answer, other = (style.plain(text) if spec.strip_style else text for text in (row.answer, row.other))
        asked = []
        if spec.pairs and spec.against_id:
            for order, shown in enumerate(((answer, other), (other, answer))):
                messages = prompts.pair_messages(rubric, row.prompt, row.reference, *shown)
                asked.append((order, messages, prompts.pair_schema()))
        if spec.grades:
            for order, text in ((2, answer), (3, other)):
                if order == 2 or spec.against_id:
                    messages = prompts.grade_messages(rubric, row.prompt, row.reference, text)
                    asked.append((order, messages, prompts.grade_schema(rubric)))
        for order, messages, schema in asked:
            ask = Ask(
                messages,
                schema,
                max_tokens=spec.max_tokens,
                temperature=spec.temperature,
                key=f"judge-{_digest(messages)}-{row.position}-{order}",
            )
            yield Call(row.position, order, ask, most_tokens(*(each["content"] for each in messages)))


def _digest(messages: prompts.Messages) -> str:
    """What tells this question from others that a server may remember."""
    return sha256(json.dumps(messages).encode()).hexdigest()[:16]
