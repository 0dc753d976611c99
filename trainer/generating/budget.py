"""What a run may spend, in tokens, money and hours, and which of the three is used up.

A request is allowed only when the most that it can cost still fits, so no budget is exceeded by replies that
turn out long. What was perhaps paid without an answer counts as paid.
"""

from dataclasses import dataclass

from db.generate_spec import GenerateSpec
from db.generation_runs import Totals


@dataclass
class Budget:
    """Spent so far, and reserved for what is under way. Money is in the endpoint's currency."""

    spec: GenerateSpec
    tokens: int
    cost: float
    seconds: float  # at work before this attempt
    reserved_tokens: int = 0
    reserved_cost: float = 0.0

    @classmethod
    def of(cls, spec: GenerateSpec, totals: Totals, seconds: float) -> "Budget":
        return cls(spec, totals.tokens, totals.cost, seconds)

    def reserve(self, tokens: int, cost: float) -> bool:
        """Set aside the most that a request may cost; False when that is more than is left."""
        if self._lacks_tokens(tokens) or self._lacks_money(cost):
            return False
        self.reserved_tokens += tokens
        self.reserved_cost += cost
        return True

    def settle(self, tokens: int, cost: float, *, used_tokens: int, used_cost: float) -> None:
        """What was set aside becomes what was used."""
        self.reserved_tokens -= tokens
        self.reserved_cost -= cost
        self.tokens += used_tokens
        self.cost += used_cost

    def is_late(self, worked: float) -> bool:
        """True once the hours are used up; `worked`: seconds of this attempt."""
        return bool(self.spec.budget_hours) and self.seconds + worked >= self.spec.budget_hours * 3600

    def explain(self, tokens: int, cost: float) -> str:
        """One sentence on the budget that has no room for a request that may cost so much."""
        if self._lacks_tokens(tokens):
            return (
                f"budget tokens: {self.tokens:,} of {self.spec.budget_tokens:,} are used, and a further call "
                f"may take {tokens:,}; raise the budget and resume."
            )
        return (
            f"budget money: {self.cost:,.4f} of {self.spec.budget_money:,.4f} is spent, and a further call "
            f"may cost {cost:,.4f}; raise the budget and resume."
        )

    def explain_late(self) -> str:
        return f"budget hours: the {self.spec.budget_hours:g} hours are used up; raise the budget and resume."

    def _lacks_tokens(self, tokens: int) -> bool:
        most = self.spec.budget_tokens
        return bool(most) and self.tokens + self.reserved_tokens + tokens > most

    def _lacks_money(self, cost: float) -> bool:
        most = self.spec.budget_money
        return bool(most) and self.cost + self.reserved_cost + cost > most
