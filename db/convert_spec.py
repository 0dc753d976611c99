"""What a conversion is asked to do: which files, as what, by which template, how much of each.

Plain values, stored as JSON on the job. Neither files nor templates are looked at here.
"""

from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

from db.content import MAX_CHARACTERS
from db.corpora.mixture import Mixture, Part
from db.enums import Provenance, Split
from db.spec_fields import option, require_whole

MAX_SOURCES = 200


@dataclass(frozen=True)
class Source:
    """One file of a corpus. Files of one corpus (train, dev, test) share its name and differ in their split.

    Raises ValueError naming the field.
    """

    name: str
    path: str  # within the studio's folder of corpora, as db.corpora.files.keep gave it
    format: str  # a name of db.corpora.readers
    template: str  # a name of db.corpora.templates, or what one's own is called
    template_version: str = ""  # refused where the template has moved on; "": the newest, whichever that is
    options: dict[str, Any] = field(default_factory=dict)  # of the reader
    own_template: dict[str, Any] = field(default_factory=dict)  # a template of one's own: its fields
    split: Split | None = None  # of all its rows; None: as the rows say
    licence: str = ""
    is_restricted: bool = False  # under a data-use agreement: never leaves
    provenance: Provenance = Provenance.NATIVE
    hub: dict[str, Any] = field(default_factory=dict)  # see db.corpora.hub: copied to `path` first

    def __post_init__(self) -> None:
        for name in ("name", "path", "format", "template"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{name}: a source has none; say which {name} it has.")
            object.__setattr__(self, name, text.strip())
        if len(self.name) > 80 or not self.name.isprintable():
            raise ValueError("name: a source's name is one line of 80 characters at most.")
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"path: {self.path} lies outside the studio's folder of corpora; bring it first."
            )
        for name in ("options", "own_template", "hub"):
            if not isinstance(getattr(self, name), dict):
                raise ValueError(f"{name}: those of {self.name} are no names with values.")
        if not isinstance(self.licence, str) or not isinstance(self.is_restricted, bool):
            raise ValueError(f"licence: {self.licence!r} for {self.name} cannot be; give its name as text.")
        object.__setattr__(self, "split", Split(self.split) if self.split else None)
        object.__setattr__(self, "provenance", Provenance(self.provenance))


@dataclass(frozen=True)
class ConvertSpec:
    """One conversion. Raises ValueError naming the field that cannot be."""

    sources: tuple[Source, ...]
    mixture: Mixture = field(default_factory=lambda: Mixture(()))
    name: str = option("", "What the conversion goes by in the list.")
    max_characters: int = option(
        MAX_CHARACTERS, "Longest field in characters. Rows with a longer one are left out and counted."
    )
    check_privacy: bool = option(
        True, "Look for what may tell who a person is; what is found must be cleared before approval."
    )

    def __post_init__(self) -> None:
        given = (Source(**_known(Source, each)) if isinstance(each, dict) else each for each in self.sources)
        object.__setattr__(self, "sources", tuple(given))
        if isinstance(self.mixture, dict):
            object.__setattr__(self, "mixture", _mixture(self.mixture))
        if not 1 <= len(self.sources) <= MAX_SOURCES:
            raise ValueError(f"sources: {len(self.sources)} are named; choose 1 to {MAX_SOURCES}.")
        files = [(each.name, each.path) for each in self.sources]
        twice = next((name for name, path in files if files.count((name, path)) > 1), None)
        if twice is not None:
            raise ValueError(f"sources: {twice} has the same file twice; name each file once.")
        require_whole(self, "max_characters", 1, MAX_CHARACTERS)

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora, in order, each once."""
        return tuple(dict.fromkeys(source.name for source in self.sources))


def _mixture(stored: dict) -> Mixture:
    known = _known(Mixture, stored)
    parts = tuple(Part(**_known(Part, each)) for each in known.pop("parts", ()))
    return Mixture(parts, **known)


def _known(kind: type, stored: dict) -> dict:
    """The stored values; an unknown name raises ValueError."""
    unknown = set(stored) - {each.name for each in fields(kind)}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]}: a {kind.__name__.lower()} has no such setting.")
    return dict(stored)
