"""Studies as the Studies page shows them: rows of the database in, plain values out."""

from dataclasses import dataclass

from bioui import outgoing
from bioui.components.heat_map import heat_value, no_figure
from bioui.components.job_panel import log_path, read_log
from bioui.components.study_run import (
    arms_value,
    bar_value,
    head_value,
    list_value,
    mark_of,
    outcome_value,
    settled,
)
from bioui.components.train_form import request_key
from bioui.components.version_panel import version_name
from db import (
    datasets,
    jobs,
    registry,
    studies,
    study_control,
    study_files,
    study_reading,
    study_steps,
    study_svg,
)
from db.enums import JobKind, JobStatus
from db.policy import Actor
from db.session import Session
from db.settings import from_environment
from db.study_figures import GAIN, SHOWS, StudyFigure
from db.study_results import evaluations_of
from db.study_spec import StudySpec
from db.study_steps import Standing, Step
from db.tables import Study
from db.tables.base import utc_now

FILES = {"svg": study_svg.to_svg, "csv": study_files.to_csv, "md": study_files.to_markdown}


@dataclass(frozen=True)
class Watch:
    """What a page has seen of the list and of the open study; marks tell when something shown has changed."""

    study_id: int = 0
    beside: int = 0  # what stands beside the list, where it is no study: the form
    list_mark: str = ""
    mark: tuple = ()
    figure_mark: tuple = ()
    log_mark: int = 0


def studies_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    shown = [
        (study, jobs.get_job(session, study.job_id), study_steps.standings(session, study))
        for study in studies.list_studies(session, project_id)
    ]
    return list_value(shown, open_id=open_id)


def any_open(session: Session, project_id: int) -> bool:
    return any(study_steps.is_open(session, study) for study in studies.list_studies(session, project_id))


def panel_values(session: Session, study: Study) -> tuple[dict, dict, dict, dict]:
    """What an open study shows now: head, progress, outcome, arms."""
    job, found = jobs.get_job(session, study.job_id), study_steps.standings(session, study)
    spec = studies.spec_of(study)
    version = datasets.get_version(session, spec.dataset_version_id)
    return (
        head_value(
            study, job, found,
            base=registry.get_base_model(session, spec.base_model_id).name,
            version=version_name(version),
        ),
        bar_value(job, found, seconds_left(session, study, found)),
        outcome_value(job, found, str(log_path(from_environment().jobs_dir, job.id))),
        arms_value(study, found, _evaluated(session, study)),
    )  # fmt: skip


def seconds_left(session: Session, study: Study, found: list[Standing]) -> float | None:
    """By the mean time of the study's own finished runs; None before each kind that is left has one."""
    took: dict[JobKind, list[float]] = {}
    own = studies.list_own_jobs(session, study)
    for job in own:
        if job.status is JobStatus.FINISHED and job.started_at and job.finished_at:
            took.setdefault(job.kind, []).append((job.finished_at - job.started_at).total_seconds())
    left = {
        JobKind.TRAIN: sum(one.step in (Step.DRAW, Step.TRAIN, Step.TRAINING) for one in found),
        JobKind.EVALUATE: sum(one.step not in study_steps.CLOSED for one in found),
    }
    if any(count and kind not in took for kind, count in left.items()):
        return None
    ahead = sum(count * sum(took[kind]) / len(took[kind]) for kind, count in left.items() if count)
    running = [job for job in own if job.status is JobStatus.RUNNING and job.started_at]
    spent = sum((utc_now() - job.started_at).total_seconds() for job in running)
    return max(1.0, ahead - spent) / max(1, len(running)) if ahead else None


def figure_of(session: Session, study: Study, show: str, by: str) -> StudyFigure:
    """Raises ValueError for words that the page does not offer."""
    return study_reading.figure(session, study, show=show or GAIN, by=by or "")


def figure_value(figure: StudyFigure) -> dict:
    if all(cell.is_missing for row in figure.rows for cell in row.cells):
        return no_figure("No figure yet.", "It appears with the first arm that is measured, cell by cell.")
    return heat_value(figure)


def write_files(actor: Actor, figure: StudyFigure) -> list[dict]:
    """The figure as files for this person: what links show."""
    links = []
    for ending, write_as in FILES.items():
        place = outgoing.new_place(actor, study_files.file_name(figure, ending))
        place.path.write_text(write_as(figure), encoding="utf-8")
        links.append({"name": place.path.name, "href": place.href})
    return links


def look(session: Session, watch: Watch, study: Study | None, listed: dict) -> Watch:
    """What there is to be seen now, as marks."""
    if study is None:
        return Watch(beside=watch.beside, list_mark=str(listed))
    job, found = jobs.get_job(session, study.job_id), study_steps.standings(session, study)
    path = log_path(from_environment().jobs_dir, job.id)
    mark = (job.status, job.phase, job.cancel_requested_at, *mark_of(found))
    size = path.stat().st_size if path.is_file() else 0
    return Watch(study.id, 0, str(listed), mark, (study.id, *settled(found)), size)


def log_of(study: Study) -> dict:
    return read_log(log_path(from_environment().jobs_dir, study.job_id))


def can_resume(session: Session, study: Study) -> bool:
    return study_control.can_resume(session, study)


def start(
    session: Session, actor: Actor, project_id: int, form_key: str, spec: StudySpec
) -> tuple[Study, bool]:
    """Make what the form says: the study, and whether it is new. One form pressed twice is one study."""
    asked_at, key = utc_now(), request_key(form_key, spec, JobKind.STUDY)
    study = studies.create(session, actor, project_id, spec, request_key=key)
    session.flush()
    return study, study.created_at >= asked_at


def shows() -> list[tuple[str, str]]:
    return [(words, show) for show, words in SHOWS.items()]


def _evaluated(session: Session, study: Study) -> dict[int, int]:
    """Position of an arm -> one of its evaluations."""
    found = {}
    for arm in study.arms:
        if scored := evaluations_of(session, study, arm):
            found[arm.position] = next(iter(scored.values())).id
    return found
