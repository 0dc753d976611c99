"""Rows to token ids with the loss on the answer alone.

Where the answer begins is found by comparing ids: the prompt rendered alone must be how the whole chat
begins. It knows tokenizers and prompts; nothing of models, batches or the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from trainer import prompts

# A tokenizer may join the last character of the prompt with the first of the answer into one token.
_JOINED_AT_MOST = 2


class Row(Protocol):
    instruction: str
    input: str
    output: str


class Example(NamedTuple):
    """`ids[answer_start:]` is the answer with its end token; `answer_start` is at least 1."""

    ids: list[int]
    answer_start: int


@dataclass
class Encoded:
    """The rows that can be trained on, and why the others cannot."""

    examples: list[Example] = field(default_factory=list)
    too_long: int = 0
    empty_answer: int = 0

    @property
    def tokens(self) -> int:
        return sum(len(example.ids) for example in self.examples)

    @property
    def labelled_tokens(self) -> int:
        return sum(len(example.ids) - example.answer_start for example in self.examples)


def encode_rows(tokenizer, rows: Iterable[Row], max_length: int) -> Encoded:
    """Encode each row; one without an answer, or longer than `max_length` tokens, is counted and left out."""
    encoded = Encoded()
    for row in rows:
        if not row.output.strip():
            encoded.empty_answer += 1
            continue
        example = encode_row(tokenizer, row)
        if len(example.ids) > max_length:
            encoded.too_long += 1
        else:
            encoded.examples.append(example)
    return encoded


def encode_row(tokenizer, row: Row) -> Example:
    """One row. Raises ValueError when its answer cannot be told from its question."""
    prompt = prompts.encode(tokenizer, prompts.to_prompt(row.instruction, row.input), for_answer=True)
    chat = prompts.encode(
        tokenizer, prompts.to_chat(row.instruction, row.input, row.output), for_answer=False
    )
    start = common_prefix(prompt, chat)
    if start < max(1, len(prompt) - _JOINED_AT_MOST) or start == len(chat):
        raise ValueError(
            "base model: its chat template writes the question differently once the answer follows, so the "
            "loss cannot be kept to the answer; use another base, or remove its template to get a plain one."
        )
    return Example(_cut_behind_end(chat, start, tokenizer.eos_token_id), start)


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading ids both share."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))


def _cut_behind_end(ids: list[int], start: int, end_token: int) -> list[int]:
    """Drop what the template writes behind the answer's last end token, such as a newline."""
    for index in range(len(ids) - 1, start - 1, -1):
        if ids[index] == end_token:
            return ids[: index + 1]
    return ids
