"""Conversations and records: one question and one answer are a record; what is more is said.

Messages hold role and content, ShareGPT from and value. The first turn of the user becomes the instruction,
the last one of the assistant the output. An input goes out behind the instruction, as trainers read it, and
once more by itself, so that it can be told from the instruction when it comes back.
"""

from dataclasses import dataclass

_ROLES = {
    "user": "User", "human": "User", "prompter": "User",
    "assistant": "Assistant", "gpt": "Assistant", "bot": "Assistant", "model": "Assistant",
    "chatgpt": "Assistant", "system": "System", "developer": "System",
}  # fmt: skip
BETWEEN = "\n\n"


@dataclass(frozen=True)
class Taken:
    """What a conversation gives: fields of a record, and whether a system message stood before it."""

    fields: dict[str, str]
    has_system: bool


def is_conversation(value: object) -> bool:
    """True for a list of turns in either form."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)
    )


def take(turns: object, given_input: str, *, flatten: bool, keep_system: bool) -> Taken:
    """The fields of a record.

    Longer conversations are refused, or with `flatten` the turns between the first and the last are written
    out in the input. A system message is left out, or with `keep_system` put before the instruction.
    Raises ValueError naming the conversation.
    """
    spoken = _spoken(turns)
    system = BETWEEN.join(text for role, text in spoken if role == "System")
    turns = [turn for turn in spoken if turn[0] != "System"]
    if not turns or turns[0][0] != "User":
        raise ValueError("conversation: it does not open with the user; put the question first.")
    instruction, between = turns[0][1], turns[1:-1]
    if given_input and instruction.endswith(BETWEEN + given_input):
        instruction = instruction.removesuffix(BETWEEN + given_input)
    if len(turns) > 1 and turns[-1][0] != "Assistant":
        raise ValueError("conversation: it does not end with the assistant; end it with the answer.")
    if between and not flatten:
        raise ValueError(
            f"conversation: {len(turns)} turns; a record is one question and one answer. "
            "Split it, or choose to write the turns between into the input."
        )
    if keep_system and system:
        instruction = system + BETWEEN + instruction
    written = BETWEEN.join(f"{role}: {text}" for role, text in between)
    input_text = BETWEEN.join(part for part in (given_input, written) if part)
    output = turns[-1][1] if len(turns) > 1 else ""
    return Taken({"instruction": instruction, "input": input_text, "output": output}, bool(system))


def as_turns(row: dict, *, role: str, text: str, user: str, assistant: str) -> list[dict[str, str]]:
    """The record as turns whose keys are `role` and `text`."""
    asked = BETWEEN.join(part for part in (row["instruction"], row["input"]) if part)
    turns = [{role: user, text: asked}]
    return [*turns, {role: assistant, text: row["output"]}] if row["output"] else turns


def _spoken(turns: object) -> list[tuple[str, str]]:
    if not is_conversation(turns):
        raise ValueError("conversation: it is not a list of turns with role and content.")
    return [(_role(turn), _text(turn)) for turn in turns]


def _role(turn: dict) -> str:
    role = turn.get("role") or turn.get("from")
    if not isinstance(role, str) or role.lower() not in _ROLES:
        raise ValueError(
            "conversation: a turn is neither the user's, the assistant's nor the system's; remove it."
        )
    return _ROLES[role.lower()]


def _text(turn: dict) -> str:
    text = turn.get("content", turn.get("value"))
    if isinstance(text, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in text):
        text = "".join(part["text"] for part in text)
    if not isinstance(text, str):
        raise ValueError("conversation: a turn is not text; remove pictures, calls and files.")
    return text
