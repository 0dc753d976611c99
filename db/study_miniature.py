"""Both papers' studies in miniature: the starter model, its demo set, and tasks made of that set's test rows.

What is there already is used again, so a second press makes no second demo, task or study.
"""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import datasets, registry, studies, study_presets, task_versions
from db.enums import Category, Split
from db.policy import Actor
from db.registry import STARTER
from db.samples import DEMO_NAME
from db.study_spec import GROUPS, StudySpec
from db.tables import DatasetRow, DatasetVersion, Study, TaskVersion
from db.task_drafts import Prepared, hash_of
from db.tasks import make_task

BIOINSTRUCT, MEDTUNED = "BioInstruct, miniature", "Llama2-MedTuned, miniature"
TRANSFER_ROWS = 64  # test rows of each category: half a minute an arm
TASK_ROWS = 30  # of each of the composition's tasks
SHORT = {
    "named_entity_recognition": "NER",
    "relation_extraction": "RE",
    "natural_language_inference": "NLI",
    "multiple_choice": "MCQ",
}


def prepare(session: Session, actor: Actor, project_id: int, preset: str = BIOINSTRUCT) -> Study:
    """The miniature of that name, its job queued; the one there is where it was made before.

    Raises LookupError where the project has no starter demo to make it of.
    """
    spec = miniature_spec(session, actor, project_id, preset)
    for study in studies.list_studies(session, project_id):
        if studies.spec_of(study) == spec:
            return study
    return studies.create(session, actor, project_id, spec)


def miniature_spec(session: Session, actor: Actor, project_id: int, preset: str) -> StudySpec:
    """Its settings; its tasks are frozen, where they are not yet."""
    settings = study_presets.find(preset).settings
    version = demo_version(session, project_id)
    if preset == BIOINSTRUCT:
        tasks = [_of_category(session, actor, project_id, version, Category(name)) for name in GROUPS]
    elif preset == MEDTUNED:
        tasks = [_of_task(session, actor, project_id, version, name) for name in settings["among"]]
    else:
        raise LookupError(f"preset: {preset} is no miniature; there is {BIOINSTRUCT} and {MEDTUNED}.")
    session.flush()
    return StudySpec(
        name=preset,
        base_model_id=_starter(session),
        dataset_version_id=version.id,
        tasks=tuple(task.id for task in tasks),
        **settings,
    )


def demo_version(session: Session, project_id: int) -> DatasetVersion:
    """The newest frozen version of the demo set. Raises LookupError."""
    for version in datasets.list_versions(session, project_id):
        if version.dataset.name == DEMO_NAME:
            return version
    raise LookupError(f"This project has no dataset named {DEMO_NAME}, which the miniature is made of.")


def _starter(session: Session) -> int:
    for base in registry.list_base_models(session):
        if base.name == STARTER:
            return base.id
    raise LookupError(
        "The studio has no starter model, which the miniature tunes; it ships with a new studio."
    )


def _of_category(
    session: Session, actor: Actor, project_id: int, version: DatasetVersion, category: Category
) -> TaskVersion:
    """So many test rows of a category as a task."""
    prepared = task_versions.prepare_dataset(
        session,
        project_id,
        dataset_version_id=version.id,
        category=category,
        limit=TRANSFER_ROWS,
        name=f"Demo {category}",
    )
    return _freeze(session, actor, project_id, prepared, version)


def _of_task(
    session: Session, actor: Actor, project_id: int, version: DatasetVersion, task: str
) -> TaskVersion:
    """Test rows of one task of the demo set."""
    query = select(DatasetRow.position, DatasetRow.category).where(
        DatasetRow.version_id == version.id, DatasetRow.split == Split.TEST, DatasetRow.task == task
    )
    found = session.execute(query.order_by(DatasetRow.position).limit(TASK_ROWS)).all()
    if not found:
        raise LookupError(f"The demo set has no test rows of the task {task}.")
    category, keys = Category(found[0].category), {str(row.position) for row in found}
    whole = task_versions.prepare_dataset(
        session,
        project_id,
        dataset_version_id=version.id,
        category=category,
        name=f"Demo {SHORT[task]}",
    )
    rows = tuple(row for row in whole.rows if row.key in keys)
    settings = {**whole.settings, "source": {**whole.settings["source"], "task": task}, "limit": TASK_ROWS}
    made = replace(whole, rows=rows, settings=settings, content_hash=hash_of(make_task(whole.task), rows, ()))
    return _freeze(session, actor, project_id, made, version)


def _freeze(
    session: Session, actor: Actor, project_id: int, prepared: Prepared, version: DatasetVersion
) -> TaskVersion:
    return task_versions.freeze(session, actor, project_id, prepared, dataset_version_id=version.id)
