"""Who answers in a comparison, how the answers are drawn, and what a batch of comparisons is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.enums import Side
from db.spec_fields import option, require_whole

MAX_SIDES = 6


@dataclass(frozen=True)
class SideSpec:
    """Who is asked: a base, an adapter on it or its checkpoint, or a model behind an endpoint.

    Raises ValueError unless it names exactly one of them.
    """

    base_model_id: int | None = None
    adapter_id: int | None = None
    step: int | None = None  # of a checkpoint of that adapter's run; None for the finished adapter
    endpoint_id: int | None = None
    model: str = ""  # at that endpoint; its own where empty

    def __post_init__(self) -> None:
        named = (self.base_model_id, self.adapter_id, self.endpoint_id)
        if sum(name is not None for name in named) != 1:
            raise ValueError("side: name a base, an adapter or an endpoint, and one of them only.")
        if self.step is not None and self.adapter_id is None:
            raise ValueError("side: only an adapter has steps; leave the step out.")
        if self.model and self.endpoint_id is None:
            raise ValueError("side: only an endpoint is asked for a model by name; leave the model out.")

    @property
    def colour(self) -> Side:
        """Base is slate, all others are teal, wherever sides are drawn."""
        return Side.BASE if self.base_model_id is not None else Side.TUNED


@dataclass(frozen=True)
class Sampling:
    """How all answers of a comparison are drawn. Temperature 0 is greedy."""

    max_tokens: int = 200
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= 4096:
            raise ValueError(f"longest answer: {self.max_tokens} cannot be; give 1 to 4,096 tokens.")
        if not 0 <= self.temperature <= 2:
            raise ValueError(
                f"temperature: {self.temperature:g} cannot be; give 0 (always the likeliest word) to 2."
            )
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed: {self.seed} cannot be; give a whole number from 0 to 2,147,483,647.")


@dataclass(frozen=True)
class CompareSpec:
    """A batch: its prompts stand in the job's own comparisons, which wait for their answers.

    Raises ValueError naming the field that cannot be.
    """

    sides: tuple[SideSpec, ...]
    max_tokens: int = option(200, "Longest answer in tokens; every side is cut off here.")
    temperature: float = option(0.0, "0 always takes the likeliest word.")
    seed: int = option(0, "All sides draw with the same dice.")
    resumes: int = option(3, "How often an interrupted batch goes on by itself. 0: it waits for a person.")

    def __post_init__(self) -> None:
        sides = tuple(SideSpec(**side) if isinstance(side, Mapping) else side for side in self.sides)
        object.__setattr__(self, "sides", require_sides(sides))
        require_whole(self, "max_tokens", 1, 4096)
        require_whole(self, "seed", 0, 2**31 - 1)
        require_whole(self, "resumes", 0, 100)
        self.sampling  # noqa: B018 - checks the temperature

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.max_tokens, self.temperature, self.seed)


def require_sides(sides: Sequence[SideSpec]) -> tuple[SideSpec, ...]:
    """Raises ValueError unless there are one to MAX_SIDES different ones."""
    if not 1 <= len(sides) <= MAX_SIDES:
        raise ValueError(f"sides: {len(sides)} are chosen; choose 1 to {MAX_SIDES}.")
    if len(set(sides)) < len(sides):
        raise ValueError("sides: one is chosen twice; choose each once.")
    return tuple(sides)
