"""What a person writes for one instruction, as plain values, and the rules that text must meet."""

from dataclasses import dataclass

from db.enums import Category

FIELDS = ("instruction", "input", "output", "category", "task", "specialty", "difficulty", "tags", "source")
MAX_CHARACTERS = 20_000


@dataclass(frozen=True)
class Content:
    """One instruction/input/output record with its labels. Raises ValueError naming the field."""

    instruction: str
    input: str = ""
    output: str = ""
    category: Category = Category.OTHER
    task: str = ""
    specialty: str = ""
    difficulty: int = 3  # 1 (a student knows) to 5 (a specialist thinks)
    tags: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        for field in ("instruction", "input", "output", "task", "specialty", "source"):
            text = getattr(self, field)
            if not isinstance(text, str):
                raise ValueError(f"{field}: must be text, not {type(text).__name__}.")
            if len(text) > MAX_CHARACTERS:
                raise ValueError(
                    f"{field}: {len(text):,} characters; shorten it to {MAX_CHARACTERS:,} at most."
                )
            object.__setattr__(self, field, text.strip())
        if not self.instruction:
            raise ValueError("instruction: write what the model is asked to do.")
        if self.category not in list(Category):
            raise ValueError(f"category: {self.category} is not one of {', '.join(Category)}.")
        object.__setattr__(self, "category", Category(self.category))
        if isinstance(self.difficulty, bool) or self.difficulty not in (1, 2, 3, 4, 5):
            raise ValueError(f"difficulty: {self.difficulty} is not a whole number from 1 to 5.")
        object.__setattr__(self, "difficulty", int(self.difficulty))
        if isinstance(self.tags, str) or not all(isinstance(tag, str) for tag in self.tags):
            raise ValueError("tags: must be a list of words.")
        object.__setattr__(
            self, "tags", tuple(dict.fromkeys(t.strip().lower() for t in self.tags if t.strip()))
        )

    def require_complete(self) -> None:
        """Raise ValueError when a reviewer would have nothing to judge: output or task is missing."""
        if not self.output:
            raise ValueError("output: write the answer a careful expert would give before submitting.")
        if not self.task:
            raise ValueError("task: name the task, such as qa or ner, before submitting.")

    def columns(self) -> dict:
        """The values of the content columns of a row."""
        return {**vars(self), "tags": list(self.tags)}  # asdict copies deeply: it tells in 200,000 rows


def content_of(row) -> Content:
    """The content of an instruction, revision or frozen row."""
    return Content(
        **{field: getattr(row, field) for field in FIELDS if field != "tags"}, tags=tuple(row.tags)
    )
