"""What a judge run is asked to do: which answers, which endpoint, which rubric, and what it may cost."""

from dataclasses import dataclass

from db.spec_fields import option, require_number, require_whole


@dataclass(frozen=True)
class JudgeSpec:
    """One judge run. Raises ValueError naming the field that cannot be."""

    endpoint_id: int
    evaluation_id: int
    against_id: int = option(0, "The evaluation to compare with, row by row; 0 only grades.")
    rubric: str = option("answer-quality", "The rubric: its name, for its newest version, or name@version.")
    pairs: bool = option(True, "Ask which of two answers is better, in both orders.")
    grades: bool = option(True, "Grade each answer alone, 1 to 5 on each criterion.")
    limit: int = option(100, "Rows to judge, drawn at random by the seed; 0: all.")
    strip_style: bool = option(
        True, "Take headings, bold, lists and greetings out first, so that looks do not win."
    )
    temperature: float = option(0.0, "Randomness of the judge. 0 lets it repeat itself.")
    max_tokens: int = option(1024, "Longest verdict, in tokens.")
    timeout: float = option(120.0, "Seconds to wait for one verdict.")
    tries: int = option(5, "Requests made for one verdict before it is given up.")
    budget_money: float = option(0.0, "Money, at the endpoint's prices, that stops the run; 0: no limit.")
    budget_tokens: int = option(0, "Tokens, in and out, that stop the run; 0: no limit.")
    seed: int = option(0, "The same seed draws the same rows.")
    resumes: int = option(3, "How often an interrupted run goes on by itself. 0: it waits for a person.")

    def __post_init__(self) -> None:
        require_whole(self, "endpoint_id", 1, 2**31 - 1)
        require_whole(self, "evaluation_id", 1, 2**31 - 1)
        require_whole(self, "against_id", 0, 2**31 - 1)
        if self.against_id == self.evaluation_id:
            raise ValueError("against id: an evaluation is not compared with itself; choose another.")
        if not (self.grades or (self.pairs and self.against_id)):
            raise ValueError("pairs: choose an evaluation to compare with, or let the judge grade.")
        if not self.rubric.strip():
            raise ValueError("rubric: name one.")
        require_whole(self, "limit", 0, 10_000_000)
        require_number(self, "temperature", 0, 2)
        require_whole(self, "max_tokens", 16, 131_072)
        require_number(self, "timeout", 0.1, 3600)
        require_whole(self, "tries", 1, 20)
        require_number(self, "budget_money", 0, 10**9)
        require_whole(self, "budget_tokens", 0, 10**12)
        require_whole(self, "seed", 0, 2**31 - 1)
        require_whole(self, "resumes", 0, 100)
