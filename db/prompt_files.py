"""The shelf as a file and back: YAML for people, JSONL for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from db import prompts
from db.policy import Actor
from db.prompts import FIELDS, PromptDraft
from db.session import Session
from db.tables import PromptVersion

MAX_BYTES = 20 << 20
SUFFIXES = (".yaml", ".yml", ".jsonl")


@dataclass(frozen=True)
class Imported:
    """What an import did to the shelf."""

    added: int
    changed: int  # got a new version
    same: int


def read(path: Path) -> list[PromptDraft]:
    """The prompts of a file. Raises ValueError naming its line and field when one cannot be."""
    if path.suffix not in SUFFIXES:
        raise ValueError(f"file: {path.name} is no shelf; give one that ends in {', '.join(SUFFIXES)}.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"file: {path.name} is larger than {MAX_BYTES >> 20} MiB; split it.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"file: {path.name} cannot be read ({error.strerror}); choose another.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"file: {path.name} is not text in UTF-8; save it as that.") from error
    found: dict[str, PromptDraft] = {}
    for line, value in _json_lines(text) if path.suffix == ".jsonl" else _yaml_items(text):
        draft = _draft(line, value)
        if draft.title in found:
            raise ValueError(f"file: line {line}: title: a prompt of that title stands before; rename one.")
        found[draft.title] = draft
    if not found:
        raise ValueError("file: it holds no prompt; write at least one with a title and an instruction.")
    return list(found.values())


def bring_in(session: Session, actor: Actor, project_id: int, drafts: Sequence[PromptDraft]) -> Imported:
    """Add what is new, and save what differs as a new version of the prompt of that title; a removed one is
    put back."""
    added = changed = 0
    for draft in drafts:
        known = prompts.find(session, project_id, draft.title)
        if known is None:
            prompts.add(session, actor, project_id, draft)
            added += 1
            continue
        prompts.restore(session, actor, project_id, known.id)
        before = known.versions[-1].number
        version = prompts.save(session, actor, project_id, known.id, draft, number=before)
        changed += version.number > before
    return Imported(added, changed, len(drafts) - added - changed)


def as_yaml(shelf: Sequence[PromptVersion]) -> str:
    """Fields that are empty are left out."""
    items = [plain(version) for version in shelf]
    return yaml.safe_dump(items, allow_unicode=True, sort_keys=False, width=110)


def as_jsonl(shelf: Sequence[PromptVersion]) -> str:
    return "".join(json.dumps(plain(version), ensure_ascii=False) + "\n" for version in shelf)


def plain(version: PromptVersion) -> dict:
    """A version in the words of the files."""
    draft = prompts.draft_of(version)
    values = {name: getattr(draft, name) for name in FIELDS}
    values["category"] = draft.category.value
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value
    }


def _draft(line: int, value: object) -> PromptDraft:
    """`id`, which the shipped shelf has, is passed over."""
    if not isinstance(value, Mapping):
        raise ValueError(f"file: line {line}: not a prompt; write title, instruction and what else it has.")
    given = {name: each for name, each in value.items() if name != "id" and each is not None}
    if unknown := sorted(str(name) for name in set(given) - set(FIELDS)):
        raise ValueError(f"file: line {line}: {unknown[0]}: no such field; there is {', '.join(FIELDS)}.")
    try:
        return PromptDraft(**{"title": "", "instruction": "", **given})
    except ValueError as error:
        raise ValueError(f"file: line {line}: {error}") from error


def _json_lines(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
                raise ValueError(f"file: line {number}{column}: not JSON; write an object a line.") from error


def _yaml_items(text: str) -> Iterator[tuple[int, object]]:
    """Each item of the list with the line that it begins in."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"file: {where}not YAML that can be read; mend it there.") from error
    if not isinstance(values, list):
        raise ValueError("file: not a list of prompts; begin each with a dash.")
    for item, value in zip(node.value, values, strict=True):
        yield item.start_mark.line + 1, value
