"""What an evaluation is asked to do: one model, the frozen tasks it answers, and how it is run.

What is asked (rows, prompts, examples) belongs to the task version, so it is the same for every model.
"""

from dataclasses import dataclass

from db.spec_fields import option, require_choice, require_number, require_whole
from db.train_spec import PRECISIONS

WAYS = ("auto", "generation", "likelihood")
MAX_TASKS = 200


@dataclass(frozen=True)
class EvaluateSpec:
    """One evaluation. Raises ValueError naming the field that cannot be."""

    base_model_id: int
    tasks: tuple[int, ...]  # ids of task versions
    adapter_id: int = option(0, "The tuned adapter on that base; 0 scores the base itself.")
    way: str = option(
        "auto",
        "Generation reads the written answer; likelihood takes the option the model finds most likely. "
        "Auto: both for multiple choice, generation for the rest.",
    )
    cyclic: bool = option(
        True, "Average the likelihood of options over their cyclic orders, so that no place is favoured."
    )
    max_tokens: int = option(0, "Longest answer in tokens. 0: what each task needs.")
    batch_tokens: int = option(
        0, "Tokens in one batch, padding included. 0: what fits the device. Lower it when memory runs out."
    )
    precision: str = option("auto", "Number format. Auto: bf16 where the device is fast at it, else fp32.")
    look_for_leaks: bool = option(
        True, "Look through the adapter's train rows for the tasks' rows, and score without those found, too."
    )
    level: float = option(0.95, "Confidence level of the intervals.")
    seed: int = option(0, "Seed of the resampling behind the intervals.")
    resumes: int = option(
        3, "How often an interrupted evaluation goes on by itself. 0: it waits for a person."
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))  # a list, out of JSON
        if not 1 <= len(self.tasks) <= MAX_TASKS:
            raise ValueError(f"tasks: {len(self.tasks)} are chosen; choose 1 to {MAX_TASKS}.")
        if not all(isinstance(id, int) and id > 0 for id in self.tasks):
            raise ValueError("tasks: name frozen tasks by their numbers.")
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("tasks: one is chosen twice; choose each once.")
        require_choice(self, "way", WAYS)
        require_choice(self, "precision", PRECISIONS)
        require_whole(self, "base_model_id", 1, 2**31 - 1)
        require_whole(self, "adapter_id", 0, 2**31 - 1)
        require_whole(self, "max_tokens", 0, 131_072)
        require_whole(self, "batch_tokens", 0, 2**31 - 1)
        require_number(self, "level", 0.5, 0.999)
        require_whole(self, "seed", 0, 2**31 - 1)
        require_whole(self, "resumes", 0, 100)
