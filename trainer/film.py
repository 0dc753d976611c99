"""Answers to the same few prompts every so often: how the model in training comes to speak, as a film strip.

Greedy and short, through the template of the training rows. Looking draws no random number, so a run ends
with the same weights whether it is filmed or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from db.tables import DatasetRow
from db.train_spec import TrainSpec
from trainer import prompts
from trainer.models import attention, precision
from trainer.models.tuning import Tuning
from trainer.serve.holding import end_ids

TOKENS = 128  # of an answer
ROWS = 3  # of the validation split, where no prompts are given


@dataclass(frozen=True)
class Prompt:
    text: str  # as people see it
    ids: list[int]


class Film:
    """Answers its prompts with the model as it is; every process of a run that is split has to ask."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ready: Tuning, asked: Sequence[Prompt]) -> None:
        self.asked = asked
        self._ready = ready
        room = ready.base.config.get_text_config().max_position_embeddings or 0
        longest = max((len(prompt.ids) for prompt in asked), default=0)
        self._settings = GenerationConfig(
            do_sample=False,
            max_new_tokens=min(TOKENS, room - longest) if room else TOKENS,
            eos_token_id=sorted(end_ids(ready.base, tokenizer)),
            pad_token_id=tokenizer.pad_token_id,
            use_cache=True,
        )
        self._tokenizer = tokenizer

    @torch.no_grad()
    def shoot(self, model: torch.nn.Module) -> list[str]:
        """An answer to each prompt."""
        batch = self._batch()
        model.eval()
        with (
            torch.random.fork_rng(),
            attention.padded(self._ready.base),
            precision.autocast(self._ready.device, self._ready.dtype),
        ):
            ids = model.generate(**batch, generation_config=self._settings)
        model.train()
        answers = ids[:, batch["input_ids"].shape[1] :]
        return [text.strip() for text in self._tokenizer.batch_decode(answers, skip_special_tokens=True)]

    def _batch(self) -> dict[str, torch.Tensor]:
        """input_ids, attention_mask (B, T), filled up on the left."""
        width = max(len(prompt.ids) for prompt in self.asked)
        ids = torch.full((len(self.asked), width), self._tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(self.asked):
            ids[row, width - len(prompt.ids) :] = torch.tensor(prompt.ids)
            mask[row, width - len(prompt.ids) :] = 1
        return {"input_ids": ids.to(self._ready.device), "attention_mask": mask.to(self._ready.device)}


def choose(
    tokenizer: PreTrainedTokenizerBase, spec: TrainSpec, validation: Sequence[DatasetRow], room: int | None
) -> list[Prompt]:
    """The prompts of a run: those of its settings, else the first validation rows; none for one not filmed.

    `room` is what the base can take in, in tokens. Raises ValueError naming "sample prompts".
    """
    if not spec.sample_every:
        return []
    if spec.sample_prompts:
        asked = [_encode(tokenizer, text) for text in spec.sample_prompts]
    else:
        asked = [
            _encode(tokenizer, prompts.user_text(row.instruction, row.input)) for row in validation[:ROWS]
        ]
    if not asked:
        raise ValueError(
            "sample prompts: there are no validation rows to take them from; write one, or sample never (0)."
        )
    for number, prompt in enumerate(asked, 1):
        if room is not None and len(prompt.ids) >= room:
            raise ValueError(
                f"sample prompts: number {number} is {len(prompt.ids)} tokens long and the base takes in "
                f"{room}, its answer included; shorten it."
            )
    return asked


def _encode(tokenizer: PreTrainedTokenizerBase, text: str) -> Prompt:
    return Prompt(text, prompts.encode(tokenizer, prompts.to_prompt(text), for_answer=True))
