"""From what an answer says to a row's score: the counts of `db.metrics`, and what was read, for people.

`said` of a score holds what was read from the answer and what is right, as JSON, and the answer's faults; so
tables and pages need neither the row nor the parser again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from db.corpora.forms.free_text import read as as_text
from db.corpora.forms.prediction import Answers, Choice, Labels, Mentions, Prediction, Tally, folded, tally
from db.metrics import answers as answer_counts
from db.metrics import choices as choice_counts
from db.metrics import labels as label_counts
from db.metrics import measures, paper
from db.metrics import spans as span_counts
from db.tasks.task import Options, RowScore

GOOD_ROUGE = 0.5  # from this ROUGE-L F1 on a written text counts as right
_MOST_WORDS = 200  # characters of a fault that are kept
_MOST_FAULTS = 200  # of one answer


def choice(said: Choice, gold: Choice) -> RowScore:
    """A written answer to a multiple-choice question."""
    counts = answer_counts.count_choice(said, gold)
    return _score(counts["right"], counts, {"choice": said.index, "gold": gold.index}, said)


def by_likelihood(
    right: int | None,
    orders: Sequence[Options],
    likelihoods: Sequence[Sequence[float]],
    lengths: Sequence[Sequence[int]],
) -> RowScore:
    """By log-likelihood in nats, `likelihoods[order][option]`, and `lengths` in tokens."""
    chosen = choice_counts.choose(likelihoods, lengths, orders[0].continuations)
    counts = choice_counts.count(chosen, right)
    is_right = counts["option_right"] == 1.0
    means = [round(sum(column) / len(likelihoods), 4) for column in zip(*likelihoods, strict=True)]
    said = {"choice": chosen.cyclic, "gold": right, "nats": means, "faults": []}
    return RowScore(float(is_right), is_right, counts, said)


def labels(said: Labels, gold: Labels) -> RowScore:
    """Labels of a closed set; the row's score is their F1, which of one label is right or wrong."""
    counts = label_counts.count(said, gold)
    read = {"labels": list(said.labels), "gold": list(gold.labels)}
    return _score(tally(said, gold).f1 if not counts["unparsed"] else 0.0, counts, read, said)


def answers(said: Answers, gold: Answers) -> RowScore:
    """Short answers in words."""
    counts = answer_counts.count(said, gold)
    read = {"answers": list(said.answers), "gold": list(gold.answers)}
    return _score(tally(said, gold).f1, counts, read, said)


def spans(said: Mentions, gold: Mentions, *, paper_lines: tuple[str, str] | None = None) -> RowScore:
    """Mentions on a text. `paper_lines` are the answer and the gold in lines of `token : TAG`, to be counted
    as the paper's scorer does, too.
    """
    counts = span_counts.count(said, gold)
    if paper_lines:
        counts |= paper.ner(*paper_lines)
    score = 0.0 if counts["unparsed"] else tally(said, gold).f1
    return _score(score, counts, {"mentions": _placed(said), "gold": _placed(gold)}, said)


def text(answer: str, reference: str, source: str = "") -> RowScore:
    """A written text: its score is ROUGE-L F1, and it is right from GOOD_ROUGE on."""
    from db.metrics import texts  # loads lists of words

    said = as_text(answer)
    counts = texts.count(said.text, reference, source) | {"unparsed": float(not said.text)}
    return _score(counts["rouge_l"], counts, {}, said, bound=GOOD_ROUGE)


def exact(answer: str, reference: str) -> RowScore:
    """An answer in the reference's own words, but for case, outer blanks, quotes and a final stop."""
    is_right = folded(answer) == folded(reference)
    said = as_text(answer)
    counts = {"right": float(is_right), "exact": float(is_right), "unparsed": float(not said.text)}
    return _score(float(is_right), counts, {}, said)


def lines(said: Counter[str], gold: Counter[str], answer: str) -> RowScore:
    """Lines against lines, each as often as it stands there."""
    right = (said & gold).total()
    found = Tally(right, said.total() - right, gold.total() - right)
    is_right = not found.wrong and not found.missed
    counts = answer_counts.tallied("strict", found)
    counts |= {"exact": float(is_right), "unparsed": float(not answer.strip())}
    read = {"lines": sorted(said.elements()), "gold": sorted(gold.elements())}
    return _score(found.f1, counts, read, as_text(answer))


# Tables -----------------------------------------------------------------------------------------------


def fault_table(rows: Sequence[RowScore]) -> dict[str, int]:
    """How many faults of each kind the answers have, the commonest first."""
    found = Counter(kind for row in rows for kind, _ in row.said.get("faults", ()))
    return dict(found.most_common())


def choice_tables(rows: Sequence[RowScore]) -> dict[str, Any]:
    """How often each place was chosen, and was right: a model that favours one shows it here."""
    chosen = Counter(row.said.get("choice") for row in rows)
    right = Counter(row.said.get("gold") for row in rows)
    places = sorted({place for place in (*chosen, *right) if place is not None})
    table = [{"place": place, "chosen": chosen[place], "right": right[place]} for place in places]
    return {"places": table, "unread": chosen[None], "faults": fault_table(rows)}


def label_tables(rows: Sequence[RowScore]) -> dict[str, Any]:
    """Each label's figures, the confusion matrix, and the line of always giving the commonest answer."""
    counts = [row.counts for row in rows if "option_right" not in row.counts]
    if not counts:
        return choice_tables(rows)
    always, figures = label_counts.majority(counts)
    return {
        "labels": label_counts.per_label(counts),
        "confusion": label_counts.confusion(counts),
        "majority": {"labels": list(always), "figures": _figures(figures)},
        "faults": fault_table(rows),
    }


def span_tables(rows: Sequence[RowScore]) -> dict[str, Any]:
    """Each type's figures, and the errors by kind."""
    counts = [row.counts for row in rows]
    return {
        "types": label_counts.per_label(counts),
        "errors": span_counts.error_table(counts),
        "faults": fault_table(rows),
    }


def paper_table(rows: Sequence[RowScore], codes: Mapping[str, str]) -> dict[str, Any]:
    """What the paper's scorer makes of answers in codes; `codes` are these by the labels' names."""
    said = [" | ".join(row.said.get("codes", ())) for row in rows]
    found = paper.relations(said, [codes[row.said["gold"][0]] for row in rows])
    return {
        "f1": found.f1,
        "compared": found.compared,
        "skipped": found.skipped,
        "out_of_line": found.out_of_line,
    }


def _figures(counts: Sequence[measures.Counts]) -> dict[str, float]:
    """Accuracy, macro and micro F1 of counts."""
    found = {}
    for name in ("accuracy", "macro_f1", "micro_f1"):
        measure = measures.get(name)
        found[name] = float(measure.of(measures.columns_of(measure, counts).sum(0)))
    return found


def _score(
    score: float, counts: dict[str, float], read: dict[str, Any], said: Prediction, *, bound: float = 1.0
) -> RowScore:
    is_right = score >= bound if "right" not in counts else bool(counts["right"])
    return RowScore(score, is_right, counts, {**read, "faults": _faults(said)})


def _faults(said: Prediction) -> list[list[str]]:
    return [[fault.kind.value, fault.words[:_MOST_WORDS]] for fault in said.faults[:_MOST_FAULTS]]


def _placed(said: Mentions) -> list[list[Any]]:
    return [[mention.type, *map(list, mention.offsets)] for mention in said.mentions]
