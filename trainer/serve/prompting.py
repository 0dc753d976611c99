"""Messages to token ids, and whether they fit, before a request takes its place in the queue.

Has tokenizers of its own: a fast tokenizer is not for two threads, and the generation thread has one.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from jinja2 import TemplateError
from transformers import AutoConfig, PretrainedConfig, PreTrainedTokenizerBase

from db.compare_spec import Sampling
from trainer import prompts
from trainer.models import load
from trainer.serve import adapters, asked, rows
from trainer.serve.asked import Asked
from trainer.serve.catalog import Target

_LONGEST_ANSWER = 4096  # tokens, when neither the request nor the context sets a limit

_one_at_a_time = threading.Lock()


def prepare(
    targets: Sequence[Target],
    messages: Sequence[Sequence[prompts.Message]],
    sampling: Sampling,
    *,
    fill: bool = False,
) -> Asked:
    """What is asked of `targets` (on one base), `messages` holding one list for all or one a target.

    With `fill` the answer may be as long as the context has room for, whatever `sampling` says.
    Raises ValueError with the field in front: the prompt too long for the model's context, messages its
    template refuses, or a model or adapter folder that is missing or damaged.
    """
    folders = [Path(target.adapter.path) for target in targets if target.adapter]
    for folder in folders:
        adapters.check_folder(folder)
    base = targets[0].base
    with _one_at_a_time:
        tokenizer, config = _reading(base.location, base.revision)
        encoded = [_encode(tokenizer, each) for each in messages]
    context = getattr(config.get_text_config(), "max_position_embeddings", None)
    room = min(_room(len(ids), context, None if fill else sampling.max_tokens) for ids in encoded)
    mixes = len(encoded) == 1 or all(ids == encoded[0] for ids in encoded)
    mixes = mixes and rows.base_mixes(config) and all(adapters.mixes(folder) for folder in folders)
    return asked.of(
        targets,
        encoded * len(targets) if len(encoded) == 1 else encoded,
        replace(sampling, max_tokens=room),
        "one" if mixes else "alternating",
    )


def _encode(tokenizer: PreTrainedTokenizerBase, messages: Sequence[prompts.Message]) -> list[int]:
    try:
        return prompts.encode(tokenizer, messages, for_answer=True)
    except TemplateError as error:
        raise ValueError(f"messages: the model's chat template refuses them ({error}).") from error


def _room(length: int, context: int | None, max_tokens: int | None) -> int:
    """How many tokens the answer to a prompt of that length may have; `max_tokens` None: what is left."""
    if context is None:
        return max_tokens or _LONGEST_ANSWER
    longest = context - (max_tokens or 1)
    if length > longest:
        raise ValueError(
            f"prompt: it is {length:,} tokens long and {max(longest, 0):,} fit (the model takes {context:,}, "
            f"{max_tokens or 1:,} are for the answer); shorten it or allow a shorter answer."
        )
    return max_tokens or min(context - length, _LONGEST_ANSWER)


@lru_cache(maxsize=4)
def _reading(location: str, revision: str) -> tuple[PreTrainedTokenizerBase, PretrainedConfig]:
    """The tokenizer and the config of a base."""
    tokenizer = load.load_tokenizer(location, revision)
    try:
        config = AutoConfig.from_pretrained(location, revision=revision or None, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"base model: the config of {location} cannot be read; restore its folder."
        ) from error
    return tokenizer, config
