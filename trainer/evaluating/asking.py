"""A task put to a model: rows in, scored rows out, batch by batch. The one loop there is, in its two ways.

It knows the task, the model and its tokenizer; nothing of jobs or the database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from db.enums import Way
from db.evaluations import Scored
from db.tasks import Task
from db.tasks.task import Options, RowScore
from trainer.evaluating import batches, generation, likelihood, trees
from trainer.evaluating.batches import Budget
from trainer.evaluating.cache import Beginning
from trainer.evaluating.encoding import Answers, Encoder, shared_beginning
from trainer.evaluating.subject import Subject

TOO_LONG = "too_long"  # the fault of a row that the model cannot take in
_WORTH_SHARING = 16  # tokens; fewer are read again faster than they are copied
_CACHED = 4  # tokens that are only kept cost a batch about a quarter of one that is read


@dataclass(frozen=True)
class Case:
    """One row of a task version: its position, the task's own row, and how it is asked."""

    position: int
    row: Any
    instruction: str
    input: str


class Examiner:
    """Asks one model the rows of one task. `tick` is called at every step of the model, and may raise."""

    def __init__(
        self,
        subject: Subject,
        task: Task,
        examples: Sequence[Mapping[str, str]],
        budget: Budget,
        *,
        max_tokens: int = 0,
        cyclic: bool = True,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._subject, self._task, self._budget, self._tick = subject, task, budget, tick
        self._encoder = Encoder(subject.tokenizer, examples)
        self._max_tokens, self._cyclic = max_tokens or task.max_tokens, cyclic
        self._tokens = 0

    def take_tokens(self) -> int:
        """Tokens read and written since this was last asked; what was shared is not counted twice."""
        taken, self._tokens = self._tokens, 0
        return taken

    def fits(self, case: Case) -> bool:
        """True when the row's question leaves room for an answer."""
        [prompt] = self._encoder.questions([(case.instruction, case.input)])
        return len(prompt) < self._subject.context

    def ask(self, cases: Sequence[Case], way: Way) -> Iterator[list[Scored]]:
        """Each row's answer and what it counts. Rows come batch by batch as they are done, not in order."""
        if cases:
            yield from self.by_likelihood(cases) if way is Way.LIKELIHOOD else self.by_generation(cases)

    def by_generation(self, cases: Sequence[Case]) -> Iterator[list[Scored]]:
        """Written answers, read by the task."""
        prompts = self._encoder.questions([(case.instruction, case.input) for case in cases])
        room = [self._subject.context - len(prompt) for prompt in prompts]
        asked = [at for at, left in enumerate(room) if left >= 1]
        yield [self._too_long(cases[at], len(prompts[at]), ()) for at, left in enumerate(room) if left < 1]
        limits = [min(self._max_tokens, left) for left in room]
        beginning = self._beginning([prompts[at] for at in asked])

        def work(some: list[int]) -> list[Scored]:
            rows = [asked[at] for at in some]
            written = generation.write(
                self._subject.model,
                [prompts[row] for row in rows],
                [limits[row] for row in rows],
                self._subject.end_ids,
                beginning=beginning,
                tick=self._tick,
            )
            self._tokens += sum(len(prompts[row]) for row in rows) + sum(len(one.ids) for one in written)
            return [self._read(cases[row], one) for row, one in zip(rows, written, strict=True)]

        lengths = [len(prompts[at]) + limits[at] for at in asked]
        budget = self._budget if self._subject.pads else Budget(1)
        for _, scored in batches.each(lengths, budget, work):
            yield scored

    def by_likelihood(self, cases: Sequence[Case]) -> Iterator[list[Scored]]:
        """The options' log-likelihoods, scored by the task."""
        orders = [self._orders(case) for case in cases]
        questions = [(order.instruction, order.input) for of_case in orders for order in of_case]
        prompts = iter(self._encoder.questions(questions))
        asked: list[list[Answers]] = []
        for of_case in orders:
            asked.append(
                [
                    self._encoder.answers(
                        (order.instruction, order.input), next(prompts), order.continuations
                    )
                    for order in of_case
                ]
            )
        fitting = []
        too_long = []
        for at, answers in enumerate(asked):
            longest = max(len(ids) for one in answers for ids in one.sequences)
            if longest <= self._subject.context:
                fitting.append(at)
            else:
                too_long.append(self._too_long(cases[at], longest, orders[at]))
        yield too_long
        if self._subject.reads_trees:
            yield from self._by_trees(cases, asked, fitting)
        else:
            yield from self._one_by_one(cases, asked, fitting)

    def _by_trees(
        self, cases: Sequence[Case], asked: Sequence[list[Answers]], fitting: Sequence[int]
    ) -> Iterator[list[Scored]]:
        sequences = {at: [ids for one in asked[at] for ids in one.sequences] for at in fitting}
        starts = {at: [start for one in asked[at] for start in one.starts] for at in fitting}
        beginning = self._beginning(
            [ids[:start] for at in fitting for ids, start in zip(sequences[at], starts[at], strict=True)]
        )
        skip = len(beginning) if beginning else 0
        grown = {at: trees.grow(sequences[at], starts[at], skip) for at in fitting}

        def work(some: list[int]) -> list[Scored]:
            self._tick()
            rows = [fitting[at] for at in some]
            found = likelihood.score(self._subject.model, [grown[row] for row in rows], beginning)
            self._tokens += sum(len(grown[row]) for row in rows)
            return [self._choose(cases[row], asked[row], nats) for row, nats in zip(rows, found, strict=True)]

        lengths = [len(grown[at]) + skip // _CACHED for at in fitting]
        for _, scored in batches.each(lengths, self._budget, work):
            yield scored

    def _one_by_one(
        self, cases: Sequence[Case], asked: Sequence[list[Answers]], fitting: Sequence[int]
    ) -> Iterator[list[Scored]]:
        for row in fitting:
            sequences = [ids for one in asked[row] for ids in one.sequences]
            starts = [start for one in asked[row] for start in one.starts]
            nats = [0.0] * len(sequences)

            def work(some: list[int], sequences=sequences, starts=starts) -> list[float]:
                self._tick()
                self._tokens += sum(len(sequences[at]) for at in some)
                return likelihood.score_plainly(
                    self._subject.model, [sequences[at] for at in some], [starts[at] for at in some]
                )

            for some, found in batches.each([len(ids) for ids in sequences], self._budget, work):
                for at, value in zip(some, found, strict=True):
                    nats[at] = value
            yield [self._choose(cases[row], asked[row], nats)]

    def _orders(self, case: Case) -> Sequence[Options]:
        orders = self._task.options(case.row)
        if (orders[0].instruction, orders[0].input) != (case.instruction, case.input):
            raise ValueError(
                f"task: row {case.position + 1} is put in other words now than when it was frozen; freeze "
                "the task again, and evaluate its models on that."
            )
        return orders if self._cyclic else orders[:1]

    def _beginning(self, prompts: Sequence[Sequence[int]]) -> Beginning | None:
        """What all begin with, read once; None where that would not pay or not hold."""
        if not self._subject.shares or len(prompts) < 2:
            return None
        shared = shared_beginning(prompts)
        return Beginning(self._subject.model, shared) if len(shared) >= _WORTH_SHARING else None

    def _read(self, case: Case, written: generation.Written) -> Scored:
        answer = self._subject.tokenizer.decode(written.ids, skip_special_tokens=True).strip()
        score = self._task.score(case.row, answer)
        if not written.ended:
            score = replace(score, said={**score.said, "cut": True})
        return Scored(case.position, answer, score, len(written.ids))

    def _choose(self, case: Case, answers: Sequence[Answers], nats: Sequence[float]) -> Scored:
        ends = list(accumulate(len(one.sequences) for one in answers))
        each = [list(nats[end - len(one.sequences) : end]) for end, one in zip(ends, answers, strict=True)]
        lengths = [one.lengths for one in answers]
        score = self._task.score_options(case.row, each, lengths)
        choice = score.said.get("choice")
        answer = self._task.options(case.row)[0].continuations[choice] if choice is not None else ""
        return Scored(case.position, answer, score)

    def _too_long(self, case: Case, tokens: int, orders: Sequence[Options]) -> Scored:
        """Wrong, and said why: the question is never cut to what would fit."""
        score: RowScore = (
            self._task.score_options(case.row, [], []) if orders else self._task.score(case.row, "")
        )
        words = f"{tokens:,} tokens; the model takes {self._subject.context:,}"
        faults = [*score.said.get("faults", ()), [TOO_LONG, words]]
        score = replace(score, score=0.0, is_right=False, said={**score.said, "faults": faults})
        return Scored(case.position, "", score)
