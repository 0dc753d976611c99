"""Which request a call makes: its draw, prompt and what it may cost, all worked out from its number alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from db.asking.client import Ask
from db.endpoints import price
from db.generate_spec import GenerateSpec
from db.generating import calls
from db.generating.draws import Seed
from db.generating.prompts import PromptTemplate, Request
from db.generation_calls import Planned
from db.tables import Endpoint, GenerationCall, GenerationRun
from trainer.generating.judging import ToJudge


@dataclass(frozen=True)
class Prepared:
    """A call ready to leave."""

    planned: Planned
    ask: Ask
    fixed: Mapping[str, str]  # what the model does not write
    parent_id: int | None


class Requests:
    """Makes the calls of one run."""

    def __init__(
        self, spec: GenerateSpec, run: GenerationRun, pool: list[Seed], endpoint: Endpoint, attempt: int
    ) -> None:
        self.spec, self.run, self.pool, self.endpoint, self.attempt = spec, run, pool, endpoint, attempt
        self.template = PromptTemplate(**run.template)

    def prepare(self, number: int) -> Prepared:
        """Call `number`, the same whenever it is prepared again."""
        shown = self.shown(number)
        request = self._request(shown, number)
        prompt_tokens = calls.most_tokens(*(message["content"] for message in request.messages))
        planned = Planned(
            number=number,
            attempt=self.attempt,
            draw=tuple((seed.id, seed.version) for seed in shown),
            prompt_hash=request.prompt_hash,
            template_version=self.run.template_version,
            wanted=calls.wanted_of(self.spec, self.template),
            most_tokens=prompt_tokens + self.spec.max_tokens,
            most_cost=price(self.endpoint, prompt_tokens, self.spec.max_tokens),
        )
        asked = Ask(
            messages=list(request.messages),
            schema=request.schema,
            max_tokens=self.spec.max_tokens,
            temperature=self.spec.temperature,
            key=f"{self.run.key}-{number}",
        )
        return Prepared(planned, asked, request.fixed, calls.parent_of(self.template, shown))

    def again(self, call: GenerationCall) -> ToJudge:
        """An answered call of an earlier attempt, for the judge."""
        shown = self.shown(call.number)
        fixed = dict(self._request(shown, call.number).fixed)
        return ToJudge(call.id, call.reply, call.finish_reason, fixed, calls.parent_of(self.template, shown))

    def shown(self, number: int) -> tuple[Seed, ...]:
        return calls.seeds_of(self.spec, self.pool, number)

    def _request(self, shown: tuple[Seed, ...], number: int) -> Request:
        return calls.request_of(self.spec, self.template, shown, number)
