"""Messages to token ids, and whether they fit, before a request takes its place in the queue.

Has tokenizers of its own: a fast tokenizer is not for two threads, and the generation thread has one.
"""

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import TemplateError
from transformers import AutoConfig

from trainer import prompts
from trainer.models import load
from trainer.serve import adapters
from trainer.serve.catalog import Target

_LONGEST_ANSWER = 4096  # tokens, when neither the request nor the context sets a limit

_one_at_a_time = threading.Lock()


def prepare(
    target: Target, messages: Sequence[prompts.Message], max_tokens: int | None
) -> tuple[list[int], int]:
    """The prompt's token ids, and how many tokens the answer may have (`max_tokens`, or what is left).

    Raises ValueError with the field in front: the prompt too long for the model's context, messages its
    template refuses, or a model or adapter folder that is missing or damaged.
    """
    if target.adapter:
        adapters.check_folder(Path(target.adapter.path))
    with _one_at_a_time:
        tokenizer, context = _reading(target.base.location, target.base.revision)
        try:
            prompt_ids = prompts.encode(tokenizer, messages, for_answer=True)
        except TemplateError as error:
            raise ValueError(f"messages: the model's chat template refuses them ({error}).") from error
    return prompt_ids, _room(len(prompt_ids), context, max_tokens)


def _room(length: int, context: int | None, max_tokens: int | None) -> int:
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
def _reading(location: str, revision: str):
    """The tokenizer of a base, and its context length in tokens (None when the config does not say)."""
    tokenizer = load.load_tokenizer(location, revision)
    try:
        config = AutoConfig.from_pretrained(location, revision=revision or None, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"base model: the config of {location} cannot be read; restore its folder."
        ) from error
    return tokenizer, getattr(config.get_text_config(), "max_position_embeddings", None)
