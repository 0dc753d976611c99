"""The part of the freeze form that keeps evaluation texts out: which sets, and what happens to rows found."""

from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from bioui.components.fold import fold
from bioui.present import counted
from db import datasets, projects
from db.checks.contamination import LONG_RUN, SHORT_RUN, EvaluationSet, Limits
from db.enums import Split
from db.freezing import Contaminated, Screening, evaluation_set
from db.session import Session

NAMES = ("against", "against_file", "then", "reason", "run")  # the order of the inputs
THEN = [
    ("Refuse to freeze", Contaminated.REFUSE.value),
    ("Drop these rows", Contaminated.DROP.value),
    ("Let them stay, with a reason", Contaminated.WAIVE.value),
]


@dataclass(frozen=True)
class Sought:
    """What this part says: the sets as `VERSION` or `VERSION:SPLIT`, a file of texts, and what then."""

    against: tuple[str, ...] = ()
    path: str = ""
    then: Contaminated = Contaminated.REFUSE
    reason: str = ""
    run: int = LONG_RUN

    @property
    def is_nothing(self) -> bool:
        return not self.against and not self.path


@dataclass(frozen=True)
class ScreeningPart:
    """`inputs` stand in the order of NAMES."""

    inputs: list

    @property
    def against_dd(self) -> gr.Dropdown:
        return self.inputs[0]

    @property
    def then_radio(self) -> gr.Radio:
        return self.inputs[2]

    @property
    def reason_tb(self) -> gr.Textbox:
        return self.inputs[3]


def screening_part() -> ScreeningPart:
    with fold("Decontamination"):
        against_dd = gr.Dropdown(
            [], value=[], label="Evaluation sets", multiselect=True, elem_id="field-against",
            info="Frozen versions that a model will be measured on. Their texts are looked for in every row.",
        )  # fmt: skip
        file_upload = gr.File(
            label="Evaluation texts from a file: JSONL, a text a line",
            type="filepath", file_types=[".jsonl", ".json", ".txt"], height=130, elem_id="field-against-file",
        )  # fmt: skip
        with gr.Row(elem_classes="field-row"):
            then_radio = gr.Radio(
                THEN, value=Contaminated.REFUSE.value, label="Rows that hold such a text",
                elem_id="field-contamination",
            )  # fmt: skip
            run_nb = gr.Number(
                LONG_RUN, label="Words in a row", elem_id="field-run", step=1, minimum=SHORT_RUN,
                maximum=LONG_RUN, info=f"That many shared words count, {SHORT_RUN} to {LONG_RUN}.",
            )  # fmt: skip
        reason_tb = gr.Textbox(
            label="Why they may stay", visible=False, elem_id="field-reason",
            info="Recorded with the version and printed on its card.",
        )  # fmt: skip
    return ScreeningPart([against_dd, file_upload, then_radio, reason_tb, run_nb])


def sought_of(against, path, then, reason, run) -> Sought:
    """What the part's inputs say. Raises ValueError naming the field."""
    if run is None or run != int(run):
        raise ValueError(f"run: give a whole number of words from {SHORT_RUN} to {LONG_RUN}.")
    Limits(run=int(run))
    if then not in list(Contaminated):
        raise ValueError("contamination: choose what happens to rows that hold evaluation texts.")
    kind = Contaminated(then)
    why = (reason or "").strip() if kind is Contaminated.WAIVE else ""
    sought = Sought(tuple(against or ()), path or "", kind, why, int(run))
    if not sought.is_nothing:
        Screening(then=kind, reason=why)  # said now, not after seconds of planning
    return sought


def screening_of(session: Session, project_id: int, sought: Sought) -> Screening | None:
    """The sets themselves, those of another project under its name too; None when none was chosen."""
    if sought.is_nothing:
        return None
    sets = [_chosen_set(session, project_id, name) for name in sought.against]
    sets += [EvaluationSet.of_file(Path(sought.path))] if sought.path else []
    return Screening(tuple(sets), sought.then, sought.reason, Limits(run=sought.run))


def evaluation_choices(session: Session, project_id: int) -> list[tuple[str, str]]:
    """Every frozen version, and each of its splits, of this project and then of the rest."""
    known = projects.list_projects(session)
    choices = []
    for project in sorted(known, key=lambda project: project.id != project_id):
        before = "" if project.id == project_id else f"{project.name}: "
        for version in datasets.list_versions(session, project.id):
            name = f"{before}{version.dataset.name}, version {version.number}"
            held = {split: version.counts.get(split) for split in (Split.TEST, Split.VALIDATION, Split.TRAIN)}
            choices += [
                (f"{name}, {split} ({counted(rows, 'row')})", f"{version.id}:{split}")
                for split, rows in held.items()
                if rows
            ]
            choices.append((f"{name}, all ({counted(sum(version.counts.values()), 'row')})", str(version.id)))
    return choices


def _chosen_set(session: Session, project_id: int, name: str) -> EvaluationSet:
    number, _, split = str(name).partition(":")
    if not number.isdigit() or (split and split not in list(Split)):
        raise ValueError("against: choose the evaluation sets from the list.")
    found = evaluation_set(session, int(number), Split(split) if split else None)
    home = datasets.get_version(session, int(number)).dataset.project_id
    if home == project_id:
        return found
    return replace(found, name=f"{projects.get_project(session, home).name}: {found.name}")
