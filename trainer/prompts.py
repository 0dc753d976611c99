"""A row as a chat: the one place that says how instruction, input and output become messages and token ids.

It knows tokenizers that have a chat template (`trainer.models.load.load_tokenizer` makes sure of one); it
knows nothing of models, masks or the database.
"""

from collections.abc import Sequence
from typing import TypedDict

# Models that can think aloud first (Qwen 3) are tuned and asked without it; others ignore the switch.
TEMPLATE_SWITCHES = {"enable_thinking": False}


class Message(TypedDict):
    role: str
    content: str


def user_text(instruction: str, input: str = "") -> str:
    """What the user says: the instruction, a blank line, the input if there is one."""
    return f"{instruction}\n\n{input}" if input else instruction


def to_prompt(instruction: str, input: str = "") -> list[Message]:
    """The messages before the answer."""
    return [{"role": "user", "content": user_text(instruction, input)}]


def to_chat(instruction: str, input: str, output: str) -> list[Message]:
    """The messages with the answer."""
    return [*to_prompt(instruction, input), {"role": "assistant", "content": output}]


def render(tokenizer, chats: Sequence[Sequence[Message]], *, for_answer: bool) -> list[str]:
    """Each chat as text through the chat template. It does not tell control tokens typed inside a message."""
    return tokenizer.apply_chat_template(
        [list(messages) for messages in chats],
        add_generation_prompt=for_answer,
        tokenize=False,
        **TEMPLATE_SWITCHES,
    )


def encode(tokenizer, messages: Sequence[Message], *, for_answer: bool) -> list[int]:
    """Token ids of `messages` through the chat template, special tokens included.

    With `for_answer` the ids end where the assistant's answer begins. Control tokens typed inside a message
    ("<|im_end|>") are encoded as ordinary text: only the template may write real ones.
    """
    encoded = tokenizer.apply_chat_template(
        list(messages),
        add_generation_prompt=for_answer,
        tokenize=True,
        return_dict=True,
        sanitize_control_tokens=True,
        **TEMPLATE_SWITCHES,
    )
    return list(encoded["input_ids"])
