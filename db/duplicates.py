"""Near-duplicates stop at the gate: the stored instructions nearest to a text, what may pass, and waivers.

One index a project lives in the process, shared by the page that checks while one types, by imports and by
generation. It reads what the database has that it has not seen, so the first question about a project costs
the reading of all its texts (some seconds for 25,000) and every later one only what was written since.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import isfinite
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit, instructions
from db.checks.similarity import NearestText, Neighbour, rouge_l
from db.content import Content
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.tables import DuplicateWaiver, Instruction, Project

MAX_REASON = 2_000  # characters
_SETTING = "duplicates"  # the key in Project.settings
_LOWEST = 0.3  # unrelated texts reach it by their function words alone
SHOWN = 0.6  # what scores no higher decides nothing and is not looked for: long texts would take seconds
_LATE_COMMITS = 500  # revisions; see ProjectTexts


class Kind(StrEnum):
    """What the nearest stored text is to a new one."""

    COPY = "copy"
    VARIANT = "variant"  # near, but each names something that the other does not
    NONE = "none"  # not near


@dataclass(frozen=True)
class DuplicateRule:
    """A project's two bounds of ROUGE-L F1; a text stops when its score is *above* the bound.

    A variant passes up to a bound of its own; with both at one number it stops as a copy does.
    Raises ValueError naming the bound.
    """

    copy: float = 0.7  # Self-Instruct's bound
    variant: float = 0.95

    def __post_init__(self) -> None:
        for name, bound in asdict(self).items():
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not isfinite(bound):
                raise ValueError(f"{name}: give a number from {_LOWEST} to 1.")
            if not _LOWEST <= bound <= 1:
                raise ValueError(f"{name}: {bound} is not from {_LOWEST} to 1; 0.7 is usual for copies.")
        if self.variant < self.copy:
            raise ValueError(f"variant: {self.variant} is below copy, {self.copy}; make it at least as high.")

    def bound(self, kind: Kind) -> float:
        """What the score of that kind may not exceed."""
        return self.variant if kind is Kind.VARIANT else self.copy


@dataclass(frozen=True)
class Near:
    """The stored instruction that decides about a text: the nearest that stops it, else the nearest."""

    id: int
    score: float  # ROUGE-L F1, 0 to 1
    kind: Kind
    stops: bool
    bound: float  # of the project, for this kind


def rule_of(project: Project) -> DuplicateRule:
    return DuplicateRule(**project.settings.get(_SETTING, {}))


def set_rule(session: Session, actor: Actor, project_id: int, rule: DuplicateRule) -> Project:
    """Set the project's two bounds. What is stored already stays as it is."""
    require(actor, Right.MANAGE_PROJECT)
    project = get_project(session, project_id)
    project.settings = {**project.settings, _SETTING: asdict(rule)}
    audit.record(session, actor, "duplicates_set", project, **asdict(rule))
    return project


def text_of(instruction: str, input: str) -> str:
    """What two records are compared by."""
    return f"{instruction} {input}".strip()


def find_near(
    session: Session, project_id: int, content: Content, *, except_ids: Iterable[int] = ()
) -> Near | None:
    """What decides about `content` in the project; None where nothing is near.

    Deleted records do not count, nor those of `except_ids`: pass the record's own id. Exact: a text that
    stops it is never missed, not even behind a nearer variant that passes, and none that stops it scores
    higher. Where nothing stops it, this is the nearest of all as long as it scores above SHOWN, or above the
    bound of copies where a project's is lower.
    """
    rule = rule_of(get_project(session, project_id))
    hidden = set(except_ids)
    if found := _stopping(session, project_id, content, rule, hidden):
        return _near(found, rule)
    text, above = text_of(content.instruction, content.input), min(SHOWN, rule.copy)
    nearest = _texts_of(session, project_id).nearest(session, text, above, hidden)
    return _near(nearest, rule) if nearest else None


def find_copy(
    session: Session, project_id: int, content: Content, *, except_ids: Iterable[int] = ()
) -> Near | None:
    """What stops `content`, as `find_near` says it, or None: much the quicker question."""
    rule = rule_of(get_project(session, project_id))
    found = _stopping(session, project_id, content, rule, set(except_ids))
    return _near(found, rule) if found else None


def _stopping(
    session: Session, project_id: int, content: Content, rule: DuplicateRule, hidden: set[int]
) -> Neighbour | None:
    """The stored instruction that stops `content`; `hidden` grows by those that share the input alone."""
    texts = _texts_of(session, project_id)
    text = text_of(content.instruction, content.input)

    def search(hidden: set[int]) -> Neighbour | None:
        return texts.stopping(session, text, rule, hidden)

    def stored(id: int) -> Instruction:
        return instructions.get_instruction(session, id)

    return stopping(search, stored, content, rule, hidden)


def stopping(
    search: Callable[[set[int]], Neighbour | None],
    record: Callable[[int], Content | Instruction],
    content: Content,
    rule: DuplicateRule,
    hidden: set[int],
) -> Neighbour | None:
    """What `search(hidden)` finds among the records of `record(id)`, but for other questions on one passage.

    Of two records with one input the instructions alone are compared: a long passage would make copies of
    any two questions on it. Those that pass so are added to `hidden`.
    """
    while found := search(hidden):
        other = record(found.id)
        if not content.input or other.input != content.input:
            return found
        alone = NearestText()
        alone.put(found.id, other.instruction)
        if near := alone.stopping(content.instruction, copy=rule.copy, variant=rule.variant):
            return near
        hidden.add(found.id)
    return None


def require_no_copy(session: Session, actor: Actor, instruction: Instruction) -> None:
    """Raise ValueError when a stored instruction stops this one and nobody waived it for this version."""
    require(actor, Right.READ)
    waived = {waiver.near_id for waiver in list_waivers(session, instruction)}
    content = Content(instruction.instruction, instruction.input)
    near = find_copy(session, instruction.project_id, content, except_ids={instruction.id, *waived})
    if near:
        raise ValueError(
            f"instruction: a near {near.kind} of number {near.id} (ROUGE-L {near.score:.3f}, above "
            f"{near.bound:g}). Change this one, edit number {near.id} instead, or keep both and say why."
        )


def waive(
    session: Session, actor: Actor, instruction_id: int, near_id: int, *, version: int, reason: str
) -> DuplicateWaiver:
    """Let `version` of an instruction stand beside the near one. The next revision has to be waived again.

    The score is measured here, never taken on trust. Raises ValueError, LookupError, PolicyError.
    """
    require(actor, Right.WRITE)
    instruction = instructions.get_instruction(session, instruction_id)
    near = instructions.get_instruction(session, near_id)
    if instruction.author_id != actor.id and not actor.can(Right.REVIEW):
        raise PolicyError("You may not waive it for another author: that needs the role reviewer.")
    if near.id == instruction.id or near.project_id != instruction.project_id:
        raise ValueError(f"near: number {near_id} is not another instruction of this project; name one.")
    if version != instruction.version:
        raise ValueError("instruction: a newer version was saved; compare that one before you keep both.")
    if not reason.strip():
        raise ValueError("reason: say why both texts are needed.")
    if len(reason) > MAX_REASON:
        raise ValueError(f"reason: {len(reason):,} characters; shorten it to {MAX_REASON:,} at most.")
    pair = (instruction, near)
    is_one_input = bool(near.input) and near.input == instruction.input
    score = rouge_l(*(text_of(one.instruction, "" if is_one_input else one.input) for one in pair))
    waiver = DuplicateWaiver(
        instruction_id=instruction.id,
        version=version,
        near_id=near.id,
        score=score,
        reason=reason.strip(),
        actor_id=actor.id,
    )
    session.add(waiver)
    audit.record(
        session, actor, "duplicate_waived", instruction, version=version, near_id=near.id, score=score
    )
    return waiver


def list_waivers(session: Session, instruction: Instruction) -> list[DuplicateWaiver]:
    """Those of its present version."""
    query = select(DuplicateWaiver).where(
        DuplicateWaiver.instruction_id == instruction.id, DuplicateWaiver.version == instruction.version
    )
    return list(session.scalars(query.order_by(DuplicateWaiver.id)))


@dataclass
class _Shelf:
    texts: NearestText = field(default_factory=NearestText)
    seen: int = 0  # the last revision id read


class ProjectTexts:
    """The head texts of one project. Requests run in threads, so a lock guards the index.

    A `write()` scope may hold revisions that are rolled back later, their ids given to others: what such a
    scope sees beyond the index goes on a shelf that ends with its session. A `read()` scope sees only what
    is committed: that stays. SQLite commits revisions in the order of their ids; elsewhere the last few
    hundred are read again each time.
    """

    def __init__(self, project_id: int) -> None:
        self.project_id = project_id
        self._saved = _Shelf()
        self._unsaved: WeakKeyDictionary[Session, _Shelf] = WeakKeyDictionary()
        self._gone: set[int] = set()  # found near something, and deleted; a deletion may be undone
        self._lock = Lock()

    def nearest(
        self, session: Session, text: str, above: float, except_ids: Iterable[int] = ()
    ) -> Neighbour | None:
        def search(texts: NearestText, hidden: set[int]) -> Neighbour | None:
            return texts.nearest(text, above=above, except_ids=hidden)

        return self._search(session, except_ids, search)

    def stopping(
        self, session: Session, text: str, rule: DuplicateRule, except_ids: Iterable[int] = ()
    ) -> Neighbour | None:
        def search(texts: NearestText, hidden: set[int]) -> Neighbour | None:
            return texts.stopping(text, copy=rule.copy, variant=rule.variant, except_ids=hidden)

        return self._search(session, except_ids, search)

    def _search(self, session: Session, except_ids: Iterable[int], search) -> Neighbour | None:
        """The best answer of `search` that is not deleted."""
        with self._lock:
            unsaved = self._read(session)
            self._gone -= _there(session, self._gone)
            hidden = {*except_ids, *self._gone}
            while True:
                found = [search(self._saved.texts, hidden | unsaved.ids if unsaved else hidden)]
                found += [search(unsaved, hidden)] if unsaved else []
                best = max(filter(None, found), key=lambda near: near.score, default=None)
                if best is None or _there(session, {best.id}):
                    return best
                self._gone.add(best.id)
                hidden.add(best.id)

    def _read(self, session: Session) -> NearestText | None:
        """Take in what was written since. In a `write()` scope it is given back, to be searched first."""
        is_writing = session.connection().get_execution_options().get("begin") == "IMMEDIATE"
        if not is_writing:
            self._fill(self._saved, session)
            return None
        if session not in self._unsaved:
            with Session(
                session.get_bind()
            ) as committed:  # what others wrote is read once a process, not once a session
                self._fill(self._saved, committed)
        shelf = self._unsaved.setdefault(session, _Shelf(seen=self._saved.seen))
        self._fill(shelf, session)
        return shelf.texts

    def _fill(self, shelf: _Shelf, session: Session) -> None:
        is_ordered = session.get_bind().dialect.name == "sqlite"
        since = shelf.seen if is_ordered else max(0, shelf.seen - _LATE_COMMITS)
        for revision_id, id, instruction, input in instructions.texts_since(session, self.project_id, since):
            shelf.texts.put(id, text_of(instruction, input))
            shelf.seen = revision_id


# By database, then by project: an index lives as long as the engine it was read through.
_indexes: WeakKeyDictionary[object, dict[int, ProjectTexts]] = WeakKeyDictionary()


def _texts_of(session: Session, project_id: int) -> ProjectTexts:
    projects = _indexes.setdefault(session.get_bind(), {})
    return projects.setdefault(project_id, ProjectTexts(project_id))


def _near(found: Neighbour, rule: DuplicateRule) -> Near:
    kind = Kind.VARIANT if found.is_variant else Kind.COPY
    bound = rule.bound(kind)
    if found.score <= rule.copy:
        kind = Kind.NONE
    return Near(found.id, found.score, kind, found.score > bound, bound)


def _there(session: Session, ids: set[int]) -> set[int]:
    """Those of `ids` that are not deleted."""
    if not ids:
        return set()
    query = select(Instruction.id).where(Instruction.id.in_(ids), Instruction.deleted_at.is_(None))
    return set(session.scalars(query))
