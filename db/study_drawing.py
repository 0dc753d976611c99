"""The rows of a study's arm: drawn from the version's train rows by the seed, frozen as their own version.

The validation rows go along as they are; test rows do not, for nothing may be tuned on them. What a row
says of itself (licence, restricted, unreviewed, near group) stays with it.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import datasets, studies
from db.canonical import FrozenRow
from db.content import content_of
from db.enums import Split
from db.policy import Actor
from db.session import parts
from db.studies import plan_of, spec_of
from db.study_arms import ALL, ArmPlan, order
from db.study_spec import StudySpec
from db.tables import Dataset, DatasetRow, DatasetVersion, Study, StudyArm

_FACTS = (
    "instruction_id",
    "instruction_version",
    "origin",
    "provenance",
    "licence",
    "is_restricted",
    "is_unreviewed",
    "near_group",
)


def draw(session: Session, spec: StudySpec, arm: ArmPlan) -> list[FrozenRow]:
    """The arm's train rows in the order of the version, then its validation rows. Reads only."""
    chosen = sorted(
        position
        for part, positions in _positions(session, spec).items()
        for position in order(positions, spec.seed, part)[: arm.draw.get(part, 0)]
    )
    rows = _rows_at(session, spec.dataset_version_id, chosen)
    rows += datasets.list_rows(session, spec.dataset_version_id, Split.VALIDATION)
    return [_frozen(row) for row in rows]


def freeze(
    session: Session, actor: Actor, study: Study, arm: StudyArm, rows: Sequence[FrozenRow]
) -> DatasetVersion:
    """Freeze what `draw` gave as a version of the study's own dataset; one recipe names study and arm."""
    spec, planned = spec_of(study), plan_of(arm)
    dataset = session.scalar(select(Dataset).where(*_own(study)))
    if dataset is None:
        dataset = datasets.create_dataset(
            session,
            actor,
            study.project_id,
            name=dataset_name(study),
            description=f"What the arms of study {study.id} were tuned on, one version an arm.",
        )
        session.flush()
    recipe = {
        "study": study.id,
        "study_name": study.name,
        "arm": arm.label,
        "dataset_version_id": spec.dataset_version_id,
        "drawn": planned.draw,
        "by": spec.divided_by,
        "seed": spec.seed,
    }
    version = datasets.freeze_rows(session, actor, dataset, rows, recipe=recipe)
    session.flush()
    arm.dataset_version_id = version.id
    return version


def same_draw(study: Study, arm: StudyArm) -> int | None:
    """The version of another arm that draws the very same rows, as all ranks do; None where there is none."""
    wanted = plan_of(arm).draw
    for other in study.arms:
        if other is not arm and other.dataset_version_id and plan_of(other).draw == wanted:
            return other.dataset_version_id
    return None


def dataset_name(study: Study) -> str:
    return f"Study {study.id}: {study.name}"


def _own(study: Study) -> tuple:
    return Dataset.project_id == study.project_id, Dataset.name == dataset_name(study)


def _positions(session: Session, spec: StudySpec) -> dict[str, list[int]]:
    """Positions of the train rows by part, in order."""
    key = getattr(DatasetRow, spec.divided_by) if spec.divided_by else None
    query = select(DatasetRow.position, *([key] if key is not None else [])).where(
        DatasetRow.version_id == spec.dataset_version_id, DatasetRow.split == Split.TRAIN
    )
    found: dict[str, list[int]] = {}
    for position, *value in session.execute(query.order_by(DatasetRow.position)):
        part = studies.part_of(value[0] if value else ALL, spec.divided_by)
        found.setdefault(part, []).append(position)
    return found


def _rows_at(session: Session, version_id: int, positions: Sequence[int]) -> list[DatasetRow]:
    found: list[DatasetRow] = []
    for piece in parts(positions):
        query = select(DatasetRow).where(DatasetRow.version_id == version_id, DatasetRow.position.in_(piece))
        found += session.scalars(query.order_by(DatasetRow.position))
    return found


def _frozen(row: DatasetRow) -> FrozenRow:
    return FrozenRow(Split(row.split), content_of(row), **{name: getattr(row, name) for name in _FACTS})
