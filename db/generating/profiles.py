"""The rules by which a project keeps or drops what a model wrote: one frozen set of settings, two shipped.

`self-instruct` is the classic set (Wang et al. 2023; Alpaca the same), with its faults on purpose, to compare
with: its word list drops "CT image" and "Kaplan-Meier plot", it reads ASCII only, so that alpha- and
beta-catenin are one word, and a question about another drug is a copy. `biomedical` is the default.
"""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from math import isfinite
from typing import Any

from sqlalchemy.orm import Session

from db import audit
from db.checks.contamination import Limits
from db.content import MAX_CHARACTERS
from db.duplicates import DuplicateRule
from db.generating.grounding import GroundingRule
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Project

_SETTING = "generation_filters"  # the key in Project.settings
_MOST_WORDS = MAX_CHARACTERS // 2
_MAX_LIST, _MAX_ENTRY = 500, 60  # entries, characters


class CompareOn(StrEnum):
    """The text by which two records are called near."""

    PROMPT = "prompt"  # instruction and input, as the duplicate gate does
    INSTRUCTION = "instruction"  # the instruction alone, as Self-Instruct does


class PhiRule(StrEnum):
    """What happens to a record that looks as if it held patient data."""

    DROP = "drop"
    FLAG = "flag"  # kept, and a reviewer has to clear each flag before it can be approved


@dataclass(frozen=True)
class Profile:
    """Settings of each filter. Words are runs of what is no space. Raises ValueError naming the field."""

    name: str
    min_words: int = 3  # of the instruction
    max_words: int = 400
    max_input_words: int = 1_500
    min_output_words: int = 1
    max_output_words: int = 1_500
    blacklist: tuple[str, ...] = ()  # words or phrases that no instruction may have
    start_blacklist: tuple[str, ...] = ()  # phrases that no instruction may begin with, by letter case
    needs_ascii_start: bool = False  # the first character is one of ASCII
    needs_word_start: bool = False  # the first character is no ASCII punctuation
    needs_sound_text: bool = True  # nothing that db.checks.quality finds in input or output
    compare_on: CompareOn = CompareOn.PROMPT
    ascii_words: bool = False  # words are runs of a-z and 0-9; all else parts them
    copy: float | None = None  # ROUGE-L F1 that a copy may not exceed; None: the project's duplicate rule
    variant: float | None = None  # the same for a text that names something else
    phi: PhiRule = PhiRule.DROP
    contamination_run: int = Limits.run  # words in a row shared with an evaluation text
    contamination_near: float = Limits.near  # ROUGE-L F1
    grounding_coverage: float = GroundingRule.coverage  # for drafts from a passage

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", str(self.name).strip())
        if not self.name:
            raise ValueError("name: give the profile a name.")
        for name in ("min_words", "max_words", "max_input_words", "min_output_words", "max_output_words"):
            _require_words(name, getattr(self, name))
        for part, least, most in (
            ("instruction", "min_words", "max_words"),
            ("output", "min_output_words", "max_output_words"),
        ):
            if getattr(self, least) > getattr(self, most):
                raise ValueError(f"{most}: it is below {least}, so every {part} would fall; raise it.")
        for name in ("blacklist", "start_blacklist"):
            object.__setattr__(self, name, _phrases(name, getattr(self, name)))
        for name in ("needs_ascii_start", "needs_word_start", "needs_sound_text", "ascii_words"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: say true or false.")
        for name, kind in (("compare_on", CompareOn), ("phi", PhiRule)):
            if getattr(self, name) not in list(kind):
                raise ValueError(f"{name}: {getattr(self, name)} is not one of {', '.join(kind)}.")
            object.__setattr__(self, name, kind(getattr(self, name)))
        self.duplicate_rule(DuplicateRule())
        _ = self.limits, self.grounding  # both raise

    @property
    def limits(self) -> Limits:
        """What counts as contaminated. Raises ValueError naming the field."""
        run, near = self.contamination_run, self.contamination_near
        if isinstance(run, bool) or not isinstance(run, int):
            raise ValueError("contamination_run: give a whole number of words.")
        if isinstance(near, bool) or not isinstance(near, int | float):
            raise ValueError("contamination_near: give a score above 0 up to 1, such as 0.7.")
        try:
            return Limits(run=run, near=near)
        except ValueError as error:
            raise ValueError(f"contamination_{error}") from error

    @property
    def grounding(self) -> GroundingRule:
        try:
            return GroundingRule(coverage=self.grounding_coverage)
        except ValueError as error:
            raise ValueError(f"grounding_{error}") from error

    def duplicate_rule(self, of_project: DuplicateRule) -> DuplicateRule:
        """The bounds of this profile, the project's where it has none. Raises ValueError naming the bound."""
        copy = of_project.copy if self.copy is None else self.copy
        if self.variant is not None:
            return DuplicateRule(copy, self.variant)
        if isinstance(copy, int | float) and isfinite(copy) and not isinstance(copy, bool):
            return DuplicateRule(copy, max(copy, of_project.variant))
        return DuplicateRule(copy, of_project.variant)

    def record(self) -> dict[str, Any]:
        """The profile as plain values, to be stored with a project or a run."""
        return {
            **asdict(self),
            "blacklist": list(self.blacklist),
            "start_blacklist": list(self.start_blacklist),
        }


_NAMES = frozenset(one.name for one in fields(Profile))


def from_record(values: dict[str, Any]) -> Profile:
    """The profile of stored or sent values. Raises ValueError naming what is unknown or wrong."""
    unknown = sorted(set(values) - _NAMES)
    if unknown:
        raise ValueError(f"{unknown[0]}: there is no such filter setting; take it out.")
    if "name" not in values:
        raise ValueError("name: give the profile a name.")
    return Profile(**values)


def profile_of(project: Project) -> Profile:
    """The project's profile, the default where nobody chose one."""
    stored = project.settings.get(_SETTING)
    return from_record(stored) if stored else BIOMEDICAL


def set_profile(session: Session, actor: Actor, project_id: int, profile: Profile) -> Project:
    """Choose the filters of the project's next generation runs. What is stored already stays as it is."""
    require(actor, Right.MANAGE_PROJECT)
    project = get_project(session, project_id)
    project.settings = {**project.settings, _SETTING: profile.record()}
    audit.record(session, actor, "generation_filters_set", project, **profile.record())
    return project


def _require_words(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_WORDS:
        raise ValueError(f"{name}: {value} is no number of words; give 0 to {_MOST_WORDS:,}.")


def _phrases(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise ValueError(f"{name}: give a list of words or phrases.")
    entries = tuple(dict.fromkeys(" ".join(entry.split()) for entry in value))
    if "" in entries:
        raise ValueError(f"{name}: an entry is empty; take it out.")
    if len(entries) > _MAX_LIST:
        raise ValueError(f"{name}: {len(entries):,} entries; keep {_MAX_LIST} at most.")
    longest = max(entries, key=len, default="")
    if len(longest) > _MAX_ENTRY:
        raise ValueError(
            f"{name}: an entry has {len(longest)} characters; shorten it to {_MAX_ENTRY} at most."
        )
    return entries


CLASSIC = Profile(
    name="self-instruct",
    min_words=4,  # the scripts drop three words and fewer
    max_words=150,
    max_input_words=_MOST_WORDS,
    min_output_words=0,
    max_output_words=_MOST_WORDS,
    blacklist=(
        "image",
        "images",
        "graph",
        "graphs",
        "picture",
        "pictures",
        "file",
        "files",
        "map",
        "maps",
        "draw",
        "plot",
        "go to",
        "video",
        "audio",
        "music",
        "flowchart",
        "diagram",
    ),
    start_blacklist=("Write a program",),
    needs_ascii_start=True,
    needs_word_start=True,
    needs_sound_text=False,
    compare_on=CompareOn.INSTRUCTION,
    ascii_words=True,
    copy=0.7,
    variant=0.7,
    phi=PhiRule.FLAG,
)
BIOMEDICAL = Profile(name="biomedical")
SHIPPED = {profile.name: profile for profile in (BIOMEDICAL, CLASSIC)}
