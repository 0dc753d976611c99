"""Scores as Llama2-MedTuned's published scripts count them (Rohanian et al. 2024), faults included.

They stand beside the strict scores so that a figure can be held against the paper's table, and are no measure
of anything else. Their faults, each of which this module repeats:

NER
- The answer's lines are kept by the token's word, so a word that occurs twice has one tag, the last one
  given, at its first place. Of NCBI-disease's validation split an eighth of the gold tokens is lost so.
- A line is split at each colon and the second part is the tag: a token with a colon in it has none, and lines
  of tokens that are a colon are lost.
- A token without a tag, and a tag other than O, B and I, is O. With several types (`B-Disease`) all is O.
- seqeval's default mode: an I without a B begins a mention.

RE
- The first label of the set that occurs anywhere in the answer counts, in no order that was laid down (a
  Python set's): a label within another's name, or denied, counts as well.
- An answer with no label is passed over, and every later one is held against the gold of the row before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from db.corpora.forms.prediction import Tally
from db.metrics.answers import tallied

_TAGS = ("O", "B", "I")


def ner(answer: str, gold: str) -> dict[str, float]:
    """`paper_right`, `paper_wrong`, `paper_missed` of an answer of `token : TAG` lines against the gold's."""
    said, true = tags_of(answer.split("###")[0]), tags_of(gold)
    theirs = mentions([tag if tag in _TAGS else "O" for tag in true.values()])
    found = [said.get(token, "O") for token in true]
    ours = mentions([tag if tag in _TAGS else "O" for tag in found])
    return tallied("paper", Tally(len(ours & theirs), len(ours - theirs), len(theirs - ours)))


def tags_of(lines: str) -> dict[str, str]:
    """The tag of each word, in the order the words first occur; the last tag given to a word stays."""
    tags: dict[str, str] = {}
    for line in lines.strip().split("\n"):
        token, *rest = line.split(":")
        if rest:
            tags[token.strip()] = rest[0].strip()
    return tags


def mentions(tags: Sequence[str]) -> set[tuple[int, int]]:
    """(first, last) of each mention, as seqeval's default mode reads B, I and O."""
    found: list[list[int]] = []
    before = "O"
    for place, tag in enumerate(tags):
        if tag == "B" or (tag == "I" and before == "O"):
            found.append([place, place])
        elif tag == "I":
            found[-1][1] = place
        before = tag
    return {(first, last) for first, last in found}


@dataclass(frozen=True)
class Relations:
    """What the paper's scorer makes of a corpus of relation answers."""

    f1: float | None  # micro F1, which of one label a row is accuracy; None where nothing could be compared
    compared: int  # pairs of an answer and a gold, from the beginning
    skipped: int  # answers in which no label was found
    out_of_line: int  # compared answers that were held against another row's gold


def relations(answers: Sequence[str], gold: Sequence[str]) -> Relations:
    """All answers of a corpus, in its order, against all gold codes.

    The labels are tried in the order in which they first occur in the gold: theirs is not laid down.
    """
    labels = list(dict.fromkeys(gold))
    found = []
    for row, answer in enumerate(answers):
        body = answer.strip().replace("\n", "").strip()
        label = next((label for label in labels if label in body), None)
        if label is not None:
            found.append((row, label))
    pairs = list(zip(found, gold, strict=False))
    right = sum(label == true for (_, label), true in pairs)
    out_of_line = sum(row != place for place, (row, _) in enumerate(found[: len(pairs)]))
    f1 = right / len(pairs) if pairs else None
    return Relations(f1, len(pairs), len(answers) - len(found), out_of_line)
