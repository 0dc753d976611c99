"""Tasks by name, and a frozen version's own: `make_task(name, settings)`, `of_version(version)`."""

from collections.abc import Mapping
from typing import Any

from db.tables import TaskVersion
from db.tasks import extraction, instructions, questions, writing
from db.tasks.corpus import CorpusTask
from db.tasks.rows import InstructionRow, TaskRowKind, from_json, to_json
from db.tasks.task import Asked, Options, RowScore, Task, TaskError

TASKS: dict[str, Any] = {
    task.name: task
    for task in (
        questions.MedQA,
        questions.MedMCQA,
        questions.MMLUMedical,
        questions.MMLUGeneral,
        questions.PubMedQA,
        questions.BioASQYesNo,
        questions.BioASQFactoid,
        questions.BioASQList,
        extraction.DiseaseNER,
        extraction.ChemicalNER,
        extraction.GeneNER,
        extraction.EntityNER,
        extraction.MolecularNER,
        extraction.EventNER,
        extraction.ClinicalNER,
        extraction.ChemProt,
        extraction.GAD,
        extraction.ClinicalRE,
        extraction.Coreference,
        extraction.MedNLI,
        extraction.MedicationStatus,
        extraction.Hallmarks,
        writing.MTSDialog,
        writing.DialogueNote,
        writing.PatientAnswer,
        writing.QuestionSummary,
        writing.Summary,
        writing.Conclusion,
        writing.BioASQSummary,
        instructions.InstructionsQA,
        instructions.InstructionsIE,
        instructions.InstructionsGEN,
    )
}


def make_task(name: str, settings: Mapping[str, Any] | None = None) -> Task:
    """The task of this name with its settings. Raises TaskError for an unknown name or a wrong setting."""
    if name not in TASKS:
        raise TaskError(f"task: '{str(name)[:40]}' is not one of {', '.join(TASKS)}.")
    return TASKS[name](settings or {})


def of_version(version: TaskVersion) -> Task:
    """The task that a frozen version is scored by. Rows by `from_json(row.source)`."""
    return make_task(version.task, version.settings.get("task") or {})


__all__ = [
    "TASKS",
    "Asked",
    "CorpusTask",
    "InstructionRow",
    "Options",
    "RowScore",
    "Task",
    "TaskError",
    "TaskRowKind",
    "from_json",
    "make_task",
    "of_version",
    "to_json",
]
