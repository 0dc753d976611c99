"""What is looked at before a run: its rows made ready, and every reason not to start told in one sentence.

The data report and the run itself read their rows through here, so neither lets pass what the other refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.enums import Split
from db.settings import Settings
from db.tables import BaseModel
from db.train_spec import TrainSpec
from trainer import prompts
from trainer.data.encode import Row, Tick
from trainer.data.examples import Encoded
from trainer.data.prepare import prepare
from trainer.models import load

Rows = Mapping[Split, Sequence[Row]]


@dataclass(frozen=True)
class Data:
    """A run's rows as it would see them; none is longer than `longest` tokens."""

    train: Encoded
    validation: Encoded
    longest: int

    def describe(self) -> str:
        train, validation = self.train, self.validation
        return (
            f"{len(train.examples)} training rows, {train.tokens:,} tokens, {train.labelled_tokens:,} of "
            f"them answers; {len(validation.examples)} validation rows; left out: {train.too_long} longer "
            f"than {self.longest} tokens, {train.empty_answer} without an answer; cut: {train.cut}"
        )


def read(
    settings: Settings,
    base: BaseModel,
    tokenizer,
    rows: Rows,
    spec: TrainSpec,
    tick: Tick = lambda done, total: None,
) -> Data:
    """The rows, ready to be trained on, out of the cache where they were made ready before.

    `tick` is called now and then with rows done and rows in all, and may raise. Raises ValueError, one
    sentence, when the run cannot teach what it is meant to: nothing to learn from, rows beyond the base's
    context, a chat template that is not the playground's.
    """
    require_same_template(base, tokenizer, rows[Split.TRAIN])
    longest = min(spec.max_length, base.context_length or spec.max_length)
    cache_dir = settings.data_dir / "prepared"
    train, validation = (
        prepare(tokenizer, rows, split, spec, longest, cache_dir, tick)
        for split in (Split.TRAIN, Split.VALIDATION)
    )
    for encoded in (train, validation):
        _require_within_context(base, spec, encoded.lengths)
    _require_labels(train, longest, spec)
    return Data(train, validation, longest)


def require_same_template(base: BaseModel, tokenizer, rows: Sequence[Row]) -> None:
    """Raises ValueError unless a question is put in training as the model server would put it."""
    playground = load.load_tokenizer(base.location, base.revision)  # as trainer.serve does
    ours, theirs = load.template_hash(tokenizer), load.template_hash(playground)
    asked = [prompts.to_prompt(row.instruction, row.input) for row in rows[:1]]
    same_ids = all(
        prompts.encode(tokenizer, messages, for_answer=True)
        == prompts.encode(playground, messages, for_answer=True)
        for messages in asked
    )
    if ours != theirs or not same_ids:
        raise ValueError(
            f"base model: training would write questions with another chat template ({ours[:12]}) than the "
            f"playground ({theirs[:12]}), so the tuned model would not be asked as it was taught; "
            "restore the tokenizer files of the base and start again."
        )


def _require_within_context(base: BaseModel, spec: TrainSpec, lengths: np.ndarray) -> None:
    """No row that the settings let in may be longer than the base can read."""
    context = base.context_length
    if context is None or spec.max_length <= context:
        return
    let_in = lengths > context
    if spec.too_long == "drop":
        let_in &= lengths <= spec.max_length
    if let_in.any():
        count = int(let_in.sum())
        rows = "1 row is" if count == 1 else f"{count:,} rows are"
        raise ValueError(
            f"max length: {rows} longer than the {context:,} tokens this base can read, up to "
            f"{int(lengths[let_in].max()):,}; give {context:,}, and they are left out or cut."
        )


def _require_labels(train: Encoded, longest: int, spec: TrainSpec) -> None:
    """Raises ValueError when nothing is left to learn from, with the reasons."""
    if train.labelled_tokens:
        return
    if not train.found:
        raise ValueError("dataset: this version has no training rows; freeze one that has.")
    reasons = []
    if train.too_long:
        kept_off = "longer than" if spec.too_long == "drop" else "with their question alone not shorter than"
        reasons.append(f"{train.too_long} are {kept_off} {longest} tokens (raise the longest row)")
    if train.empty_answer:
        reasons.append(f"{train.empty_answer} have no answer (write one and freeze again)")
    raise ValueError(
        f"dataset: none of its {train.found} training rows can be used: {' and '.join(reasons)}."
    )
