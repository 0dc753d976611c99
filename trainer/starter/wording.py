"""A tiny template language: `[a|b]` picks one wording, `{slot}` puts a value in, lists are joined with "and".

It knows nothing of medicine. All chance comes from the `random.Random` passed in, so text is repeatable.
"""

import random
import re

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


def fill(template: str, rng: random.Random, **slots: object) -> str:
    """fill("[Start|Begin] {drug}.", rng, drug="aspirin") -> "Begin aspirin." Choices may nest."""
    return chosen(template, rng).format(**slots)


def chosen(template: str, rng: random.Random) -> str:
    """chosen("[Start|Begin] {drug}.", rng) -> "Begin {drug}." """
    while "[" in template:
        template = _CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), template)
    return template


def joined(items: list[str], rng: random.Random, last: str = "and") -> str:
    """["a", "b", "c"] -> "a, b and c" or "a, b, and c"."""
    if len(items) < 2:
        return "".join(items)
    comma = "," if len(items) > 2 and rng.random() < 0.5 else ""
    return f"{', '.join(items[:-1])}{comma} {last} {items[-1]}"


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def with_article(age: int) -> str:
    """82 -> "an 82-year-old"."""
    return f"{'an' if age in (8, 11, 18) or 80 <= age < 90 else 'a'} {age}-year-old"
