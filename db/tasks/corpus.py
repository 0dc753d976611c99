"""What the tasks over corpora share: a reader gives rows, a template asks, its output form writes and reads.

A task of its own is a few lines: which template, which formats, what counts (see the modules beside this).
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from db.corpora import hub, readers, templates
from db.corpora.forms import FORMS, CannotWrite, Label, Obstacle
from db.corpora.forms.form import listed
from db.corpora.readers.formats import Option
from db.corpora.schema import CorpusError, Row
from db.corpora.templates import Template
from db.enums import Category
from db.tasks.task import Asked, Options, RowScore, TaskError

DRAWN = "drawn"  # the wording that a hash of the row's id draws, as in training data
MAX_ANSWER = 20_000  # characters that are read of an answer; no task needs a tenth of it
_WORDINGS = Path(__file__).with_name("wordings.yaml")
FORMAT = Option("format", "How the file is written; told from the file unless named.")


class CorpusTask(ABC):
    """A task whose rows come from a corpus.

    Settings: `form`, one of the template's output forms; `labels`, in place of the template's; `wording`, the
    number of the instruction's wording from 1, or "drawn" for one drawn row by row. Raises TaskError.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    category: ClassVar[Category]
    formats: ClassVar[tuple[str, ...]]
    measures: tuple[str, ...]
    max_tokens: ClassVar[int] = 64
    is_general: ClassVar[bool] = False  # the regression gate looks at it
    template: ClassVar[str]  # of the studio's, or of wordings.yaml beside this file
    forms: ClassVar[
        tuple[str, ...]
    ] = ()  # that it may be asked in; those that serve its template unless named
    told: ClassVar[Mapping[str, str]] = {}  # reader options unless somebody says otherwise

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.settings = _settled(type(self), settings or {})
        try:
            self._template = _in_form(find_template(self.template), self.settings)
            self._prepared = self._template.prepared
        except ValueError as error:
            raise TaskError(str(error)) from None
        self.form = self._prepared.form
        self._wording = _wording_number(self.settings["wording"], len(self._template.wordings))

    @classmethod
    def options_of(cls) -> tuple[Option, ...]:
        """What the task may be told, as a form shows it."""
        base = find_template(cls.template)
        forms = cls.forms or tuple(name for name in FORMS if _serves(name, base))
        found = [
            Option(
                "wording",
                f"Which of the instruction's {len(base.wordings)} wordings is asked, "
                "the same for every row; drawn: one drawn for each row.",
                "1",
                (*(str(number) for number in range(1, len(base.wordings) + 1)), DRAWN),
            )
        ]
        if base.labels:
            shown = ", ".join(label.name for label in base.labels)
            found.insert(
                0, Option("labels", f"The file's labels, with commas between; unless given: {shown}.")
            )
        if len(forms) > 1:
            found.insert(0, Option("form", "The form that the answer is asked in.", base.form, forms))
        return tuple(found)

    def read(self, path: Path, options: Mapping[str, object]) -> Iterator[Row]:
        """The task's rows of a file, or of a dataset that was copied from the Hub (a folder).

        `options` are the reader's; `format` names one of the task's formats, and `columns` (of a dataset)
        says which column is which field. Raises TaskError, CorpusError or ValueError in one sentence.
        """
        told = {**self.told, **options}
        format = _format(self, path, str(told.pop("format", "") or ""))
        columns = told.pop("columns", None) or {}
        known = {option.name for option in readers.get_format(format).options}
        told = {name: value for name, value in told.items() if name in known or name in options}
        if path.is_dir() and is_saved(path):
            found = hub.read_saved(path, format, columns=columns, **told)  # type: ignore[arg-type]
        else:
            found = readers.read(path, format, **told)
        return self._own(found)

    def _own(self, rows: Iterable[Row]) -> Iterator[Row]:
        kinds: Counter[str] = Counter()
        for row in rows:
            kind = self.kind_of(row)
            if self.takes(kind):
                yield self.row_from(row)
            kinds[kind] += 1
        if not any(self.takes(kind) for kind in kinds):
            there = listed([f"{count:,} of {kind}" for kind, count in kinds.most_common(5)], "and")
            raise TaskError(
                f"file: it holds no row for {self.title}, but {there}; choose another file or task."
            )

    def kind_of(self, row: Any) -> str:
        """What decides whether the row is one of this task's, where a file holds several kinds."""
        return ""

    def takes(self, kind: str) -> bool:
        return True

    def row_from(self, row: Any) -> Any:
        """The row as the task's template takes it."""
        return row

    def ask(self, row: Any) -> Asked:
        number = self._prepared.draw(0, row.id) if self._wording is None else self._wording
        try:
            rendered = self._prepared.render(row, number)
        except CannotWrite as refusal:
            raise TaskError(f"row {row.id}: {self._why(refusal, row)}") from None
        if not rendered.output.strip():
            raise TaskError(f"row {row.id}: it has no answer; fill it in, or leave the row out.")
        return Asked(rendered.instruction, rendered.input, rendered.output)

    def gold(self, row: Any) -> Any:
        """What a perfect answer says: a Prediction, of the kind that the form gives."""
        return self.form.gold(row)

    def said(self, row: Any, answer: str) -> Any:
        """What an answer says, by the task's output form: a Prediction of the same kind."""
        return self.form.parse(answer[:MAX_ANSWER], row)

    def options(self, row: Any) -> Sequence[Options]:
        return ()

    @abstractmethod
    def score(self, row: Any, answer: str) -> RowScore: ...

    def score_options(
        self, row: Any, likelihoods: Sequence[Sequence[float]], lengths: Sequence[Sequence[int]]
    ) -> RowScore:
        raise TaskError(f"{self.name}: it has no options to choose from; score it by what a model writes.")

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return {}

    @property
    def identity(self) -> dict[str, Any]:
        """What of the settings changes a score: the task, its form, its labels."""
        labels = [[label.name, label.shown, label.meaning] for label in self.form.labels]
        return {"task": self.name, "form": self.form.name, "labels": labels}

    @property
    def template_name(self) -> str:
        """The template that asks, and its version."""
        return f"{self._template.name}, version {self._template.version}"

    def _why(self, refusal: CannotWrite, row: Any) -> str:
        if refusal.obstacle is Obstacle.UNKNOWN_LABEL:
            known = [label.name for label in self.form.labels]
            foreign = next((name for name in _labels_in(row) if name not in known), "")
            return f"its label {foreign[:40]!r} is not {listed(known)}; mend it, or name yours in labels."
        if refusal.obstacle is Obstacle.NO_ANSWER:
            return "it has no answer; fill it in, or leave the row out."
        mend = "choose another form" if len(self.options_of()) > 1 else "mend the row, or leave it out"
        return f"{refusal.obstacle.value}, which {self.form.title} cannot say; {mend}."


def find_template(name: str) -> Template:
    """A template of the tasks' own, else of the studio's library."""
    return _own_templates().get(name) or templates.get(name)


def is_saved(folder: Path) -> bool:
    """Whether a folder is a dataset as `db.corpora.hub.fetch` copies it."""
    return any((folder / name).exists() for name in ("dataset_info.json", "dataset_dict.json"))


@lru_cache(maxsize=1)
def _own_templates() -> dict[str, Template]:
    entries = yaml.safe_load(_WORDINGS.read_text(encoding="utf-8"))
    found = {}
    for entry in entries:
        form = entry.pop("forms")[0]
        found[entry["name"]] = templates.read_template({**entry, "form": form})
    return found


def _settled(task: type[CorpusTask], told: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, each with its value. Raises TaskError for a name or a value that is not known."""
    known = {option.name: option for option in task.options_of()}
    for name in told:
        if name not in known:
            raise TaskError(f"{name}: {task.title} has no such setting; it knows {listed(list(known))}.")
    settled: dict[str, Any] = {name: told.get(name) or option.default for name, option in known.items()}
    for name, option in known.items():
        if option.choices and str(settled[name]) not in option.choices:
            raise TaskError(f"{name}: {str(settled[name])[:40]!r} is not {listed(list(option.choices))}.")
    return settled


def _in_form(base: Template, settings: Mapping[str, Any]) -> Template:
    labels = labels_from(settings.get("labels") or "")
    if not labels and settings.get("form", base.form) == base.form:
        return base
    return base.in_form(settings.get("form", base.form), labels or None)


def labels_from(written: str | Sequence) -> tuple[Label, ...]:
    """Labels as a person writes them: `yes, no`, or with the word an answer has, `1=association, 0=none`."""
    parts = written.split(",") if isinstance(written, str) else [str(part) for part in written]
    pairs = (part.partition("=") for part in parts if part.strip())
    return tuple(Label(name.strip(), shown.strip()) for name, _, shown in pairs)


def _wording_number(written: object, count: int) -> int | None:
    return None if written == DRAWN else int(str(written)) - 1


def _serves(form: str, base: Template) -> bool:
    kind, own = FORMS[form], FORMS[base.form]
    return kind.shape == own.shape and bool(set(kind.tasks) & set(own.tasks)) and not _is_triples(form, base)


def _is_triples(form: str, base: Template) -> bool:
    """Relations of a whole text, and of a marked pair, are two tasks."""
    return (form == "triples") != (base.form == "triples")


def _format(task: CorpusTask, path: Path, named: str) -> str:
    if named:
        if named not in task.formats:
            raise TaskError(f"format: {task.title} reads {listed(list(task.formats))}, not {named[:40]!r}.")
        return named
    if len(task.formats) == 1 or path.is_dir() or not path.exists():
        return task.formats[0]
    found = readers.detect(path)
    return found if found in task.formats else task.formats[0]


def _labels_in(row: Any) -> list[str]:
    """The labels that a row has, whatever its shape."""
    if relations := getattr(row, "relations", ()):
        return [relation.type for relation in relations]
    return [
        *getattr(row, "labels", ()),
        *getattr(row, "answer", ()),
        *([row.label] if hasattr(row, "label") else []),
    ]


__all__ = ["CorpusError", "CorpusTask", "TaskError", "find_template", "labels_from"]
