"""Faults of a text that a person would want to hear of while writing. Advice, never a refusal."""

import re

from db.content import Content

_MODEL_VOICE = re.compile(r"\bas an? (ai|artificial intelligence|(large )?language model)\b", re.IGNORECASE)
_TEMPLATE = re.compile(r"<\|[^|>\n]{1,40}\|>|\[/?INST\]|###\s*(Instruction|Response)|\{\{.*?\}\}")
_POINTS_AT_INPUT = re.compile(
    r"\b(following|below|given|provided|this|attached) "
    r"(passage|text|note|report|abstract|dialogue|case|vignette|table|sentence|list|letter|summary)\b",
    re.IGNORECASE,
)
_ENDS_OPEN = re.compile(r"[,;(\[–-]$")


def advise(content: Content) -> list[str]:
    """One sentence for each fault found, the field first."""
    found = []
    if not content.output:
        found.append("output: still empty. Write the answer a careful expert would give.")
    elif content.output.casefold() == content.input.casefold():
        found.append("output: repeats the input word for word.")
    if not content.input and _POINTS_AT_INPUT.search(content.instruction):
        found.append("input: empty, though the instruction points at a text. Paste the passage it speaks of.")
    if len(content.instruction.split()) < 3:
        found.append("instruction: very short. Say who asks, for what, and in which form.")
    if _ENDS_OPEN.search(content.output):
        found.append("output: ends in the middle of a sentence.")
    if _MODEL_VOICE.search(content.output):
        found.append("output: speaks as a model. Write as the expert would.")
    for field in ("instruction", "input", "output"):
        if _TEMPLATE.search(getattr(content, field)):
            found.append(f"{field}: holds chat-template markers, which would confuse training. Remove them.")
    if not content.task:
        found.append("task: name the task, such as named_entity_recognition.")
    return found
