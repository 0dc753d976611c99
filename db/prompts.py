"""The shelf: prompts to compare models on, each with its versions. A saved version never changes.

Whoever saves says which version lay before them; where a newer one came in between, nothing is written and
both texts are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from db import audit, expected
from db.enums import Category
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Prompt, PromptVersion
from db.tables.base import utc_now

TITLE = 120  # characters
LABEL = 80
MAX_CHARACTERS = 20_000
MAX_TAGS = 20
TEXTS = ("instruction", "input", "system", "watch_for")


@dataclass(frozen=True)
class PromptDraft:
    """What a person writes for the shelf. Raises ValueError naming the field that cannot be."""

    title: str
    instruction: str
    input: str = ""
    system: str = ""
    category: Category = Category.QA
    task: str = ""
    specialty: str = ""
    tags: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()  # see db.expected
    watch_for: str = ""

    def __post_init__(self) -> None:
        for name, most in (("title", TITLE), ("task", LABEL), ("specialty", LABEL)):
            self._set(name, " ".join(_text(self, name, most).split()))
        for name in TEXTS:
            self._set(name, _text(self, name, MAX_CHARACTERS).replace("\r\n", "\n").strip())
        for name, mend in (("title", "give the prompt one"), ("instruction", "write what models are asked")):
            if not getattr(self, name):
                raise ValueError(f"{name}: {mend}.")
        if self.category not in list(Category):
            raise ValueError(f"category: {self.category} is not one of {', '.join(Category)}.")
        self._set("category", Category(self.category))
        tags = (" ".join(tag.lower().split()) for tag in _words(self, "tags"))
        self._set("tags", tuple(dict.fromkeys(tag for tag in tags if tag)))
        if len(self.tags) > MAX_TAGS or any(len(tag) > LABEL for tag in self.tags):
            raise ValueError(f"tags: give {MAX_TAGS} at most, each of {LABEL} characters at most.")
        self._set("expected", expected.clean(_words(self, "expected")))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


FIELDS = tuple(field.name for field in fields(PromptDraft))


class StalePromptError(ValueError):
    """Someone saved a newer version in between. Carries it, as `theirs`, and what was to be saved: `mine`."""

    def __init__(self, stored: PromptVersion, mine: PromptDraft) -> None:
        who = stored.created_by.full_name if stored.created_by else "The studio"
        super().__init__(
            f"prompt: {who} saved version {stored.number} in the meantime. Nothing of yours is lost: compare "
            "both texts and save again."
        )
        self.stored, self.theirs, self.mine = stored, draft_of(stored), mine


def draft_of(version: PromptVersion) -> PromptDraft:
    """A stored version as a person would write it."""
    own = {name: getattr(version, name) for name in FIELDS if name not in ("title", "tags", "expected")}
    return PromptDraft(
        title=version.prompt.title, tags=tuple(version.tags), expected=tuple(version.expected), **own
    )


# Looking --------------------------------------------------------------------------------------------------


def list_shelf(session: Session, project_id: int, *, removed: bool = False) -> list[PromptVersion]:
    """The newest version of each prompt on the shelf, or of each taken off it; the oldest prompt first."""
    gone = Prompt.removed_at.is_not(None) if removed else Prompt.removed_at.is_(None)
    query = (
        select(Prompt)
        .where(Prompt.project_id == project_id, gone)
        .order_by(Prompt.id)
        .options(selectinload(Prompt.versions).joinedload(PromptVersion.created_by))
    )
    return [prompt.versions[-1] for prompt in session.scalars(query) if prompt.versions]


def search(
    session: Session,
    project_id: int,
    words: str = "",
    *,
    specialty: str = "",
    tags: Sequence[str] = (),
    category: Category | None = None,
) -> list[PromptVersion]:
    """Those of the shelf that hold every word, and have that specialty, every tag, and that category."""
    wanted = words.casefold().split()
    return [
        version
        for version in list_shelf(session, project_id)
        if (not specialty or version.specialty.casefold() == specialty.casefold())
        and (category is None or version.category is category)
        and {tag.lower() for tag in tags} <= set(version.tags)
        and all(word in _searched(version) for word in wanted)
    ]


def get(session: Session, project_id: int, prompt_id: int) -> Prompt:
    """A prompt of the project, removed or not. Raises LookupError."""
    prompt = session.get(Prompt, prompt_id)
    if prompt is None or prompt.project_id != project_id:
        raise LookupError(f"This project has no prompt number {prompt_id}.")
    return prompt


def get_version(session: Session, project_id: int, version_id: int) -> PromptVersion:
    """One version of a prompt of the project. Raises LookupError."""
    version = session.get(PromptVersion, version_id, options=[joinedload(PromptVersion.prompt)])
    if version is None or version.prompt.project_id != project_id:
        raise LookupError(f"This project has no version number {version_id} of a prompt.")
    return version


def find(session: Session, project_id: int, title: str) -> Prompt | None:
    """The prompt of that title, removed or not."""
    same = " ".join(title.split())
    return session.scalar(select(Prompt).where(Prompt.project_id == project_id, Prompt.title == same))


def history(session: Session, project_id: int, prompt_id: int) -> list[PromptVersion]:
    """Every version of a prompt, the newest first, each with its author."""
    query = (
        select(PromptVersion)
        .join(PromptVersion.prompt)
        .where(Prompt.id == get(session, project_id, prompt_id).id)
        .order_by(PromptVersion.number.desc())
        .options(contains_eager(PromptVersion.prompt), joinedload(PromptVersion.created_by))
    )
    return list(session.scalars(query))


# Changing -------------------------------------------------------------------------------------------------


def add(session: Session, actor: Actor, project_id: int, draft: PromptDraft) -> PromptVersion:
    """A new prompt. Raises ValueError when its title is taken."""
    require(actor, Right.COMPARE)
    _require_free(session, project_id, draft.title)
    prompt = Prompt(project_id=get_project(session, project_id).id, title=draft.title)
    session.add(prompt)
    version = _next_version(actor, prompt, draft)
    audit.record(session, actor, "created", prompt, number=version.number)
    return version


def save(
    session: Session, actor: Actor, project_id: int, prompt_id: int, draft: PromptDraft, *, number: int
) -> PromptVersion:
    """The draft as the next version, on top of version `number`. The same text adds none.

    Raises StalePromptError when a newer version is there, ValueError for a title that another prompt has.
    """
    require(actor, Right.COMPARE)
    prompt = get(session, project_id, prompt_id)
    newest = prompt.versions[-1]
    if newest.number != number:
        raise StalePromptError(newest, draft)
    if prompt.removed_at is not None:
        raise ValueError("prompt: it was taken off the shelf; put it back first, or save it as a new one.")
    if draft_of(newest) == draft:
        return newest
    if draft.title != prompt.title:
        _require_free(session, project_id, draft.title)
        prompt.title = draft.title
    version = _next_version(actor, prompt, draft)
    audit.record(session, actor, "saved_prompt", prompt, number=version.number)
    return version


def remove(session: Session, actor: Actor, project_id: int, prompt_id: int) -> Prompt:
    """Take a prompt off the shelf. Its versions stay, for answers point at them. Twice is once."""
    require(actor, Right.COMPARE)
    prompt = get(session, project_id, prompt_id)
    if prompt.removed_at is None:
        prompt.removed_at = utc_now()
        audit.record(session, actor, "removed_prompt", prompt)
    return prompt


def restore(session: Session, actor: Actor, project_id: int, prompt_id: int) -> Prompt:
    """Put a removed prompt back on the shelf."""
    require(actor, Right.COMPARE)
    prompt = get(session, project_id, prompt_id)
    if prompt.removed_at is not None:
        prompt.removed_at = None
        audit.record(session, actor, "put_back", prompt)
    return prompt


def _next_version(actor: Actor, prompt: Prompt, draft: PromptDraft) -> PromptVersion:
    own = {name: getattr(draft, name) for name in FIELDS if name != "title"}
    own |= {"tags": list(draft.tags), "expected": list(draft.expected)}
    version = PromptVersion(number=len(prompt.versions) + 1, created_by_id=actor.id, **own)
    prompt.versions.append(version)
    return version


def _require_free(session: Session, project_id: int, title: str) -> None:
    taken = find(session, project_id, title)
    if taken is None:
        return
    where = "on the shelf" if taken.removed_at is None else "among the removed; put it back, or"
    mend = "; save a new version of it, or " if taken.removed_at is None else " "
    raise ValueError(f"title: a prompt named {taken.title} is {where}{mend}choose another title.")


def _searched(version: PromptVersion) -> str:
    parts = (version.prompt.title, version.instruction, version.input, version.task.replace("_", " "))
    return " ".join((*parts, version.specialty, version.category, *version.tags)).casefold()


def _text(draft: PromptDraft, name: str, most: int) -> str:
    text = getattr(draft, name)
    if not isinstance(text, str):
        raise ValueError(f"{name}: must be text, not {type(text).__name__}.")
    if len(text) > most:
        raise ValueError(f"{name}: {len(text):,} characters; shorten it to {most:,} at most.")
    return text


def _words(draft: PromptDraft, name: str) -> Sequence[str]:
    given = getattr(draft, name)
    if isinstance(given, str) or not all(isinstance(one, str) for one in given or ()):
        raise ValueError(f"{name}: must be a list of texts.")
    return given or ()
