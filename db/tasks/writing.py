"""Text that a model writes: notes of dialogues, answers to patients, summaries, conclusions."""

from collections.abc import Sequence
from typing import Any, ClassVar

from db.corpora.schema import QaRow, T2tRow
from db.enums import Category
from db.tasks import scoring
from db.tasks.corpus import MAX_ANSWER, CorpusTask
from db.tasks.task import Asked, RowScore, TaskError

TEXTS = (
    "rouge_l",
    "rouge_1",
    "rouge_2",
    "concept_f1",
    "numbers_kept",
    "numbers_added",
    "negations_kept",
    "length_ratio",
    "parse_failures",
)


class _Written(CorpusTask):
    """A text is scored by its ROUGE-L F1 against the reference; it is right from `scoring.GOOD_ROUGE` on."""

    category = Category.GEN
    measures = TEXTS
    max_tokens = 512

    def score(self, row: Any, answer: str) -> RowScore:
        return scoring.text(answer[:MAX_ANSWER], self.gold(row).text, source=self.source(row))

    def source(self, row: Any) -> str:
        """The text that an answer may take its facts from, beside the reference."""
        return row.text_1

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return {"faults": scoring.fault_table(rows)}


class MTSDialog(_Written):
    """A section of the note from a doctor-patient dialogue (MTS-Dialog, Ben Abacha et al. 2023), a table:

        ID,section_header,section_text,dialogue
        0,ALLERGY,No known drug allergies.,"Doctor: Any allergies? Patient: Not that I know of."

    Asked with the dialogue and the section's title; scored against the section that a clinician wrote.
    """

    name, title = "mts-dialog", "Note section from a dialogue (MTS-Dialog)"
    formats = ("dialogue_note",)
    template = "dialogue-note-section"

    def ask(self, row: T2tRow) -> Asked:
        if not dict(row.facets).get("section"):
            raise TaskError(
                f"row {row.id}: it has no section_header; fill it in, or take the task of whole notes."
            )
        return super().ask(row)


class DialogueNote(_Written):
    """The whole note of a visit from its dialogue (ACI-Bench; Primock57 in the same columns):

        {"encounter_id": "D2N001", "dialogue": "[doctor] hi , how are you ? ...", "note": "CHIEF ..."}

    Asked with the dialogue; scored against the clinician's note.
    """

    name, title = "dialogue-note", "Note from a dialogue (ACI-Bench)"
    formats = ("dialogue_note",)
    template = "dialogue-note"
    max_tokens = 1_024


class QuestionSummary(_Written):
    """A patient's message as one short question (MeQSum, Ben Abacha and Demner-Fushman 2019), a table:

        CHQ,Summary
        "SUBJECT: dog bite. MESSAGE: my son was bitten ...","What is the treatment for a dog bite?"

    Asked with the message; scored against the expert's question. Other columns by the reader's options.
    """

    name, title = "question-summary", "Question summary (MeQSum)"
    formats = ("questions",)
    template = "question-summary"
    told = {"question_field": "CHQ", "answer_field": "Summary"}  # noqa: RUF012
    max_tokens = 96

    def row_from(self, row: QaRow) -> T2tRow:
        answer = row.answer[0] if row.answer else ""
        return T2tRow(row.id, row.document_id, row.question, answer, "text", "summary", split=row.split)


class Summary(QuestionSummary):
    """A summary of a clinical or biomedical text, one JSON object a line (or a table):

        {"text": "FINDINGS: ... the heart is normal in size ...", "summary": "No acute disease."}

    Asked with the text; scored against the summary. Other fields by the reader's options.
    """

    name, title = "summary", "Summary of a text"
    template = "summary"
    told = {"question_field": "text", "answer_field": "summary"}  # noqa: RUF012
    max_tokens = 512


class PatientAnswer(_Written):
    """A doctor's answer to a patient's question (iCliniq, HealthCareMagic), as ChatDoctor's files have it:

        {"instruction": "If you are a doctor, please answer the medical questions ...",
         "input": "I have had a rash for two days ...", "output": "Hello. It may be urticaria ..."}

    Asked with the question; scored against the doctor's answer.
    """

    name, title = "patient-answer", "Answer to a patient (iCliniq)"
    formats: ClassVar[tuple[str, ...]] = ("instruction_output", "questions")
    template = "patient-question"

    def source(self, row: QaRow) -> str:
        return "\n".join(part for part in (row.question, row.context) if part)


class Conclusion(PatientAnswer):
    """The conclusion of an abstract (PubMedQA's long answer), its question and results given:

        "21645374": {"QUESTION": "...", "CONTEXTS": ["..."], "LONG_ANSWER": "Results depicted ..."}

    Asked with abstract and question; scored against the authors' conclusion.
    """

    name, title = "conclusion", "Conclusion of an abstract (PubMedQA)"
    formats = ("pubmedqa",)
    template = "abstract-conclusion"
    max_tokens = 256

    def ask(self, row: QaRow) -> Asked:
        if not row.long_answer.strip():
            raise TaskError(f"row {row.id}: it has no LONG_ANSWER; fill it in, or leave the row out.")
        return super().ask(row)


class BioASQSummary(PatientAnswer):
    """BioASQ's summary questions: a short paragraph from the snippets.

        {"type": "summary", "body": "What is the role of TRPV1?", "snippets": [...], "ideal_answer": ["..."]}

    Asked with the snippets; scored against the first ideal answer.
    """

    name, title = "bioasq-summary", "BioASQ, summary"
    formats = ("bioasq",)
    template = "snippets-summary"
    max_tokens = 256

    def kind_of(self, row: QaRow) -> str:
        return row.type

    def takes(self, kind: str) -> bool:
        return kind == "free"
