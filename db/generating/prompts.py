"""A prompt template and the request made from it. A curator edits the text; a broken one is refused.

Seeds, parents and passages go in as JSON strings, so their own quotation marks and braces stay inside, and
are never read as template text. The line `=== user ===` parts what the system says from what the user asks;
a template without it is the user's message alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from db.content import MAX_CHARACTERS, Content
from db.enums import Category
from db.generating import forms
from db.generating.draws import Seed
from db.generating.labels import known_tasks
from db.generating.targets import Target
from db.sandbox import Compiled, Record, Rules, TemplateFault, compile_text

PARTING = "=== user ==="
MAX_ASKED = 50  # records a call
_FOLDER = Path(__file__).parent / "templates"
_FIELDS = ("instruction", "input", "output", "category", "task", "specialty", "difficulty")


class Mode(StrEnum):
    GROW = "grow"  # k seeds -> n new records
    EVOLVE = "evolve"  # one record -> n further ones of it, which name it as their parent
    ANSWER_ONLY = "answer_only"  # a record's instruction and input -> a new answer
    FROM_PASSAGE = "from_passage"  # a text -> n records on it; the text becomes their input
    LABEL = "label"  # records -> the category and task of each


class Aim(StrEnum):
    """How a record is evolved."""

    DEEPEN = "deepen"
    CONSTRAIN = "constrain"
    AUDIENCE = "audience"


_NEEDED = {
    Mode.GROW: {"seeds", "n", "format"},
    Mode.EVOLVE: {"parent", "aim", "format"},
    Mode.ANSWER_ONLY: {"parent", "format"},
    Mode.FROM_PASSAGE: {"passage", "format"},
    Mode.LABEL: {"seeds", "format"},
}
_OFFERED = {
    Mode.GROW: {"targets", "tasks"},
    Mode.EVOLVE: {"n", "seeds", "targets", "tasks"},
    Mode.ANSWER_ONLY: {"seeds"},
    Mode.FROM_PASSAGE: {"n", "seeds", "targets", "tasks"},
    Mode.LABEL: {"n", "tasks"},
}
RULES = Rules(
    source=30_000,
    text=400_000,
    lists=frozenset({"seeds", "targets", "tasks"}),
    fields=frozenset(_FIELDS),
)


@dataclass(frozen=True)
class PromptTemplate:
    """One version of a template. Raises ValueError naming the field, and for the text the line."""

    name: str
    number: int
    mode: Mode
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())
        if not self.name:
            raise ValueError("name: give the template a name.")
        if self.number < 1:
            raise ValueError(f"number: {self.number} is no version; the first is 1.")
        if self.mode not in list(Mode):
            raise ValueError(f"mode: {self.mode} is not one of {', '.join(Mode)}.")
        object.__setattr__(self, "mode", Mode(self.mode))
        object.__setattr__(self, "text", self.text.replace("\r\n", "\n").replace("\r", "\n"))
        _require_needed(self.mode, self.text)
        # On its own, so that a fault that only rendering shows is told while the template is written.
        self.messages(_sample_values())

    @property
    def hash(self) -> str:
        """SHA-256 over mode and text: equal for templates that make the same prompts."""
        return sha256(f"{self.mode}\n{self.text}".encode()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """What the text may print."""
        return tuple(sorted(_names(self.mode)))

    def messages(self, values: Mapping) -> tuple[dict[str, str], ...]:
        """What the system says, if it says anything, and what the user asks. Raises TemplateFault."""
        messages = []
        for role, part in _parts(self.mode, self.text):
            content = part.render(values)
            if not content:
                raise _fault(f"the {role}'s message is empty; write it.")
            messages.append({"role": role, "content": content})
        return tuple(messages)


@dataclass(frozen=True)
class Request:
    """What is sent, and what of each record is known before the reply: hand `fixed` to `replies.read`."""

    messages: tuple[dict[str, str], ...]
    schema: dict
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def prompt_hash(self) -> str:
        """SHA-256 over the messages and the schema."""
        stated = json.dumps([self.messages, self.schema], ensure_ascii=False, sort_keys=True)
        return sha256(stated.encode("utf-8", "surrogatepass")).hexdigest()


def build(
    template: PromptTemplate,
    seeds: Sequence[Seed | Content] = (),
    *,
    n: int = 1,
    targets: Sequence[Target] | None = None,
    passage: str | None = None,
    parent: Seed | Content | None = None,
    aim: Aim = Aim.DEEPEN,
    tasks: Sequence[str] | None = None,
) -> Request:
    """The request for `n` records; `n` counts nothing in the modes answer_only and label.

    `tasks` are the names offered, by default the studio's. Raises ValueError naming the field.
    """
    mode, targets = template.mode, tuple(targets or ())
    if mode in (Mode.ANSWER_ONLY, Mode.LABEL):
        n = 1 if mode is Mode.ANSWER_ONLY else len(seeds)
    _require(mode, seeds, n, targets, passage, parent)
    fixed = _fixed(mode, passage, parent)
    is_label = mode is Mode.LABEL
    described = forms.describe_labels(n) if is_label else forms.describe_records(n, fixed)
    values = {
        "n": n,
        "format": described,
        "seeds": [_shown(seed) for seed in seeds],
        "targets": [str(target) for target in targets],
        "tasks": list(known_tasks() if tasks is None else tasks),
        "passage": passage or "",
        "parent": _shown(parent) if parent else "",
        "aim": Aim(aim).value,
    }
    schema = forms.label_schema() if is_label else forms.record_schema(fixed)
    return Request(template.messages(values), schema, fixed)


@lru_cache
def shipped(mode: Mode) -> PromptTemplate:
    """The studio's own template of a mode."""
    text = (_FOLDER / f"{Mode(mode).value}.md").read_text(encoding="utf-8")
    return PromptTemplate("biomedical", 1, Mode(mode), text)


def _names(mode: Mode) -> frozenset[str]:
    return frozenset(_NEEDED[mode] | _OFFERED[mode])


def _require_needed(mode: Mode, text: str) -> None:
    """Raise TemplateFault unless the text can be read, and prints what a prompt of that mode is about."""
    used = frozenset().union(*(part.used for _, part in _parts(mode, text)))
    for name in sorted(_NEEDED[mode] - used):
        raise _fault(f"it never prints {{{{ {name} }}}}, which the mode {mode} is about; put it in.")


def _parts(mode: Mode, text: str) -> list[tuple[str, Compiled]]:
    """Who says it, and the part of the text: parted before values go in, which may hold the same line."""
    if len(text) > RULES.source:
        raise _fault(f"{len(text):,} characters; shorten it to {RULES.source:,} at most.")
    lines = text.split("\n")
    if lines.count(PARTING) > 1:
        raise _fault(f"the line {PARTING} stands there twice; keep one.")
    at = lines.index(PARTING) if PARTING in lines else None
    parts = {"user": lines}
    if at is not None:
        # Empty lines in the system's place, so that a fault's line is that of the whole template.
        parts = {"system": lines[:at], "user": [""] * (at + 1) + lines[at + 1 :]}
    return [
        (role, compile_text("\n".join(part), _names(mode), field="text", rules=RULES))
        for role, part in parts.items()
    ]


def _fault(sentence: str) -> TemplateFault:
    return TemplateFault(sentence, field="text")


def _sample_values() -> dict:
    sample = Content("What is asked?", "A text.", "An answer.", Category.QA, "passage_qa")
    shown = _shown(sample)
    return {
        "n": 3,
        "format": forms.describe_records(3),
        "seeds": [shown] * 3,
        "targets": [str(Target(3, Category.QA))],
        "tasks": list(known_tasks()),
        "passage": sample.input,
        "parent": shown,
        "aim": Aim.DEEPEN.value,
    }


def _require(mode: Mode, seeds, n: int, targets, passage: str | None, parent) -> None:
    if not 1 <= n <= MAX_ASKED:
        raise ValueError(f"n: {n} records a call; ask for 1 to {MAX_ASKED}.")
    if mode in (Mode.GROW, Mode.LABEL) and not seeds:
        raise ValueError("seeds: none given; draw at least one.")
    if mode in (Mode.EVOLVE, Mode.ANSWER_ONLY) and parent is None:
        raise ValueError("parent: name the record to start from.")
    if mode is Mode.FROM_PASSAGE and not (passage and passage.strip()):
        raise ValueError("passage: give the text that the answers are to be grounded in.")
    if passage and len(passage.strip()) > MAX_CHARACTERS:
        raise ValueError(f"passage: {len(passage):,} characters; shorten it to {MAX_CHARACTERS:,} at most.")
    if sum(target.count for target in targets) > n:
        raise ValueError(f"targets: they ask for more than the {n} records of a call; lower their counts.")


def _fixed(mode: Mode, passage: str | None, parent: Seed | Content | None) -> dict[str, str]:
    """What the model does not write, and so cannot change."""
    if mode is Mode.FROM_PASSAGE and passage:
        return {"input": passage.strip()}
    if mode is Mode.ANSWER_ONLY and parent:
        content = _content(parent)
        return {name: getattr(content, name) for name in ("instruction", "input")} | {
            "category": content.category.value,
            "task": content.task,
        }
    return {}


def _content(one: Seed | Content) -> Content:
    return one.content if isinstance(one, Seed) else one


def _shown(one: Seed | Content) -> Record:
    """A record as templates print it: the fields of a reply, in its order, then specialty and difficulty."""
    values = asdict(_content(one))
    return Record(**{name: values[name] for name in _FIELDS})
