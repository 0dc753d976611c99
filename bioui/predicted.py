"""Predictions as the browser of the Results page shows them: a page of rows, and one row to read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from bioui.components.prediction_filter import filter_value, shows_of
from bioui.components.prediction_list import PAGE_ROWS, Line, Listed, list_value
from bioui.components.prediction_reading import LETTERS, Answered, Asked, fault_words, reading_value
from bioui.components.table import Trail
from bioui.resulting import PATH, Pair, name_of, open_pair
from db import leaks, predictions, task_versions
from db.corpora.forms.prediction import Fault, Mention
from db.enums import Way
from db.session import Session
from db.tables import Evaluation, Prediction, TaskRow

NO_FILES = "Under a data-use agreement: its rows stay here, and no file is made of them."


@dataclass(frozen=True)
class Browsing:
    """Which predictions are listed, and where in them the reader is."""

    evaluation_id: int = 0
    against_id: int = 0
    show: str = "all"
    text: str = ""
    fault: str = ""
    of_left: bool = False  # of two, the left one's answers are asked for that fault
    trail: Trail = field(default_factory=Trail)
    following: int | None = None
    counted: tuple[int, bool] | None = None  # (total, has_more) of the first page that was shown
    jumped: bool = False  # the second page begins at a row that an address named, not behind the first 50

    @classmethod
    def of(cls, pair: Pair, show: str = "all", text: str = "", fault: str = "", of: str = "") -> "Browsing":
        """The first page; a filter that these evaluations have not becomes all of them."""
        known = show if show in shows_of(pair.against is not None) else "all"
        fault = fault if known == "faulty" else ""
        is_of_left = of == "left" and bool(fault) and pair.against is not None
        return cls(*_ids(pair), known, text.strip(), fault, is_of_left)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of its address."""
        against = str(self.against_id) if self.against_id else ""
        said = {
            "evaluation": str(self.evaluation_id), "against": against, "tab": "predictions",
            "show": self.show, "q": self.text, "fault": self.fault,
            "of": "left" if self.of_left else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}


def filter_of(browsing: Browsing) -> dict:
    is_pair = bool(browsing.against_id)
    words = fault_words(browsing.fault) if browsing.fault else ""
    if is_pair and browsing.fault:
        words += f" (of the model on the {'left' if browsing.of_left else 'right'})"
    return filter_value(browsing.show, browsing.text, browsing.fault, words, is_pair=is_pair)


def list_of(
    session: Session, project_id: int, browsing: Browsing, *, current: int | None = None
) -> tuple[dict, Browsing]:
    """The page of rows that the browsing is at, and the browsing that knows where the next begins."""
    pair = open_pair(session, project_id, browsing.evaluation_id, browsing.against_id)
    page = page_of(session, browsing, browsing.trail.before_id, PAGE_ROWS)
    value = list_value(
        [_listed(row, pair) for row in page.rows],
        query=f"{PATH}?{urlencode({'project': project_id, **browsing.query})}",
        trail=browsing.trail,
        following=page.next,
        total=page.total,
        is_more=page.has_more,
        jumped=browsing.jumped,
        current=current,
        **_files(pair, browsing),
    )
    return value, replace(browsing, following=page.next, counted=(page.total, page.has_more))


def page_of(session: Session, browsing: Browsing, after: int | None, limit: int) -> predictions.Page:
    """The rows behind `after` that the browsing shows; `against` of each is the left one's answer."""
    ids = browsing.evaluation_id, browsing.against_id or None
    asked, other = reversed(ids) if browsing.of_left else ids
    page = predictions.page(
        session, asked, against_id=other, show=browsing.show, text=browsing.text, fault=browsing.fault,
        after=after, limit=limit, counted=browsing.counted,
    )  # fmt: skip
    if not browsing.of_left:
        return page
    return replace(
        page, rows=[replace(row, prediction=row.against, against=row.prediction) for row in page.rows]
    )


def reading_of(session: Session, project_id: int, browsing: Browsing, position: int) -> dict:
    """One row to read, with one answer or two. Raises LookupError where it is not scored."""
    pair = open_pair(session, project_id, browsing.evaluation_id, browsing.against_id)
    version = pair.evaluation.task_version
    is_there = 0 <= position < version.rows
    rows = task_versions.list_rows(session, version.id, after=position - 1, limit=1) if is_there else []
    if not rows:
        raise LookupError(f"This task has no row number {position + 1}.")
    row = rows[0]
    found = [(each, hue, predictions.find(session, each.id, position)) for each, hue in pair.sides]
    said = [(each, hue, one) for each, hue, one in found if one is not None]
    if not said:
        raise LookupError(f"Row number {position + 1} is not scored yet.")
    asked = _asked(row, version.examples, said[0][2])
    asked = replace(asked, leak=_leak(session, pair.evaluation, position))
    return reading_value(asked, [_answered(each, hue, one, row) for each, hue, one in said])


def _leak(session: Session, evaluation: Evaluation, position: int) -> str:
    """That the row was found among the train rows of the evaluation's adapter; else empty."""
    version_id = evaluation.adapter.dataset_version_id if evaluation.adapter else None
    found = leaks.positions(session, evaluation.task_version_id, version_id) if version_id else ()
    return "It was found among the train rows; see Leaks." if position in found else ""


def _ids(pair: Pair) -> tuple[int, int]:
    return pair.chosen.evaluation_id, pair.chosen.against_id


def _files(pair: Pair, browsing: Browsing) -> dict:
    if pair.evaluation.task_version.is_restricted:
        return {"files_words": NO_FILES}
    query = urlencode({name: value for name, value in browsing.query.items() if name not in _NOT_OF_FILES})
    address = f"{PATH}/{browsing.evaluation_id}/predictions"
    files = {"CSV": f"{address}.csv?{query}", "JSONL": f"{address}.jsonl?{query}"}
    return {"files": files, "files_words": "Take away all that this list shows:"}


_NOT_OF_FILES = ("evaluation", "tab")


def _listed(row: predictions.Row, pair: Pair) -> Listed:
    both = [row.prediction] if pair.against is None else [row.against, row.prediction]
    lines = [
        _line(each, hue, said) for (each, hue), said in zip(pair.sides, both, strict=True) if said is not None
    ]
    return Listed(row.position, row.input or row.instruction, lines)


def _line(evaluation: Evaluation, hue: str, said: Prediction) -> Line:
    return Line(name_of(evaluation), hue, said.answer, said.is_right, said.has_faults, said.score)


def _answered(evaluation: Evaluation, hue: str, said: Prediction, row: TaskRow) -> Answered:
    read = said.said
    mentions = read.get("mentions")
    return Answered(
        name=name_of(evaluation),
        hue=hue,
        text=said.answer,
        is_right=said.is_right,
        score=said.score,
        tokens=said.tokens,
        read=_read_words(read, row.source, evaluation.way),
        faults=[Fault(*map(str, fault[:2])) for fault in read.get("faults", ())],
        mentions=None if mentions is None else _mentions(mentions),
    )


def _asked(row: TaskRow, examples: list[dict], said: Prediction) -> Asked:
    gold = said.said["gold"] if "mentions" in said.said else ()
    return Asked(
        number=row.position + 1,
        key=row.key,
        document=row.document,
        instruction=row.instruction,
        input=row.input,
        reference=row.reference,
        examples=examples,
        text=str(row.source.get("text", "")),
        mentions=_mentions(gold),
    )


def _mentions(stored: list) -> list[Mention]:
    """[[type, [start, end], ...], ...], as `RowScore.said` holds them."""
    return [
        Mention(str(type), tuple((int(start), int(end)) for start, end in spans)) for type, *spans in stored
    ]


def _read_words(read: Mapping, source: Mapping, way: Way) -> list[tuple[str, str]]:
    """What was read from the answer, in words; what is marked in the text is not told twice."""
    name = "Most likely" if way is Way.LIKELIHOOD else "Read as"
    if "choice" in read:
        return [(name, _choice(read["choice"], source))]
    for kind in ("labels", "answers", "lines"):
        if kind in read:
            return [(name, "\n".join(map(str, read[kind])) or "none")]
    return []


def _choice(index: int | None, source: Mapping) -> str:
    if index is None:
        return "no option"
    choices = source.get("choices", ())
    letter = LETTERS[index] if index < len(LETTERS) else str(index + 1)
    return f"{letter}: {choices[index]}" if index < len(choices) else letter
