"""Questions with a right answer: of examinations, of the literature."""

from collections.abc import Sequence
from typing import Any

from db.corpora.schema import QaRow
from db.enums import Category
from db.tasks import scoring
from db.tasks.corpus import CorpusTask
from db.tasks.orders import cyclic_orders, label_order
from db.tasks.task import Options, RowScore

CHOICES = (
    "accuracy",
    "parse_failures",
    "option_accuracy",
    "option_accuracy_first",
    "option_accuracy_normalised",
)


class MedQA(CorpusTask):
    """USMLE questions with four options (Jin et al. 2021), one JSON object a line:

        {"question": "A 62-year-old man has crushing chest pain ... Which drug should be given first?",
         "options": {"A": "Aspirin", "B": "Warfarin", "C": "Digoxin", "D": "Verapamil"}, "answer_idx": "A"}

    Asked with its lettered options; the answer is a letter. Right is the letter of the right option, read out
    of what is written; and by likelihood, the option that the model finds most likely.
    """

    name, title, category = "medqa", "MedQA (USMLE)", Category.QA
    formats = ("medqa",)
    template = "multiple-choice"
    measures: tuple[str, ...] = CHOICES
    max_tokens = 32

    def options(self, row: QaRow) -> Sequence[Options]:
        return cyclic_orders(self, row)

    def score(self, row: QaRow, answer: str) -> RowScore:
        return scoring.choice(self.said(row, answer), self.gold(row))

    def score_options(
        self, row: QaRow, likelihoods: Sequence[Sequence[float]], lengths: Sequence[Sequence[int]]
    ) -> RowScore:
        return scoring.by_likelihood(self.gold(row).index, self.options(row), likelihoods, lengths)

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return scoring.choice_tables(rows)


class MedMCQA(MedQA):
    """Questions of Indian entrance examinations (Pal et al. 2022); `cop` is the number of the right option:

        {"question": "Drug of choice for absence seizures?", "opa": "Phenytoin", "opb": "Ethosuximide",
         "opc": "Carbamazepine", "opd": "Phenobarbital", "cop": 2, "subject_name": "Pharmacology"}

    Asked and scored as MedQA. Its test answers are not public: use the validation file.
    """

    name, title = "medmcqa", "MedMCQA"
    formats = ("medmcqa",)


MEDICAL_SUBJECTS = (
    "anatomy",
    "clinical_knowledge",
    "college_biology",
    "college_medicine",
    "medical_genetics",
    "professional_medicine",
)
"""The six of MMLU that MultiMedQA takes (Singhal et al. 2023)."""


class MMLUMedical(MedQA):
    """The six medical subjects of MMLU (Hendrycks et al. 2021), with four options and a letter:

        "Which of these nerves supplies the deltoid?",Axillary,Radial,Median,Ulnar,A

    Asked and scored as MedQA. The subject is a column, or the file's name (anatomy_test.csv).
    """

    name, title = "mmlu-medical", "MMLU, medical subjects"
    formats = ("mmlu",)

    def kind_of(self, row: QaRow) -> str:
        return dict(row.facets).get("subject", "")

    def takes(self, kind: str) -> bool:
        return _subject(kind) in MEDICAL_SUBJECTS

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return scoring.choice_tables(rows)


class MMLUGeneral(MMLUMedical):
    """The other subjects of MMLU, from law to mathematics: what tuning must not cost.

        "What is the derivative of x^2?",x,2x,x^2,2,B

    Asked and scored as MedQA. The regression gate looks at it.
    """

    name, title = "mmlu-general", "MMLU, general subjects"
    is_general = True

    def takes(self, kind: str) -> bool:
        return bool(kind) and not super().takes(kind)


class PubMedQA(CorpusTask):
    """A research question and the abstract behind it, without its conclusion (Jin et al. 2019), by PMID:

        "21645374": {"QUESTION": "Do mitochondria play a role in remodelling lace plant leaves ...?",
                     "CONTEXTS": ["..."], "final_decision": "yes", "LONG_ANSWER": "..."}

    Asked with the abstract; the answer is yes, no or maybe. `test_ground_truth.json` beside the file, or
    named by the reader's option `test_ids`, tells the 500 test rows; the others are its train rows.
    """

    name, title, category = "pubmedqa", "PubMedQA", Category.QA
    formats = ("pubmedqa",)
    template = "abstract-decision"
    measures: tuple[str, ...] = ("accuracy", "macro_f1", "parse_failures", *CHOICES[2:])
    max_tokens = 16

    def options(self, row: QaRow) -> Sequence[Options]:
        return label_order(self, row)

    def score(self, row: QaRow, answer: str) -> RowScore:
        return scoring.labels(self.said(row, answer), self.gold(row))

    def score_options(
        self, row: QaRow, likelihoods: Sequence[Sequence[float]], lengths: Sequence[Sequence[int]]
    ) -> RowScore:
        names = [label.name for label in self.form.labels]
        right = names.index(self.gold(row).labels[0])
        return scoring.by_likelihood(right, self.options(row), likelihoods, lengths)

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return scoring.label_tables(rows)


class BioASQYesNo(PubMedQA):
    """BioASQ's yes/no questions with the snippets that experts found (Krithara et al. 2023):

        {"questions": [{"id": "5e4b...", "type": "yesno", "body": "Is the protein Papilin secreted?",
                        "snippets": [{"text": "..."}], "exact_answer": "yes"}]}

    Asked with the snippets; the answer is yes or no. The file's other questions are passed over.
    """

    name, title = "bioasq-yesno", "BioASQ, yes or no"
    formats = ("bioasq",)
    template = "snippets-yes-no"

    def kind_of(self, row: QaRow) -> str:
        return row.type

    def takes(self, kind: str) -> bool:
        return kind == "yesno"


class BioASQFactoid(CorpusTask):
    """BioASQ's factoid questions: one name, number or phrase, with its other wordings.

        {"type": "factoid", "body": "Which gene is mutated in Huntington's disease?", "snippets": [...],
         "exact_answer": [["HTT", "huntingtin gene"]]}

    Asked with the snippets. Right is any wording of the answer, whatever its case and quotes.
    """

    name, title, category = "bioasq-factoid", "BioASQ, factoid", Category.QA
    formats = ("bioasq",)
    template = "snippets-factoid"
    measures: tuple[str, ...] = ("accuracy", "strict_f1", "parse_failures")
    max_tokens = 64
    forms = ("factoid",)
    question_type = "factoid"

    def kind_of(self, row: QaRow) -> str:
        return row.type

    def takes(self, kind: str) -> bool:
        return kind == self.question_type

    def score(self, row: QaRow, answer: str) -> RowScore:
        return scoring.answers(self.said(row, answer), self.gold(row))


class BioASQList(BioASQFactoid):
    """BioASQ's list questions: several answers, each with its other wordings.

        {"type": "list", "body": "Which drugs inhibit SGLT2?", "snippets": [...],
         "exact_answer": [["dapagliflozin"], ["empagliflozin", "Jardiance"]]}

    Asked with the snippets, one answer a line. F1 over the answers; a row is right with all of them alone.
    """

    name, title = "bioasq-list", "BioASQ, list"
    template = "snippets-list"
    measures = ("strict_f1", "strict_precision", "strict_recall", "accuracy", "parse_failures")
    max_tokens = 256
    forms = ("answer_list",)
    question_type = "list"


def _subject(name: str) -> str:
    return "_".join(name.replace("-", " ").replace("_", " ").split()).casefold()
