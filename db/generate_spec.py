"""What a generation run is asked to do. Budgets of 0 mean none; the target always ends a run."""

from dataclasses import dataclass

from db.generating.targets import read_shares
from db.spec_fields import option, require_number, require_whole

MODES = ("grow", "evolve", "answer_only", "from_passage")  # of db.generating.prompts.Mode
AIMS = ("deepen", "constrain", "audience")  # of db.generating.prompts.Aim


@dataclass(frozen=True)
class GenerateSpec:
    """One generation run. Raises ValueError naming the field that cannot be."""

    endpoint_id: int
    target: int = option(200, "How many kept instructions end the run. The paper grew 25,005.")
    seeds_per_call: int = option(3, "Seeds shown in each prompt, drawn at random. The paper showed 3.")
    per_call: int = option(5, "New instructions asked for in each call. More are cheaper and more alike.")
    by_category: bool = option(False, "Draw the seeds of one prompt from as many categories as there are.")
    shares: str = option(
        "", "Shares of the categories asked for, such as QA 23, IE 34, GEN 33, OTHER 10; empty: as it comes."
    )
    mode: str = option("grow", "Grow new tasks, evolve seeds, answer again, or draft from a passage.")
    aim: str = option("deepen", "How seeds are evolved: deeper, with a constraint, for another audience.")
    template_id: int = option(0, "Version of the prompt template; 0 is the studio's own.")
    profile: str = option("", "Filters of the funnel: a profile's name; empty takes the project's setting.")
    temperature: float = option(1.0, "Randomness of the model. 0.7 to 1 keeps the instructions varied.")
    max_tokens: int = option(4096, "Longest reply, in tokens: what bounds the price of one call.")
    timeout: float = option(120.0, "Seconds to wait for one reply.")
    tries: int = option(5, "Requests made for one call before it is given up, with growing pauses between.")
    budget_tokens: int = option(0, "Tokens, in and out, that stop the run; 0: no limit.")
    budget_money: float = option(0.0, "Money, at the endpoint's prices, that stops the run; 0: no limit.")
    budget_hours: float = option(0.0, "Hours of work that stop the run; 0: no limit.")
    patience: int = option(50, "Calls in a row without one kept instruction that stop the run.")
    against: tuple[int, ...] = option(
        (), "Frozen versions that models will be measured on: no record that holds their texts is kept."
    )
    seed: int = option(42, "The same seed draws the same seeds for each call.")

    def __post_init__(self) -> None:
        require_whole(self, "endpoint_id", 1, 2**31 - 1)
        require_whole(self, "target", 1, 1_000_000)
        require_whole(self, "seeds_per_call", 1, 20)
        require_whole(self, "per_call", 1, 50)
        require_whole(self, "template_id", 0, 2**31 - 1)
        require_number(self, "temperature", 0, 2)
        require_whole(self, "max_tokens", 16, 131_072)
        require_number(self, "timeout", 0.1, 3600)
        require_whole(self, "tries", 1, 20)
        require_whole(self, "budget_tokens", 0, 10**12)
        require_number(self, "budget_money", 0, 10**9)
        require_number(self, "budget_hours", 0, 10_000)
        require_whole(self, "patience", 1, 10_000)
        require_whole(self, "seed", 0, 2**31 - 1)
        object.__setattr__(self, "against", tuple(self.against))
        if not all(isinstance(id, int) and id > 0 for id in self.against):
            raise ValueError("against: name frozen versions by their numbers.")
        read_shares(self.shares)
        if self.mode not in MODES:
            raise ValueError(f"mode: {self.mode!r} is not one of {', '.join(MODES)}.")
        if self.aim not in AIMS:
            raise ValueError(f"aim: {self.aim!r} is not one of {', '.join(AIMS)}.")
