"""How far each record comes: the filters in their order, the first that stops it, and why.

parsed - length - blacklist - grounded - duplicate - phi - contaminated - kept. A record that a later filter
stops is no longer there to be a duplicate of. Reasons are short and few, so that they can be counted; the
sentence beside one says more, and neither repeats what the record says.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import blake2b
from string import punctuation

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import duplicates, instructions, privacy
from db.checks import quality
from db.checks.contamination import EvaluationSet, Hit, Text
from db.checks.similarity import NearestText
from db.content import Content
from db.duplicates import Kind
from db.generating import grounding
from db.generating.evaluation_texts import EvaluationTexts
from db.generating.profiles import CompareOn, PhiRule, Profile
from db.generating.replies import Item
from db.privacy import Flag
from db.tables import Instruction, Project

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


class Stage(StrEnum):
    """Where a record fell, in order; `PARSED` is for what could not be read, `KEPT` for what came through."""

    PARSED = "parsed"
    LENGTH = "length"
    BLACKLIST = "blacklist"
    GROUNDED = "grounded"
    DUPLICATE = "duplicate"
    PHI = "phi"
    CONTAMINATED = "contaminated"
    KEPT = "kept"


@dataclass(frozen=True)
class NearRow:
    """Why a record stops: a stored instruction, or a record kept earlier in the run."""

    id: int | None
    row: int | None  # its place among those kept, from 0
    score: float
    kind: Kind


@dataclass(frozen=True)
class Verdict:
    """What became of one record."""

    stage: Stage
    reason: str = ""  # one of few, such as "instruction too short"; empty where it was kept
    detail: str = ""  # a sentence for a person, without text of the record
    near: NearRow | None = None  # the stored record, or the one kept earlier, that it is a copy of
    flags: tuple[Flag, ...] = ()  # what looks like patient data, also of a record that is kept
    hit: Hit | None = None  # the evaluation text that it holds
    lacks: tuple[grounding.Stretch, ...] = ()  # of its output, not supported by its input

    @property
    def is_kept(self) -> bool:
        return self.stage is Stage.KEPT

    def record(self) -> dict:
        """The verdict as plain values, without what is empty."""
        values = {name: value for name, value in asdict(self).items() if value}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass
class Counts:
    """How many records each stage stopped, and for which reasons."""

    seen: int = 0
    stages: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(Stage, 0))
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        self.seen += 1
        self.stages[verdict.stage] += 1
        if verdict.reason:
            self.reasons[verdict.reason] = self.reasons.get(verdict.reason, 0) + 1

    def left_after(self, stage: Stage) -> int:
        """How many came past a stage."""
        stages = list(Stage)
        return sum(self.stages[later] for later in stages[stages.index(stage) + 1 :])


class Funnel:
    """The filters of one run. It reads what is stored when made and in `catch_up`; judging asks no database.

    Records it keeps count as earlier ones from then on, by their running number from 0 (`near.row`).
    """

    def __init__(
        self,
        session: Session,
        project: Project,
        profile: Profile,
        eval_sets: Sequence[EvaluationSet] = (),
        *,
        against_stored: bool = True,
    ) -> None:
        self.profile = profile
        self.kept = 0
        self._project_id = project.id
        self._rule = profile.duplicate_rule(duplicates.rule_of(project))
        self._texts = NearestText()
        self._seen_revision = 0
        self._deleted: set[int] = set()
        self._on_input: dict[bytes, dict[int, str]] = {}  # digest of an input -> instructions on it, by id
        self._input_of: dict[int, bytes] = {}
        self._evaluation = EvaluationTexts(eval_sets, profile.limits)
        self._unwanted = _word_pattern(profile.blacklist)
        if against_stored:
            self.catch_up(session)

    def catch_up(self, session: Session) -> int:
        """Take in what was written since, by people or by other runs; how many texts those were."""
        found = instructions.texts_since(session, self._project_id, self._seen_revision)
        for revision_id, id, instruction, input in found:
            self._put(id, instruction, input)
            self._seen_revision = revision_id
        self._forget_deleted(session)
        return len(found)

    def _put(self, id: int, instruction: str, input: str) -> None:
        self._texts.put(id, self._compared(instruction, input))
        if id in self._input_of:
            self._on_input[self._input_of.pop(id)].pop(id)
        if input:
            self._input_of[id] = digest = _digest(input)
            self._on_input.setdefault(digest, {})[id] = instruction

    def _forget_deleted(self, session: Session) -> None:
        """Deleted records are compared as empty texts, which are near to nothing; restored ones as before."""
        query = select(Instruction).where(Instruction.project_id == self._project_id)
        deleted = set(
            session.scalars(
                query.with_only_columns(Instruction.id).where(Instruction.deleted_at.is_not(None))
            )
        )
        for id in deleted - self._deleted:
            self._texts.put(id, "")
        for id in self._deleted - deleted:
            restored = session.get_one(Instruction, id)
            self._put(id, restored.instruction, restored.input)
        self._deleted = deleted

    def judge(
        self, items: Sequence[Item], *, from_passage: bool = False, shares_input: bool | None = None
    ) -> list[Verdict]:
        """A verdict for each record, in order. `from_passage`: its output has to follow from its input.

        `shares_input` (as `from_passage` unless told): records may have one input on purpose, so those on the
        same one are compared by their instructions alone.
        """
        is_shared = from_passage if shares_input is None else shares_input
        return [self._judge(item.content, from_passage, is_shared) for item in items]

    def _judge(self, content: Content, from_passage: bool, shares_input: bool) -> Verdict:
        stopped = (
            self._length(content)
            or self._blacklist(content)
            or (self._grounded(content) if from_passage else None)
            or (self._same_question(content) if shares_input else self._duplicate(content))
        )
        if stopped:
            return stopped
        flags = privacy.find_flags(content)
        stopped = self._phi(flags) or self._contaminated(content)
        if stopped:
            return stopped
        self._put(_own_id(self.kept), content.instruction, content.input)
        self.kept += 1
        return Verdict(Stage.KEPT, flags=flags)

    # The filters --------------------------------------------------------------------------------------

    def _length(self, content: Content) -> Verdict | None:
        profile = self.profile
        bounds = (
            ("instruction", profile.min_words, profile.max_words),
            ("input", 0, profile.max_input_words),
            ("output", profile.min_output_words, profile.max_output_words),
        )
        for name, least, most in bounds:
            words = len(getattr(content, name).split())
            if words < least:
                return Verdict(
                    Stage.LENGTH, f"{name} too short", f"{name}: {words:,} words, at least {least:,}."
                )
            if words > most:
                return Verdict(
                    Stage.LENGTH, f"{name} too long", f"{name}: {words:,} words, {most:,} at most."
                )
        return None

    def _blacklist(self, content: Content) -> Verdict | None:
        profile, text = self.profile, content.instruction
        if self._unwanted and self._unwanted.search(text):
            return _unfit("blacklisted word", "instruction: it has a word of the blacklist.")
        if profile.start_blacklist and text.startswith(profile.start_blacklist):
            return _unfit("blacklisted start", "instruction: it begins as the blacklist says.")
        if profile.needs_word_start and text[0] in punctuation:
            return _unfit("starts with punctuation", "instruction: it begins with punctuation.")
        if profile.needs_ascii_start and not text[0].isascii():
            return _unfit("starts outside ASCII", "instruction: its first character is none of ASCII.")
        return _unsound(content) if profile.needs_sound_text else None

    def _grounded(self, content: Content) -> Verdict | None:
        found = grounding.check(
            content.output, content.input, self.profile.grounding, instruction=content.instruction
        )
        if found.is_grounded:
            return None
        lacks = found.unsupported
        count = "1 stretch is" if len(lacks) == 1 else f"{len(lacks):,} stretches are"
        detail = f"output: {count} not supported by the passage."
        return Verdict(Stage.GROUNDED, f"not in the passage: {lacks[0].lack}", detail, lacks=lacks)

    def _same_question(self, content: Content) -> Verdict | None:
        """Of records on one passage the instructions are compared: two questions on it are no copies."""
        on_it = self._on_input.get(_digest(content.input), {})
        others = NearestText()
        for id, instruction in on_it.items():
            if id not in self._deleted:
                others.put(id, self._compared(instruction, ""))
        own = self._compared(content.instruction, "")
        return self._near(others, own) or self._duplicate(content, except_ids=on_it)

    def _duplicate(self, content: Content, *, except_ids: Iterable[int] = ()) -> Verdict | None:
        return self._near(self._texts, self._compared(content.instruction, content.input), except_ids)

    def _near(self, texts: NearestText, text: str, except_ids: Iterable[int] = ()) -> Verdict | None:
        rule = self._rule
        found = texts.stopping(text, copy=rule.copy, variant=rule.variant, except_ids=except_ids)
        if found is None:
            return None
        kind = Kind.VARIANT if found.is_variant else Kind.COPY
        near = NearRow(*_place(found.id), found.score, kind)
        whose = f"number {near.id}" if near.row is None else f"row {near.row + 1:,} of those kept"
        detail = (
            f"instruction: a near {kind} of {whose} (ROUGE-L {found.score:.3f}, above {rule.bound(kind):g})."
        )
        reason = f"{kind} of a stored record" if near.id is not None else f"{kind} of one kept earlier"
        return Verdict(Stage.DUPLICATE, reason, detail, near=near)

    def _phi(self, flags: tuple[Flag, ...]) -> Verdict | None:
        if not flags or self.profile.phi is PhiRule.FLAG:
            return None
        first = flags[0]
        what = privacy.with_article(first.kind)
        detail = f"{first.field}: characters {first.start + 1} to {first.end} look like {what}."
        return Verdict(Stage.PHI, first.kind, detail, flags=flags)

    def _contaminated(self, content: Content) -> Verdict | None:
        hit = self._evaluation.find(Text(content.instruction, content.input, content.output))
        if hit is None:
            return None
        detail = f"It holds text {hit.probe + 1:,} of {hit.set_name} ({hit.kind}, {hit.score:g})."
        return Verdict(Stage.CONTAMINATED, hit.kind.value, detail, hit=hit)

    def _compared(self, instruction: str, input: str) -> str:
        """What the duplicate filter compares, by the profile."""
        is_prompt = self.profile.compare_on is CompareOn.PROMPT
        text = duplicates.text_of(instruction, input) if is_prompt else instruction
        return _NOT_ASCII.sub(" ", text.lower()) if self.profile.ascii_words else text


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _own_id(row: int) -> int:
    """The number in the index of the row kept as number `row`: below every stored one."""
    return -1 - row


def _place(id: int) -> tuple[int | None, int | None]:
    """(stored id, row kept earlier), of which one is None."""
    return (id, None) if id >= 0 else (None, -1 - id)


def _word_pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    words = "|".join(re.escape(phrase) for phrase in phrases)
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE) if words else None


def _unfit(reason: str, detail: str) -> Verdict:
    return Verdict(Stage.BLACKLIST, reason, detail)


def _unsound(content: Content) -> Verdict | None:
    """What the writing advice finds wrong with input or output; on the instruction it only advises."""
    for sentence in quality.advise(content):
        if sentence.startswith(("input:", "output:")):
            return _unfit(sentence.partition(".")[0], sentence)
    return None
