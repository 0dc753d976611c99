"""Strict NER F1 of the studio's against nervaluate's and seqeval's on the NCBI-disease test set.

The predictions are the gold with planted errors: boundaries moved, mentions dropped, mentions added, types
swapped. They are written as answers, read by the studio's parser and counted on characters of the text; the
other two count tags of tokens. A second set also has an I that continues nothing, which seqeval's strict
mode passes over as the studio does, and which nervaluate takes for a mention: it is held against seqeval
alone. The paper-compatible score is held against seqeval's default mode on the tags that the paper's script
would give.
"""

import json
import random
import sys
import warnings
from collections.abc import Sequence

from db.corpora.forms.form import Label
from db.corpora.forms.token_tags import TokenTags
from db.corpora.readers import read
from db.corpora.schema import KbRow
from db.metrics import paper, spans
from db.metrics.measures import columns_of, get
from tests.corpora import corpora_folder

TYPES = ("Disease", "Chemical")
ONE = TokenTags((Label("Disease"),))
BOTH = TokenTags(tuple(Label(type) for type in TYPES))
PLANTED = 0.4  # share of the mentions with an error
CLOSE = 1e-12


def main(argv: list[str]) -> None:
    if argv:
        sys.exit("ner_scores takes no options.")
    rows = _rows()
    lines = figures(rows)
    print(f"{len(rows):,} sentences, {sum(len(row.entities) for row in rows):,} mentions\n")
    print(f"{'predictions':<18} {'held against':<32} {'ours':>8} {'theirs':>8}")
    for said, against, ours, theirs in lines:
        print(f"{said:<18} {against:<32} {ours:8.4f} {theirs:8.4f}")
    print(json.dumps({"ner_equal": _equal(lines)}))


def ner_equal() -> bool:
    """Whether all scores are the same. Raises FileNotFoundError without the corpus."""
    return _equal(figures(_rows()))


def figures(rows: Sequence[KbRow]) -> list[tuple[str, str, float, float]]:
    """(predictions, theirs, F1 of ours, F1 of theirs)."""
    gold = [gold_tags(row) for row in rows]
    planted = [plant(tags, random.Random(place)) for place, tags in enumerate(gold)]
    broken = [break_up(tags, random.Random(place)) for place, tags in enumerate(planted)]
    ours, of_broken = ours_strict(rows, planted), ours_strict(rows, broken)
    single = [[tag.replace("Chemical", "Disease") for tag in tags] for tags in broken]
    of_paper = ours_paper(rows, single)
    return [
        ("planted errors", "nervaluate, strict", ours, nervaluate_strict(gold, planted)),
        ("planted errors", "seqeval, strict, IOB2", ours, seqeval_f1(gold, planted, strict=True)),
        ("and broken tags", "seqeval, strict, IOB2", of_broken, seqeval_f1(gold, broken, strict=True)),
        ("and broken tags", "seqeval, default, as the paper", of_paper, paper_seqeval(rows, single)),
    ]


def gold_tags(row: KbRow) -> list[str]:
    return [tag if tag == "O" else f"{tag[0]}-Disease" for tag in ONE.gold(row).tags]


def plant(tags: Sequence[str], dice: random.Random) -> list[str]:
    """The tags with errors: a mention may move a boundary, be dropped or change its type; some are added."""
    found = mentions(tags)
    said = []
    for first, last, type in found:
        if dice.random() > PLANTED:
            said.append((first, last, type))
            continue
        error = dice.choice(("shorter", "longer", "earlier", "dropped", "type"))
        if error == "shorter" and last > first:
            said.append((first, last - 1, type))
        elif error == "longer" and last + 1 < len(tags) and tags[last + 1] == "O":
            said.append((first, last + 1, type))
        elif error == "earlier" and first and tags[first - 1] == "O":
            said.append((first - 1, last, type))
        elif error == "type":
            said.append((first, last, "Chemical"))
    free = [place for place in range(len(tags)) if not any(a - 1 <= place <= b + 1 for a, b, _ in found)]
    if free and dice.random() < PLANTED:
        place = dice.choice(free)
        said.append((place, place, dice.choice(TYPES)))
    return written(sorted(set(said)), len(tags))


def break_up(tags: Sequence[str], dice: random.Random) -> list[str]:
    """The tags with some B written as I, which then continues nothing or another mention."""
    return [
        tag.replace("B-", "I-") if tag.startswith("B-") and dice.random() < PLANTED / 2 else tag
        for tag in tags
    ]


def mentions(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first, last, type) of well-formed tags."""
    found: list[list] = []
    for place, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append([place, place, tag[2:]])
        elif tag.startswith("I-"):
            found[-1][1] = place
    return [(first, last, type) for first, last, type in found]


def written(said: Sequence[tuple[int, int, str]], length: int) -> list[str]:
    """Tags of mentions; of two that meet, the later keeps the tokens."""
    tags = ["O"] * length
    for first, last, type in said:
        tags[first : last + 1] = [f"B-{type}"] + [f"I-{type}"] * (last - first)
    return _mended(tags)


def answer(row: KbRow, tags: Sequence[str]) -> str:
    """The tags as a model would write them."""
    return "\n".join(f"{row.text[a:b]} : {tag}" for (a, b), tag in zip(row.tokens, tags, strict=True))


def ours_strict(rows: Sequence[KbRow], said: Sequence[Sequence[str]]) -> float:
    counts = [
        spans.count(BOTH.parse(answer(row, tags), row), BOTH.gold(row))
        for row, tags in zip(rows, said, strict=True)
    ]
    measure = get("strict_f1")
    return float(measure.of(columns_of(measure, counts).sum(0)))


def ours_paper(rows: Sequence[KbRow], said: Sequence[Sequence[str]]) -> float:
    counts = [
        paper.ner(answer(row, [tag[0] for tag in tags]), ONE.write(row))
        for row, tags in zip(rows, said, strict=True)
    ]
    measure = get("paper_f1")
    return float(measure.of(columns_of(measure, counts).sum(0)))


def nervaluate_strict(gold: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> float:
    from nervaluate.evaluator import Evaluator

    results = Evaluator(list(gold), list(said), tags=list(TYPES), loader="list").evaluate()
    return float(results["overall"]["strict"].f1)


def seqeval_f1(gold: Sequence[Sequence[str]], said: Sequence[Sequence[str]], *, strict: bool) -> float:
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    settings = {"mode": "strict", "scheme": IOB2} if strict else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tags without a type
        return float(f1_score([list(tags) for tags in gold], [list(tags) for tags in said], **settings))


def paper_seqeval(rows: Sequence[KbRow], said: Sequence[Sequence[str]]) -> float:
    """seqeval's own reading of the tags that are left when each word has one."""
    gold, left = [], []
    for row, tags in zip(rows, said, strict=True):
        true, ours = paper.tags_of(ONE.write(row)), paper.tags_of(answer(row, [tag[0] for tag in tags]))
        gold.append([tag if tag in ("B", "I") else "O" for tag in true.values()])
        left.append([ours[word] if ours.get(word) in ("B", "I") else "O" for word in true])
    return seqeval_f1(gold, left, strict=False)


def _mended(tags: list[str]) -> list[str]:
    """Tags of which each I continues a mention of its type; one that does not begins one."""
    for place, tag in enumerate(tags):
        before = tags[place - 1] if place else "O"
        if tag.startswith("I-") and before[2:] != tag[2:]:
            tags[place] = tag.replace("I-", "B-")
    return tags


def _rows() -> list[KbRow]:
    path = corpora_folder() / "ncbi-disease" / "test.tsv"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: set STUDIO_CORPORA to the folder of the real corpora.")
    return list(read(path, "iob"))


def _equal(lines: Sequence[tuple[str, str, float, float]]) -> bool:
    return all(abs(ours - theirs) < CLOSE for _, _, ours, theirs in lines)
