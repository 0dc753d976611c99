"""From a file to a task that can be frozen: its rows, its prompts, its examples and their hash.

Opens files and knows nothing of the database. Whatever cannot be asked is refused here, in one sentence with
the row, before anything is stored.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from db.corpora import hub, readers
from db.corpora.drawing import drawn_number
from db.corpora.files import folder_of, locate
from db.enums import Category, Split
from db.tasks import make_task, to_json
from db.tasks.task import TaskError

MAX_ROWS = 200_000  # of one task; an evaluation of more takes days
MAX_SHOTS = 32
_TOLD_EVERY = 1_000  # rows
_FORMAT = 1  # of the hash
_NO_CONTENT = frozenset(("id", "document_id", "split", "facets"))  # of a row: they change no score

Tell = Callable[[int], object]
"""Hears now and then how many rows have been read."""


@dataclass(frozen=True)
class TaskDraft:
    """A task as someone asks for it: which one, of which rows, with how many examples before each.

    `path` and `examples` are files as `db.corpora.files.keep` gave them. Raises TaskError naming the field.
    """

    task: str
    path: str = ""
    name: str = ""
    format: str = ""  # of the task's formats; told from the file unless named
    reader: Mapping[str, str] = field(default_factory=dict)  # the reader's options
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the task: form, labels, wording
    split: str = ""  # "": the test rows where the file tells splits, else all
    shots: int = 0
    examples: str = ""  # "": the file's own train rows
    seed: int = 0  # of the draw of examples, and of rows where there is a limit
    limit: int = 0  # 0: every row
    is_general: bool | None = None  # None: as the task is
    licence: str = ""
    is_restricted: bool = False
    hub: Mapping[str, Any] = field(default_factory=dict)  # fields of db.corpora.hub.Wanted
    leave_out: bool = False  # rows that the output form cannot write are left out and counted, not refused

    def __post_init__(self) -> None:
        if not self.path:
            raise TaskError("file: a task needs rows; bring a file, or name a dataset.")
        if self.split not in ("", *Split):
            raise TaskError(f"split: {self.split[:20]!r} is none of {', '.join(Split)}; choose one.")
        _require_whole("shots", self.shots, MAX_SHOTS)
        _require_whole("limit", self.limit, MAX_ROWS)
        _require_whole("seed", self.seed, 2**31 - 1)


@dataclass(frozen=True)
class PreparedRow:
    """One row as it will be stored (see `db.tables.TaskRow`)."""

    key: str
    document: str
    instruction: str
    input: str
    reference: str
    source: Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A task that can be frozen as it stands."""

    name: str
    task: str
    category: Category
    rows: tuple[PreparedRow, ...]
    examples: tuple[dict[str, str], ...]
    settings: dict[str, Any]
    content_hash: str
    split: str = ""
    is_general: bool = False
    licence: str = ""
    is_restricted: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> rows


def prepare(data_dir: Path, draft: TaskDraft, tell: Tell = lambda rows: None) -> Prepared:
    """Read the file, ask every row once, draw the examples.

    Raises TaskError, CorpusError or ValueError, each in one sentence: an empty file, a row without its
    answer, a label outside the set, fewer examples than shots.
    """
    task: Any = make_task(draft.task, draft.settings)
    if not task.formats:
        raise TaskError("task: it takes its rows from a frozen dataset version; name that and no file.")
    numbered = list(_numbered(_read(data_dir, task, draft, draft.path), tell))
    scored = _limited(_of_split(numbered, draft.split), draft)
    rows, left_out = _asked(task, scored, draft)
    if not rows:
        raise TaskError("file: no row is left to score; choose another file or output form.")
    _require_something_to_find(task, [row for _, row in scored])
    pool = _examples_pool(data_dir, task, draft, numbered, {number for number, _ in scored})
    examples = draw_examples(task, pool, rows, draft.shots, draft.seed)
    return Prepared(
        draft.name.strip(),
        task.name,
        task.category,
        rows,
        examples,
        _settings(task, draft, left_out),
        hash_of(task, rows, examples),
        draft.split or _shared_split(scored),
        task.is_general if draft.is_general is None else draft.is_general,
        draft.licence.strip(),
        draft.is_restricted,
        left_out,
    )


def draw_examples(
    task: Any, pool: Iterable[Any], rows: Sequence[PreparedRow], shots: int, seed: int
) -> tuple[dict[str, str], ...]:
    """So many rows of the pool, drawn by a hash of seed and row: the same in any order.

    None asks what a scored row asks. Raises TaskError where the pool has fewer.
    """
    if not shots:
        return ()
    scored, found = {_question(row.instruction, row.input) for row in rows}, 0
    drawn: dict[str, dict[str, str]] = {}
    for row in sorted(pool, key=lambda row: drawn_number(seed, "examples", row.id)):
        try:
            asked = task.ask(row)
        except TaskError:
            continue
        found += 1
        question = _question(asked.instruction, asked.input)
        if question not in scored and question not in drawn:
            drawn[question] = {
                "instruction": asked.instruction,
                "input": asked.input,
                "output": asked.reference,
            }
        if len(drawn) == shots:
            return tuple(drawn.values())
    reason = f"{len(drawn):,} rows serve as one"
    if found > len(drawn):
        reason += f" ({found - len(drawn):,} more are scored themselves, or stand there twice)"
    raise TaskError(
        f"shots: {shots} examples are asked for and {reason}; bring a file of examples, or ask for fewer."
    )


def hash_of(task: Any, rows: Sequence[PreparedRow], examples: Sequence[Mapping[str, str]]) -> str:
    """SHA-256 over what makes a score: task, form, labels, examples, and each row's prompt and right answer.

    Names, ids, files and seeds do not enter it: the same task frozen twice has one hash.
    """
    digest = sha256()
    for part in ({"format": _FORMAT, **task.identity}, list(examples), *map(_content, rows)):
        digest.update(json.dumps(part, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def rows_left(numbers: Sequence[str], seed: int, limit: int) -> list[int]:
    """The places of `limit` rows, drawn by a hash of seed and id, in their order; all where limit is 0."""
    if not limit or limit >= len(numbers):
        return list(range(len(numbers)))
    drawn = sorted(range(len(numbers)), key=lambda place: (drawn_number(seed, "rows", numbers[place]), place))
    return sorted(drawn[:limit])


def _read(data_dir: Path, task: Any, draft: TaskDraft, kept: str) -> Iterator[Any]:
    """The task's rows of a kept file; files that its options name are the studio's own, too."""
    options: dict[str, object] = {"format": draft.format, **draft.reader}
    for format in task.formats:
        for option in readers.get_format(format).options:
            if option.kind == "file" and options.get(option.name):
                options[option.name] = str(locate(data_dir, str(options[option.name])))
    if draft.hub and kept == draft.path:
        options["columns"] = hub.Wanted(**draft.hub).columns
    return task.read(locate(data_dir, kept), options)


def bring_from_hub(data_dir: Path, wanted: hub.Wanted) -> str:
    """Copy a dataset of the Hub into the studio: the path for a TaskDraft. Needs the network.

    Raises ValueError where it cannot be fetched.
    """
    place = hub.place_for(wanted.name)
    hub.fetch(wanted, folder_of(data_dir) / place)
    return place


def _numbered(rows: Iterable[Any], tell: Tell) -> Iterator[tuple[int, Any]]:
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise TaskError(f"file: it has more than {MAX_ROWS:,} rows; bring fewer, such as its test split.")
        if number % _TOLD_EVERY == 0:
            tell(number)
        yield number, row


def _of_split(numbered: list[tuple[int, Any]], split: str) -> list[tuple[int, Any]]:
    """The rows to score: of the split named, else the test rows, the validation rows, or all there are."""
    there = Counter(row.split for _, row in numbered)
    if split:
        if not there[Split(split)] and set(there) != {None}:
            named = ", ".join(f"{count:,} {name or 'without one'}" for name, count in there.items())
            raise TaskError(f"split: the file has no {split} rows but {named}; choose one of these.")
        chosen = None if set(there) == {None} else Split(split)
    else:
        held_out = [each for each in (Split.TEST, Split.VALIDATION) if there[each]]
        chosen = held_out[0] if held_out and len(there) > 1 else None
    return [pair for pair in numbered if chosen is None or pair[1].split == chosen]


def _limited(scored: list[tuple[int, Any]], draft: TaskDraft) -> list[tuple[int, Any]]:
    places = rows_left([row.id for _, row in scored], draft.seed, draft.limit)
    return [scored[place] for place in places]


def _asked(
    task: Any, scored: Sequence[tuple[int, Any]], draft: TaskDraft
) -> tuple[tuple[PreparedRow, ...], dict[str, int]]:
    rows, left_out = [], Counter[str]()
    names = (PurePosixPath(draft.path).stem, PurePosixPath(draft.path).name.partition(".")[0])
    for number, row in scored:
        try:
            asked = task.ask(row)
        except TaskError as error:
            if not draft.leave_out:
                id = f" ({row.id[:40]})" if row.id != str(number) else ""
                raise TaskError(f"row {number:,}{id}: {_without_place(str(error), row.id)}") from None
            left_out[_without_place(str(error), row.id)] += 1
            continue
        document = row.id if row.document_id in names else row.document_id
        rows.append(
            PreparedRow(row.id, document, asked.instruction, asked.input, asked.reference, to_json(row))
        )
    return tuple(rows), dict(left_out)


def _examples_pool(
    data_dir: Path, task: Any, draft: TaskDraft, numbered: list[tuple[int, Any]], scored: set[int]
) -> list[Any]:
    """Rows of the examples file (its train rows where it tells splits), else the file's own train rows.

    A file without train rows gives those of its validation split, as MMLU's are meant.
    """
    if not draft.shots:
        return []
    if not draft.examples:
        left = [row for number, row in numbered if number not in scored]
        return _train_rows(left) or [row for row in left if row.split == Split.VALIDATION]
    found = list(_read(data_dir, task, draft, draft.examples))
    return _train_rows(found) or found


def _train_rows(rows: Iterable[Any]) -> list[Any]:
    return [row for row in rows if row.split == Split.TRAIN]


def _require_something_to_find(task: Any, rows: Sequence[Any]) -> None:
    """Raise TaskError where a file has mentions, and none of the types that are asked for."""
    types: Counter[str] = Counter()
    for row in rows:
        if getattr(row, "relations", ()) or not hasattr(row, "entities"):
            return
        types.update(entity.type for entity in row.entities)
        if row.entities and task.gold(row).items:
            return
    if types:
        there = ", ".join(f"{name} ({count:,})" for name, count in types.most_common(5))
        asked = ", ".join(label.name for label in task.form.labels)
        raise TaskError(f"labels: the file has no mention of {asked} but {there}; name its types in labels.")


def _settings(task: Any, draft: TaskDraft, left_out: Mapping[str, int]) -> dict[str, Any]:
    """What the version tells of itself. `task` is what makes the task again (`db.tasks.of_version`)."""
    return {
        "task": task.settings,
        "template": task.template_name,
        "source": {
            "path": draft.path,
            "format": draft.format,
            "reader": dict(draft.reader),
            "hub": dict(draft.hub),
        },
        "examples": draft.examples,
        "shots": draft.shots,
        "seed": draft.seed,
        "limit": draft.limit,
        "left_out": dict(left_out),
    }


def _content(row: PreparedRow) -> list[Any]:
    """A row's part of the hash: its prompt, its reference, and what else counts as right."""
    gold = {name: value for name, value in row.source.items() if name not in _NO_CONTENT}
    return [row.instruction, row.input, row.reference, gold]


def _shared_split(scored: Sequence[tuple[int, Any]]) -> str:
    splits = {row.split for _, row in scored}
    return str(splits.pop() or "") if len(splits) == 1 else ""


def _without_place(sentence: str, row_id: str) -> str:
    return sentence.removeprefix(f"row {row_id}: ")


def _question(instruction: str, input: str) -> str:
    """What is asked, but for white space and case; the wording of an instruction does not tell rows apart."""
    return " ".join((input or instruction).split()).casefold()


def _require_whole(name: str, value: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise TaskError(f"{name}: it is {str(value)[:20]}; write a whole number from 0 to {most:,}.")
