"""Writes the base's training text out of the fact table: passages asked about, facts restated, names copied.

`document(...)` returns one plain text of some 60 to 300 tokens. Most are a short passage followed by
questions, lists and summaries it supports, so that looking things up in the passage pays; a share of the
names is invented, so that nothing else helps. It knows nothing of tokens, models, chat templates or the
demo set.
"""

# ruff: noqa: E501

import random
from itertools import pairwise

from trainer.starter import facts as fact_table
from trainer.starter import invented
from trainer.starter.cases import Pool
from trainer.starter.passages import Passage, drug_paragraph, gene_paragraph, note
from trainer.starter.questions import (
    TASKS,
    claim,
    plain_words,
    presence,
    written,
    written_around,
    written_as_list,
)
from trainer.starter.wording import fill, joined, sentence_case

KINDS = ("note", "task", "screen", "drug", "gene", "fact", "copy", "run")
WEIGHTS = (26, 18, 40, 4, 3, 4, 2, 3)


class Writer:
    """Holds the table and the pool; `document` is the whole of its work."""

    def __init__(self) -> None:
        self.facts = fact_table.load()
        self.pool = Pool(self.facts)

    def document(self, rng: random.Random) -> str:
        kind = rng.choices(KINDS, WEIGHTS)[0]
        return getattr(self, f"_{kind}")(rng)

    def _note(self, rng: random.Random) -> str:
        return self._asked(note(self.pool, rng, _share(rng)), rng, rng.randint(4, 8))

    def _drug(self, rng: random.Random) -> str:
        return self._asked(drug_paragraph(self.pool, rng, _share(rng)), rng, rng.randint(2, 5))

    def _gene(self, rng: random.Random) -> str:
        return self._asked(gene_paragraph(self.pool, rng, _share(rng)), rng, rng.randint(2, 4))

    def _asked(self, passage: Passage, rng: random.Random, count: int) -> str:
        """A passage with `count` tasks, in most texts one or some of them asked before it, the others after."""
        asked = [each for task in rng.sample(TASKS, count) if (each := task(passage, rng))[1]]
        before = min(len(asked), rng.choice((0, 1, 1, 1, 2, 3)))
        if before > 1:
            blocks = [written_as_list(passage.text, asked[:before], rng)]
        else:
            blocks = [written_around(passage.text, asked[0], rng) if before else passage.text]
        blocks += [written(each, rng) for each in asked[before:]]
        return rng.choice(("\n", "\n", "\n\n")).join(blocks)

    def _task(self, rng: random.Random) -> str:
        """One question, its passage, its answer, and no more."""
        make = rng.choice((note, note, note, drug_paragraph, gene_paragraph))
        passage, asked = make(self.pool, rng, _share(rng)), ("", "")
        while not asked[1]:
            asked = rng.choice(TASKS)(passage, rng)
        return written_around(passage.text, asked, rng)

    def _screen(self, rng: random.Random) -> str:
        """One to five findings or claims to look for, then the note, then the verdicts.

        A question before its passage is the hard direction for a miniature: it must carry the name through
        the passage. Asked after the passage the same is learnt from far less text.
        """
        passage = note(self.pool, rng, _share(rng))
        while not {"present", "denied"} <= passage.said.keys():
            passage = note(self.pool, rng, _share(rng))
        asked = dict(rng.choice((presence, presence, claim))(passage, rng) for _ in range(rng.randint(1, 5)))
        if len(asked) == 1:
            return written_around(passage.text, *asked.items(), rng)
        return written_as_list(passage.text, list(asked.items()), rng)

    def _run(self, rng: random.Random) -> str:
        """Two or three short passages, each with the same task after it: what comes next is told by the first one."""
        task, seed = rng.choice(TASKS[:-1]), rng.random()
        make = rng.choice((note, note, drug_paragraph))
        blocks = []
        for _ in range(rng.randint(2, 3)):
            passage, same = make(self.pool, rng, _share(rng)), random.Random(seed)
            asked = task(passage, same)
            blocks.append(f"{passage.text}\n{written(asked, same)}" if asked[1] else passage.text)
        return "\n\n".join(blocks)

    def _fact(self, rng: random.Random) -> str:
        """Six true statements or questions about the table, closed book."""
        makers = (self._drug_fact, self._drug_fact, self._condition_fact, self._gene_fact, self._plain_fact)
        return rng.choice(("\n", " ")).join(rng.choice(makers)(rng) for _ in range(6))

    def _drug_fact(self, rng: random.Random) -> str:
        d = self.pool.drug(rng)
        slots = {
            "d": d.name,
            "D": sentence_case(d.name),
            "k": d.kind,
            "t": joined(list(d.treats), rng),
            "e": joined(list(d.effects), rng),
        }
        style = rng.randrange(3)
        if style == 0:
            return fill(
                "[{D} is classed as {k}|{D}: {k}|{D} treats {t}|{D} is used for {t}|{D} may cause {e}|{e} can follow {d}].",
                rng,
                **slots,
            )
        if style == 1:
            return written((fill("[What class is|What is the class of] {d}?", rng, **slots), d.kind), rng)
        return written((fill("[What is {d} for|What does {d} treat]?", rng, **slots), slots["t"]), rng)

    def _condition_fact(self, rng: random.Random) -> str:
        c = rng.choice(self.facts.conditions)
        drugs = [d.name for d in self.facts.drugs_for(c.name)] or ["supportive care"]
        slots = {"c": c.name, "C": sentence_case(c.name), "f": joined(list(c.findings), rng), "t": joined(list(c.tests), rng, "or"),
                 "p": c.plain, "s": c.specialty, "d": joined(rng.sample(drugs, min(3, len(drugs))), rng, "or")}  # fmt: skip
        return fill(
            "[{C} [shows itself by|causes|presents with] {f}|{C} is [confirmed|tested] by {t}|{C} is {p}|In plain words, {c} is {p}"
            "|{C} is [seen in|a matter of] {s}|{C} [can be|is] treated with {d}|Think of {c} when there is {f}].", rng, **slots)  # fmt: skip

    def _gene_fact(self, rng: random.Random) -> str:
        g = self.pool.gene(rng)
        return fill("[{g} encodes {p}|Variants in {g} cause {d}|{g} is linked to {d}|The gene of {d} is {g}].", rng,
                    g=g.symbol, p=g.product, d=joined(list(g.diseases), rng))  # fmt: skip

    def _plain_fact(self, rng: random.Random) -> str:
        term, words = rng.choice(list(plain_words().items()))
        return fill(
            "[{T} means {w}|{T} is {w}|In plain words, {t} is {w}|{t} = {w}].",
            rng,
            t=term,
            T=sentence_case(term),
            w=words,
        )

    def _copy(self, rng: random.Random) -> str:
        """A list of names, written again: in the same order, backwards, with numbers or one by one."""
        names = [self._name(rng) for _ in range(rng.randint(3, 9))]
        first = rng.choice((", ", "; ", "\n")).join(names)
        mark = rng.choice((", ", " ", "\n- ", "; "))
        again = {
            0: lambda: mark.join(names),
            1: lambda: mark.join(reversed(names)),
            2: lambda: "\n".join(f"{i}. {name}" for i, name in enumerate(names, 1)),
            3: lambda: "\n".join(f"after {a}: {b}" for a, b in pairwise(names)),
            4: lambda: mark.join(name for name in names for _ in range(2)),
        }[rng.randrange(5)]()
        return f"{first}\n{again}"

    def _name(self, rng: random.Random) -> str:
        make = rng.choice(
            (invented.drug, invented.condition, invented.finding, invented.test, invented.gene, None, None)
        )
        if make:
            return make(rng)
        real = (
            rng.choice(self.facts.conditions).name,
            rng.choice(self.facts.drugs).name,
            rng.choice(self.pool.findings),
        )
        return rng.choice(real)


def _share(rng: random.Random) -> float:
    """The share of invented names in one passage: none, some, or nearly all."""
    return rng.choice((0.0, 0.0, 0.3, 0.3, 0.9))
