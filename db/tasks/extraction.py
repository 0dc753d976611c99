"""What a text names and how that is related: mentions, relations of a marked pair, labels."""

from collections.abc import Sequence
from typing import Any

from db.corpora.schema import KbRow, PairsRow, TextRow
from db.enums import Category
from db.tasks import scoring
from db.tasks.corpus import MAX_ANSWER, CorpusTask
from db.tasks.task import RowScore

SPANS = (
    "strict_f1",
    "strict_precision",
    "strict_recall",
    "relaxed_f1",
    "invented",
    "repeated",
    "parse_failures",
)
KB_FORMATS = ("iob", "pubtator", "bioc_xml", "bioc_json", "brat")


class DiseaseNER(CorpusTask):
    """The diseases that a sentence names (NCBI-disease, BC5CDR), a token a line with its tag:

        Familial<TAB>O
        breast<TAB>B-Disease
        cancer<TAB>I-Disease

    Asked for a line a token (`breast : B`), for JSON, for tags in the text or for a list. Strict F1 counts a
    mention with exactly its boundaries; relaxed F1 one that overlaps. With a line a token there is F1 as the
    paper's scorer counts it, too.
    """

    name, title, category = "ner-disease", "NER, diseases", Category.IE
    formats = KB_FORMATS
    template = "ner-disease"
    told = {"type": "Disease"}  # of plain B and I  # noqa: RUF012
    measures: tuple[str, ...] = SPANS
    max_tokens = 1_024

    def __init__(self, settings=None) -> None:
        super().__init__(settings)
        self.has_paper_form = self.form.name == "token_tags" and len(self.form.labels) == 1
        if self.has_paper_form:
            self.measures = (*SPANS[:4], "paper_f1", *SPANS[4:])

    def score(self, row: KbRow, answer: str) -> RowScore:
        paper_lines = (answer[:MAX_ANSWER], self.form.write(row)) if self.has_paper_form else None
        return scoring.spans(self.said(row, answer), self.gold(row), paper_lines=paper_lines)

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return scoring.span_tables(rows)


class ChemicalNER(DiseaseNER):
    """The chemicals and drugs that a sentence names (BC5CDR), tagged `B-Chemical`, `I-Chemical`:

        lithium<TAB>B-Chemical
        carbonate<TAB>I-Chemical

    Asked and scored as the diseases.
    """

    name, title = "ner-chemical", "NER, chemicals"
    template = "ner-chemical"
    told = {"type": "Chemical"}  # noqa: RUF012


class GeneNER(DiseaseNER):
    """The genes and proteins that a sentence names (BC2GM), tagged B and I, or B-Gene:

        p53<TAB>B
        protein<TAB>I

    Asked and scored as the diseases.
    """

    name, title = "ner-gene", "NER, genes"
    template = "ner-gene"
    told = {"type": "Gene"}  # noqa: RUF012


class EntityNER(DiseaseNER):
    """Molecules and cells without their types, as Llama2-MedTuned asks JNLPBA:

        IL-2<TAB>B
        gene<TAB>I

    Every mention of the file counts, whatever its type. Asked and scored as the diseases.
    """

    name, title = "ner-entity", "NER, molecules and cells (JNLPBA)"
    template = "ner-molecular-plain"
    told = {"type": "entity"}  # noqa: RUF012


class MolecularNER(DiseaseNER):
    """Proteins, DNA, RNA, cell lines and cell types by type (JNLPBA's own tags):

        IL-2<TAB>B-DNA
        gene<TAB>I-DNA

    Asked for a line a token with its type (`gene : I-DNA`). A mention of another type is wrong.
    """

    name, title = "ner-molecular", "NER, molecules and cells by type"
    template = "ner-molecular"
    told = {}  # noqa: RUF012


class EventNER(EntityNER):
    """Clinical events of a discharge summary without their types (i2b2 2012), as Llama2-MedTuned asks:

        transferred<TAB>B
        to<TAB>O

    Every mention of the file counts. Under a data-use agreement: bring your own file.
    """

    name, title = "ner-event", "NER, clinical events (i2b2 2012)"
    template = "ner-clinical-event"
    told = {"type": "event"}  # noqa: RUF012


class ClinicalNER(MolecularNER):
    """Problems, tests and treatments in a clinical text (i2b2 2010), by type:

        chest<TAB>B-problem
        pain<TAB>I-problem

    Asked for JSON with text and type. Under a data-use agreement: bring your own file.
    """

    name, title = "ner-clinical", "NER, problems, tests and treatments"
    template = "ner-clinical"


class ChemProt(CorpusTask):
    """What a chemical does to a protein (ChemProt), both marked in the sentence:

        {"text": "<< Simvastatin >> inhibits [[ HMG-CoA reductase ]].", "label": "INHIBITOR"}

    Asked with the code book; the answer is a code. Micro and macro F1 over the labels.
    """

    name, title, category = "re-chemprot", "RE, chemical and protein (ChemProt)", Category.IE
    formats = ("marked_pair",)
    template = "re-chemprot"
    measures: tuple[str, ...] = ("micro_f1", "macro_f1", "accuracy", "parse_failures")
    max_tokens = 32

    def score(self, row: Any, answer: str) -> RowScore:
        found = scoring.labels(self.said(row, answer), self.gold(row))
        if self.form.name == "relation_code":  # what the paper's scorer looks for: codes, wherever they stand
            found.said["codes"] = [code for code in self._codes.values() if code in answer[:MAX_ANSWER]]
        return found

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        tables = scoring.label_tables(rows)
        if self.form.name == "relation_code" and all("codes" in row.said for row in rows):
            tables["paper"] = scoring.paper_table(rows, self._codes)
        return tables

    @property
    def _codes(self) -> dict[str, str]:
        return {label.name: label.shown for label in self.form.labels}


class GAD(ChemProt):
    """Whether a sentence relates a gene and a disease (GAD), both masked; 1 is an association:

        {"sentence": "@GENE$ variants are associated with @DISEASE$.", "label": 1}

    Asked with the code book; the answer is 1 or 0. Scored as ChemProt.
    """

    name, title = "re-gad", "RE, gene and disease (GAD)"
    formats = ("masked_pair",)
    template = "re-gene-disease"
    told = {"types": "GENE,DISEASE"}  # noqa: RUF012


class ClinicalRE(ChemProt):
    """Relations of problems, tests and treatments (i2b2 2010), both masked by their kind:

        {"text": "@treatment$ was given for @problem$ .", "label": "TrAP"}

    Asked with the code book; the answer is a code. Under a data-use agreement: bring your own file.
    """

    name, title = "re-clinical", "RE, problems, tests and treatments (i2b2 2010)"
    formats = ("masked_pair",)
    template = "re-clinical"


class Coreference(ChemProt):
    """Whether two marked mentions of a clinical note mean the same, one JSON object a line (or a table):

        {"text": "<< Mr. Lee >> was admitted with chest pain. [[ He ]] was given aspirin.", "label": "same"}

    The earlier mention stands in << >>, the later in [[ ]], with the spaces; the label is same or different.
    `document_id` or `id` name the note. The answer is yes or no; scored as ChemProt, accuracy first.
    """

    name, title = "coreference", "Clinical coreference"
    template = "coreference"
    measures = ("accuracy", "macro_f1", "micro_f1", "parse_failures")


class MedNLI(CorpusTask):
    """What follows from a patient's history (MedNLI, Romanov and Shivade 2018):

        {"sentence1": "He denies chest pain.", "sentence2": "The patient has angina.",
         "gold_label": "contradiction", "pairID": "23eb94b8"}

    Asked as `Sentence 1: ... Sentence 2: ...`; the answer is entailment, contradiction or neutral. Accuracy.
    """

    name, title, category = "mednli", "NLI (MedNLI)", Category.IE
    formats = ("pairs",)
    template = "nli-clinical"
    measures = ("accuracy", "macro_f1", "parse_failures")
    max_tokens = 16

    def score(self, row: PairsRow, answer: str) -> RowScore:
        return scoring.labels(self.said(row, answer), self.gold(row))

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return scoring.label_tables(rows)


class MedicationStatus(MedNLI):
    """Whether a medication that a note names is being taken, one JSON object a line (or a table):

        {"id": "n12-3", "document_id": "n12", "snippet": "Stopped lisinopril for cough.",
         "medication": "lisinopril", "status": "discontinued"}

    The status is active, discontinued or neither; the reader's options name other fields. Where the snippet
    has the medication more than once, put the one that is meant between [[ and ]]. Accuracy and macro F1.
    """

    name, title = "medication-status", "Medication status"
    template = "medication-status"
    told = {"field_1": "snippet", "field_2": "medication", "label_field": "status"}  # noqa: RUF012


class Hallmarks(CorpusTask):
    """The hallmarks of cancer that a sentence gives evidence of, none, one or several (HoC):

        {"text": "VEGF blockade reduced vessel density.", "label": ["inducing angiogenesis"]}

    Asked with the list of labels; the answer is labels with commas between, or None. Micro and macro F1.
    """

    name, title, category = "hoc", "Hallmarks of cancer (HoC)", Category.IE
    formats = ("labels",)
    template = "hallmarks-of-cancer"
    measures = ("micro_f1", "macro_f1", "exact_match", "parse_failures")
    max_tokens = 128

    def score(self, row: TextRow, answer: str) -> RowScore:
        return scoring.labels(self.said(row, answer), self.gold(row))

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return scoring.label_tables(rows)
