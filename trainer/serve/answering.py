"""One run through the model: a row a side, told token by token. Runs on the generation thread."""

import logging
import time

from db.enums import Side
from trainer.serve import rows
from trainer.serve.decode import decode
from trainer.serve.detokenize import Detokenizer
from trainer.serve.holding import Held, row_name
from trainer.serve.provenance import describe
from trainer.serve.run import Delta, Done, Run
from trainer.serve.sampling import Dice

logger = logging.getLogger(__name__)


class Speaker:
    """One side's answer in the making."""

    def __init__(self, held: Held, run: Run, side: Side) -> None:
        self._held, self._run, self._side = held, run, side
        self._detokenizer = Detokenizer(held.tokenizer)
        self._begun = time.monotonic()
        self._first: float | None = None  # when the first token came
        self._tokens = 0

    def say(self, token: int) -> None:
        self._first = self._first or time.monotonic()
        self._tokens += 1
        self._emit(self._detokenizer.add(token))

    def end(self, finish_reason: str) -> None:
        seconds = time.monotonic() - self._begun
        self._emit(self._detokenizer.flush())
        done = Done(
            side=self._side,
            finish_reason=finish_reason,
            tokens=self._tokens,
            tokens_per_second=round(self._tokens / seconds, 2) if seconds else 0.0,
            first_token_seconds=round(self._first - self._run.arrived, 4) if self._first else None,
            provenance=self._provenance(),
        )
        self._run.emit(done)
        logger.info("%s: %d tokens in %.2f s, %s", self._side, self._tokens, seconds, finish_reason)

    def _emit(self, text: str) -> None:
        if text:
            self._run.emit(Delta(self._side, text))

    def _provenance(self) -> dict:
        run = self._run
        return describe(
            self._held,
            run.target,
            self._side,
            run.sampling,
            rows=len(run.sides),
            prompt_tokens=len(run.prompt_ids),
        )


def answer(held: Held, run: Run) -> None:
    """Tell `run` every token and every end. All sides are rows of one batch on one copy of the weights."""
    tuned = row_name(run.target.adapter)
    names = [tuned if side is Side.TUNED else rows.BASE_ROW for side in run.sides]
    speakers = [Speaker(held, run, side) for side in run.sides]
    steps = decode(
        held.model,
        run.prompt_ids,
        len(run.sides),
        Dice(run.sampling.temperature, run.sampling.seed),
        max_tokens=run.sampling.max_tokens,
        end_ids=held.end_ids,
        is_stopped=lambda row: run.is_stopped(run.sides[row]),
    )
    with rows.assigned(held.model, names):
        for row, token, finish_reason in steps:
            if token is not None:
                speakers[row].say(token)
            if finish_reason:
                speakers[row].end(finish_reason)
