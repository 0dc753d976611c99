"""What the Trainer tells the job's context at each step, and when it logs, evaluates, saves and stops."""

import math
import time
from collections.abc import Callable

from transformers import TrainerCallback

from trainer.context import JobContext
from trainer.data.collate import Padded

FIRST_STEPS = 20  # logged one by one, for that is where a run goes wrong
POINTS = 250  # on a curve, about
EVALUATIONS = 25  # at most, and no more than one an epoch
SAVES = 10  # a run, but with at least and at most so many seconds between two
SAVE_SECONDS = (2.0, 300.0)
LINE_SECONDS = 5.0  # between two lines in the log


class Reporter(TrainerCallback):
    """Told of every step by the Trainer. `evaluate` gives the validation loss, or None without such rows."""

    def __init__(
        self, context: JobContext, collator: Padded, evaluate: Callable[[], float | None], first_step: int
    ) -> None:
        self.context, self.collator, self.evaluate = context, collator, evaluate
        self.first_step = first_step
        self.losses: dict[str, float] = {}
        self._tokens, self._since = 0, time.monotonic()
        self._saved = self._said = time.monotonic()
        self._evaluated = first_step

    def on_train_begin(self, args, state, control, **kwargs):
        self.context.progress("training", self.first_step, state.max_steps)
        if self.first_step == 0:
            self._evaluate(0)
        self._since = time.monotonic()

    def on_substep_end(self, args, state, control, **kwargs):
        self._tokens += self.collator.fetched.popleft()

    def on_step_end(self, args, state, control, **kwargs):
        self._tokens += self.collator.fetched.popleft()
        self.context.require_wanted()
        step, total = state.global_step, state.max_steps
        self.context.progress("training", step, total)
        control.should_save = self._save_is_due(step, total)
        control.should_log = (
            step - self.first_step <= FIRST_STEPS
            or step % max(1, total // POINTS) == 0
            or step == total
            or control.should_save  # so that no checkpoint of a run gone wrong is written
        )
        return control

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in logs:  # the Trainer's closing summary
            return
        step, loss, norm = state.global_step, logs["loss"], logs.get("grad_norm", 0.0)
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise ValueError(
                f"learning rate: the loss became {loss} at step {step}; lower the learning rate "
                f"(it was {self.context.spec.learning_rate:g}) and start again."
            )
        speed = self._tokens_per_second()
        self.losses.setdefault("first_loss", loss)
        self.losses["loss"] = loss
        self.context.metrics(
            step, loss=loss, grad_norm=norm, learning_rate=logs["learning_rate"], tokens_per_second=speed
        )
        self._say(step, state.max_steps, loss, speed)

    def on_save(self, args, state, control, **kwargs):
        self._saved = self._since = time.monotonic()  # each save follows a log, so no tokens are pending

    def on_epoch_end(self, args, state, control, **kwargs):
        step, total = state.global_step, state.max_steps
        if step < total and (step - self._evaluated) * EVALUATIONS < total:
            return
        began = time.monotonic()
        self._evaluate(step)
        self._since += time.monotonic() - began  # the speed is that of training, not of looking

    def _evaluate(self, step: int) -> None:
        loss, self._evaluated = self.evaluate(), step
        if loss is not None:
            self.losses.setdefault("first_eval_loss", loss)
            self.losses["eval_loss"] = loss
            self.context.metrics(step, eval_loss=loss)
            self.context.log(f"step {step}: validation loss {loss:.4f}")

    def _save_is_due(self, step: int, total: int) -> bool:
        soonest, latest = SAVE_SECONDS
        passed = time.monotonic() - self._saved
        return passed > latest or (passed > soonest and step % max(1, total // SAVES) == 0)

    def _say(self, step: int, total: int, loss: float, speed: float) -> None:
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS or step in (self.first_step + 1, total):
            self._said = now
            self.context.log(f"step {step} of {total}: loss {loss:.4f}, {speed:,.0f} tokens a second")

    def _tokens_per_second(self) -> float:
        now = time.monotonic()
        speed = self._tokens / max(now - self._since, 1e-6)
        self._tokens, self._since = 0, now
        return speed
