"""The calls of a run: what each shows and asks, worked out from its number alone."""

import math
from collections.abc import Sequence

from db.generate_spec import GenerateSpec
from db.generating import draws, prompts
from db.generating.draws import Seed
from db.generating.prompts import Aim, Mode, PromptTemplate, Request
from db.generating.targets import Target, read_shares, targets_of

BYTES_A_TOKEN = 3.0  # English prose has some 4: an estimate of tokens that is rather too high
_TOKENS_A_MESSAGE = 8


def seeds_of(spec: GenerateSpec, pool: Sequence[Seed], number: int) -> tuple[Seed, ...]:
    """The seeds that call `number` shows."""
    return draws.draw(spec.seed, number, pool, k=spec.seeds_per_call, by_category=spec.by_category)


def request_of(spec: GenerateSpec, template: PromptTemplate, shown: Sequence[Seed], number: int) -> Request:
    """The request of call `number`: in every mode but grow the first seed drawn is what is worked on."""
    n, mode = spec.per_call, template.mode
    if mode is Mode.GROW:
        return prompts.build(template, shown, n=n, targets=_targets(spec, number))
    first, others = shown[0], shown[1:]
    if mode is Mode.FROM_PASSAGE:
        targets = _targets(spec, number)
        return prompts.build(template, others, n=n, targets=targets, passage=first.content.input)
    return prompts.build(template, others, n=n, parent=first, aim=Aim(spec.aim))


def wanted_of(spec: GenerateSpec, template: PromptTemplate) -> int:
    """How many records a call asks for."""
    return 1 if template.mode is Mode.ANSWER_ONLY else spec.per_call


def parent_of(template: PromptTemplate, shown: Sequence[Seed]) -> int | None:
    """The record that new ones are versions of: the first one drawn, where the mode has parents."""
    return shown[0].id if template.mode in (Mode.EVOLVE, Mode.ANSWER_ONLY) else None


def most_tokens(*texts: str) -> int:
    """About how many tokens these messages have, rather too many: for whom no endpoint has told."""
    return sum(math.ceil(len(text.encode()) / BYTES_A_TOKEN) + _TOKENS_A_MESSAGE for text in texts)


def _targets(spec: GenerateSpec, number: int) -> tuple[Target, ...]:
    shares = read_shares(spec.shares)
    return targets_of(spec.seed, number, spec.per_call, shares) if shares else ()
