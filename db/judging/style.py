"""Answers without their looks, so that a judge weighs what is said: judges favour headings, lists and bold.

Words, numbers and their order stay. What is taken out is markup, greetings at the start and offers of more
help at the end. "Certainly, ..." loses its first word, "Certainly not" does not.
"""

import re

_FENCE = re.compile(r"^[ \t]*(```|~~~)[^\n]*$", re.M)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.M)
_BULLET = re.compile(r"^[ \t]*[*+•–-][ \t]+", re.M)
_QUOTE = re.compile(r"^[ \t]*>[ \t]?", re.M)
_RULE = re.compile(r"^[ \t]*([-*_][ \t]*){3,}$", re.M)
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,2000}?)(?<=\S)\1", re.S)
_WEAK = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]{1,500}?)(?<=[^\s*_])\1(?![\w*])")
_CODE = re.compile(r"`([^`\n]{1,500})`")
_GREETING = re.compile(
    r"\A\s*(?:(?:sure|certainly|of course|absolutely|great question|hello|hi|hello there|hi there)[!,.:]\s*"
    r"|dear \w{1,30},\s*)+",
    re.I,
)
_OFFER = re.compile(
    r"\s*(?:i hope this helps|let me know if|feel free to|please let me know|if you have any (?:other|more"
    r"|further) questions)[^\n]{0,200}\Z",
    re.I,
)


def plain(answer: str) -> str:
    """The answer as plain running text; an answer that was only a greeting stays as it was."""
    text = _RULE.sub("", _FENCE.sub("", answer))
    for mark in (_HEADING, _QUOTE, _BULLET):
        text = mark.sub("", text)
    for mark in (_STRONG, _WEAK):
        text = mark.sub(r"\2", text)
    text = _OFFER.sub("", _GREETING.sub("", _CODE.sub(r"\1", text)))
    text = re.sub(r"[ \t]+", " ", re.sub(r"\s*\n\s*", "\n", text)).strip()
    return text or answer.strip()
