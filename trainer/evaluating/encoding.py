"""A task's rows as token ids: the examples as earlier turns, the question, and, by likelihood, each answer.

Every model's rows go through its base's chat template, tuned or not. It knows tokenizers and prompts; nothing
of models, batches or the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainer import prompts
from trainer.data.encode import common_prefix, control_tokens
from trainer.prompts import Message

Question = tuple[str, str]  # instruction, input


@dataclass(frozen=True)
class Answers:
    """A question and answers to it: `sequences[i]` is both, and the answer's tokens begin at `starts[i]`."""

    sequences: tuple[list[int], ...]
    starts: tuple[int, ...]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each answer."""
        return [len(ids) - start for ids, start in zip(self.sequences, self.starts, strict=True)]


class Encoder:
    """Encodes the rows of one task with one tokenizer.

    `examples` ({instruction, input, output}) stand before every question. Raises ValueError, one sentence
    that begins "base model:", for a chat template that writes no answers.
    """

    def __init__(self, tokenizer, examples: Sequence[Mapping[str, str]] = ()) -> None:
        self._tokenizer = tokenizer
        self._control = control_tokens(tokenizer)
        self._before: list[Message] = [
            message
            for example in examples
            for message in prompts.to_chat(
                example["instruction"], example.get("input", ""), example["output"]
            )
        ]
        self._tail = self._behind_an_answer()
        self._known: dict[str, list[int]] = {}
        self._joins: bool | None = None

    def questions(self, asked: Sequence[Question]) -> list[list[int]]:
        """Token ids up to where the assistant's answer begins."""
        return self._encode([self._chat(question) for question in asked], for_answer=True)

    def answers(self, question: Question, prompt: list[int], texts: Sequence[str]) -> Answers:
        """Each text as the answer to `question`, whose ids are `prompt`; without what ends an answer."""
        if self._joins is None:
            self._joins = self._answer_depends_on_question(question, prompt, texts[0])
        if self._joins:
            return self._answers_in_place(question, prompt, texts)
        self._learn(texts)
        if not all(self._known[text] for text in texts):
            raise ValueError("task: an answer to choose from is empty; mend its row and freeze it again.")
        return Answers(tuple(prompt + self._known[text] for text in texts), (len(prompt),) * len(texts))

    def _learn(self, texts: Sequence[str]) -> None:
        """Encode answers behind a short question; what they are called there they are called anywhere."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        [prompt] = self._encode([prompts.to_prompt("a")], for_answer=True)
        chats = self._encode([prompts.to_chat("a", "", text) for text in new], for_answer=False)
        for text, ids in zip(new, chats, strict=True):
            self._known[text] = self._cut(ids)[len(prompt) :]

    def _answer_depends_on_question(self, question: Question, prompt: list[int], text: str) -> bool:
        """True where the tokenizer joins question and answer, or the template writes one by the other."""
        [short] = self._encode([prompts.to_prompt("a")], for_answer=True)
        [chat] = self._encode([prompts.to_chat("a", "", text)], for_answer=False)
        if chat[: len(short)] != short:
            return True
        self._learn([text])
        return self._answers_in_place(question, prompt, [text]).sequences[0] != prompt + self._known[text]

    def _answers_in_place(self, question: Question, prompt: list[int], texts: Sequence[str]) -> Answers:
        chats = [[*self._chat(question), Message(role="assistant", content=text)] for text in texts]
        sequences = [self._cut(ids) for ids in self._encode(chats, for_answer=False)]
        starts = [max(1, min(common_prefix(prompt, ids), len(ids) - 1)) for ids in sequences]
        return Answers(tuple(sequences), tuple(starts))

    def _cut(self, ids: list[int]) -> list[int]:
        """Without what the template writes behind an answer."""
        return (
            ids[: len(ids) - len(self._tail)] if self._tail and ids[-len(self._tail) :] == self._tail else ids
        )

    def _behind_an_answer(self) -> list[int]:
        one, other = self._encode(
            [prompts.to_chat("a", "", "yes"), prompts.to_chat("a", "", "17")], for_answer=False
        )
        if one == other:
            raise ValueError(
                "base model: its chat template leaves the answer out, so no answer can be scored; use "
                "another base, or remove its template to get a plain one."
            )
        shared = common_prefix(one[::-1], other[::-1])
        return one[len(one) - shared :]

    def _chat(self, question: Question) -> list[Message]:
        return [*self._before, *prompts.to_prompt(*question)]

    def _encode(self, chats: Sequence[Sequence[Message]], *, for_answer: bool) -> list[list[int]]:
        """As `prompts.encode` does one by one; all at once where no text looks like a control token."""
        if not self._tokenizer.is_fast:
            return [prompts.encode(self._tokenizer, chat, for_answer=for_answer) for chat in chats]
        plain = [not any(self._control.search(message["content"]) for message in chat) for chat in chats]
        texts = [chat for chat, is_plain in zip(chats, plain, strict=True) if is_plain]
        together = iter(
            self._tokenise(prompts.render(self._tokenizer, texts, for_answer=for_answer)) if texts else ()
        )
        return [
            next(together) if is_plain else prompts.encode(self._tokenizer, chat, for_answer=for_answer)
            for chat, is_plain in zip(chats, plain, strict=True)
        ]

    def _tokenise(self, texts: list[str]) -> list[list[int]]:
        encoded = self._tokenizer(
            texts,
            add_special_tokens=False,  # the template has written them
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return encoded["input_ids"]


def shared_beginning(prompts_: Sequence[Sequence[int]]) -> list[int]:
    """The ids that all of them begin with; one token at least is left to each."""
    if not prompts_:
        return []
    first, last = min(prompts_), max(prompts_)
    shortest = min(map(len, prompts_))
    return list(first[: min(common_prefix(first, last), shortest - 1)])
