"""Studies from the shell: make one, see how it stands, write its figure to files, run the miniature."""

import argparse
import json
import logging
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from db import (
    jobs,
    projects,
    samples,
    specs,
    studies,
    study_control,
    study_files,
    study_miniature,
    study_presets,
    study_reading,
    study_steps,
    study_svg,
    users,
)
from db.enums import JobKind, JobStatus
from db.session import read, write
from db.settings import Settings
from db.study_figures import GAIN, SHOWS, StudyFigure
from db.tables import Study
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
MINIATURES = {
    "bioinstruct": (study_miniature.BIOINSTRUCT,),
    "medtuned": (study_miniature.MEDTUNED,),
    "both": (study_miniature.BIOINSTRUCT, study_miniature.MEDTUNED),
}


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add `study`, which has words of its own; `action(name, act, help)` gives its parser."""
    words = action("study", lambda *_: 2, "studies: make, list, show, figure, cancel, resume, miniature")
    inner = words.add_subparsers(required=True, metavar="WORD")

    def word(name: str, act: Act, text: str) -> argparse.ArgumentParser:
        parser = inner.add_parser(name, help=text, description=text)
        parser.set_defaults(act=act)
        parser.add_argument("--data-dir", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return parser

    making = word("make", make, "make a study of a JSON file with the settings of StudySpec, and queue it")
    making.add_argument("spec", type=Path, help="a JSON file, such as `study show ID --spec` writes")
    making.add_argument("--preset", help=f"settings to begin with: {', '.join(_names())}")
    making.add_argument("--project", help="name of the project; the first unless given")
    add_acting(making)
    word("list", list_all, "the studies there are, and how far they are")
    showing = word("show", show, "a study's arms and where each stands")
    showing.add_argument("study", type=int)
    showing.add_argument("--spec", action="store_true", help="its settings as JSON, for `study make`")
    drawing = word("figure", figure, "write a study's figure: a picture, a table, what it shows and does not")
    drawing.add_argument("study", type=int)
    drawing.add_argument("--show", choices=SHOWS, default=GAIN, help="gain unless given")
    drawing.add_argument("--by", choices=("groups", "tasks"), default="", help="what the columns are")
    for kind in ("svg", "csv", "markdown"):
        drawing.add_argument(f"--{kind}", type=Path, metavar="FILE")
    for name, act, text in (
        ("cancel", cancel, "stop a study and the runs it asked for"),
        ("resume", resume, "let a study go on; what failed is tried again"),
    ):
        parser = word(name, act, text)
        parser.add_argument("study", type=int)
        add_acting(parser)
    small = word(
        "miniature", miniature, "run a paper's study in miniature in this data folder, with a worker"
    )
    small.add_argument("--paper", choices=MINIATURES, default="both", help="both unless given")
    small.add_argument("--svg", type=Path, metavar="FOLDER", help="write the figures here when they are done")


def make(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    given = _read(options.spec)
    if options.preset:
        given = {**study_presets.find(options.preset).settings, **given}
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        try:
            spec = specs.from_json(JobKind.STUDY, given)
        except TypeError as error:  # a setting without which there is no study
            raise ValueError(f"spec: {error}.") from error
        study = studies.create(s, actor_of(s, options), project.id, spec)
        s.flush()
        say(str(study.id))
    return 0


def list_all(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        for project in projects.list_projects(s):
            for study in studies.list_studies(s, project.id):
                done, total = study_steps.count_runs(study_steps.standings(s, study))
                job = jobs.get_job(s, study.job_id)
                say(f"{study.id:>5}  {study.kind:<18} {job.status:<12} {study.name}  {done} of {total} runs")
    return 0


def show(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        study = _study(s, options.study)
        if options.spec:
            say(json.dumps(study.spec, indent=2))
            return 0
        for one in study_steps.standings(s, study):
            run = f"  job {one.job.id}" if one.job else ""
            say(f"{one.position:>5}  {one.label:<32} {one.words}{run}  {one.trouble}".rstrip())
    return 0


def figure(settings: Settings, options: argparse.Namespace) -> int:
    """Write the files asked for; the Markdown to standard output when none is."""
    open_studio(settings)
    with read() as s:
        found = study_reading.figure(s, _study(s, options.study), show=options.show, by=options.by)
    written = {options.svg: study_svg.to_svg, options.csv: study_files.to_csv}
    written[options.markdown] = study_files.to_markdown
    for path, write_as in written.items():
        if path is not None:
            path.write_text(write_as(found), encoding="utf-8")
    if not (options.svg or options.csv or options.markdown):
        say(study_files.to_markdown(found).rstrip())
    return 0


def cancel(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        stopped = study_control.cancel(s, actor_of(s, options), _study(s, options.study))
        say(f"stopped, with {stopped} of its runs")
    return 0


def resume(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        job = study_control.resume(s, actor_of(s, options), _study(s, options.study))
        say(str(job.id))
    return 0


def miniature(settings: Settings, options: argparse.Namespace) -> int:
    """Demo data, tasks and study in this data folder, a worker until all is done, the figure at the end."""
    from trainer import worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    open_studio(settings)
    with write() as s:
        samples.load(s)
    with write() as s:
        project, actor = projects.list_projects(s)[0], users.studio_account(s)
        made = [study_miniature.prepare(s, actor, project.id, name) for name in MINIATURES[options.paper]]
        for study in made:
            if study_control.can_resume(s, study):
                study_control.resume(s, actor, study)
        ids = [study.id for study in made]
    worker.main(settings, once=True)
    with read() as s:
        ended = [_told(s, _study(s, id), options.svg) for id in ids]
    return 0 if all(ended) else 1


def _told(session: Session, study: Study, folder: Path | None) -> bool:
    """Print, and write where asked, what a study came to; True when its job finished."""
    found = study_reading.figure(session, study)
    say(study_files.to_markdown(found))
    if folder is not None:
        _write_all(folder, found)
    job = jobs.get_job(session, study.job_id)
    if job.error:
        say(job.error)
    return job.status is JobStatus.FINISHED


def _write_all(folder: Path, found: StudyFigure) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for ending, write_as in (
        ("svg", study_svg.to_svg),
        ("csv", study_files.to_csv),
        ("md", study_files.to_markdown),
    ):
        path = folder / study_files.file_name(found, ending)
        path.write_text(write_as(found), encoding="utf-8")
        say(str(path))


def _study(session: Session, study_id: int) -> Study:
    study = session.get(Study, study_id)
    if study is None or study.deleted_at is not None:
        raise LookupError(f"There is no study number {study_id}.")
    return study


def _read(path: Path) -> dict:
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"spec: {path} cannot be read as JSON ({error}).") from error
    if not isinstance(given, dict):
        raise ValueError(f"spec: {path} holds no settings; write an object of them.")
    return given


def _names() -> list[str]:
    return [preset.name for preset in study_presets.PRESETS]
