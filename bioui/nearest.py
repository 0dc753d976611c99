"""The stored instruction nearest to what someone writes: one index a project, kept in the UI process.

An index reads what the database has that it has not seen yet, so the first question of a project costs the
reading of all its texts (about a second for 25,000) and every later one only what was written since.
"""

from threading import Lock
from weakref import WeakKeyDictionary

from db import instructions
from db.checks.similarity import DUPLICATE, NearestText, Neighbour
from db.content import Content
from db.session import Session


class ProjectTexts:
    """The texts of one project. Handlers run in threads, so a lock guards the index."""

    def __init__(self, project_id: int) -> None:
        self.project_id = project_id
        self._texts = NearestText()
        self._seen = 0  # the last revision id read
        self._deleted: set[int] = set()
        self._lock = Lock()

    def nearest(self, session: Session, text: str, *, except_id: int = 0) -> Neighbour | None:
        """The record most like `text` that is not deleted, by exact ROUGE-L over its words."""
        with self._lock:
            self._read(session)
            self._take_back(session)
            while found := self._texts.nearest(text, except_id=except_id):
                if _is_there(session, found.id):
                    return found
                self._texts.put(found.id, "")
                self._deleted.add(found.id)
        return None

    def _read(self, session: Session) -> None:
        for revision_id, instruction_id, instruction, input in instructions.texts_since(
            session, self.project_id, self._seen
        ):
            self._texts.put(instruction_id, text_of(instruction, input))
            self._seen = revision_id

    def _take_back(self, session: Session) -> None:
        """A deletion may have been undone."""
        for id in [id for id in self._deleted if _is_there(session, id)]:
            stored = instructions.get_instruction(session, id)
            self._texts.put(id, text_of(stored.instruction, stored.input))
            self._deleted.remove(id)


# By database, then by project: an index lives as long as the engine it was read through.
_indexes: WeakKeyDictionary[object, dict[int, ProjectTexts]] = WeakKeyDictionary()


def nearest(session: Session, project_id: int, content: Content, *, except_id: int = 0) -> Neighbour | None:
    """The stored instruction of the project nearest to `content`, itself (`except_id`) left out."""
    projects = _indexes.setdefault(session.get_bind(), {})
    texts = projects.setdefault(project_id, ProjectTexts(project_id))
    return texts.nearest(session, text_of(content.instruction, content.input), except_id=except_id)


def is_near_copy(found: Neighbour) -> bool:
    return found.score > DUPLICATE


def text_of(instruction: str, input: str) -> str:
    """What two records are compared by."""
    return f"{instruction} {input}".strip()


def _is_there(session: Session, id: int) -> bool:
    try:
        instructions.get_instruction(session, id)
    except LookupError:
        return False
    return True
