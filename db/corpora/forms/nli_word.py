"""Whether a premise entails a hypothesis, in one word (Llama2-MedTuned)."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms.form import Label, check_labels, listed
from db.corpora.forms.one_label import check_readable, label_named, read_one
from db.corpora.forms.prediction import Labels
from db.corpora.schema import PairsRow

# What models say for the three usual labels; used only where the template has that label.
_SAID = {
    "entailment": ("entails", "entailed", "entail"),
    "contradiction": ("contradicts", "contradicted", "contradictory", "contradict"),
    "neutral": ("undetermined", "neutrality"),
}


@dataclass(frozen=True)
class NliWord:
    name: ClassVar[str] = "nli_word"
    title: ClassVar[str] = "One word (the paper's)"
    shape: ClassVar[str] = "pairs"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("natural_language_inference",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        check_readable(self.labels, lambda label: label.shown)

    def constraint(self) -> str:
        return f"Answer with one word: {listed([label.shown for label in self.labels])}."

    def write(self, row: PairsRow) -> str:
        return label_named(row.label, self.labels).shown

    def gold(self, row: PairsRow) -> Labels:
        return Labels((label_named(row.label, self.labels).name,))

    def parse(self, answer: str, row: PairsRow) -> Labels:
        said = {word: label.name for label in self.labels for word in _SAID.get(label.name.casefold(), ())}
        return read_one(answer, self.labels, said)
