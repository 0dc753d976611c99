"""What happens at each step beside the training: who is told, what is looked at and saved, when it ends.

Told of every step by the Trainer, in every process; the main one decides, tells and saves. Whatever a run
that goes on has to know lies in `state`, which is saved with each checkpoint.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from db.enums import AlertKind, StopMode
from db.registry import STEPS
from trainer.alarms import Alarm, Alarms
from trainer.context import Cancelled, JobContext
from trainer.data import estimate
from trainer.film import Film
from trainer.models import checkpoints
from trainer.models.processes import Processes
from trainer.tracking import Tracker
from trainer.validation import Best, Looks

FIRST_STEPS = 20  # logged one by one, for that is where a run goes wrong
POINTS = 250  # on a curve, about
SAVES = 10  # a run where the settings say no more, but with at least and at most so many seconds between two
SAVE_SECONDS = (2.0, 300.0)
LINE_SECONDS = 5.0  # between two lines in the log

_STOPS = (None, StopMode.SAVE, StopMode.DISCARD)


@dataclass(frozen=True)
class Watched:
    """What a run is watched by. `measure` gives the validation loss of a model, or None without such rows."""

    measure: Callable[[torch.nn.Module], float | None]
    best: Best | None  # None: the last weights are the result
    film: Film | None
    tracker: Tracker | None


class Reporter(TrainerCallback, ExportableState):
    """One process's part in telling, looking and stopping."""

    def __init__(
        self, context: JobContext, watched: Watched, processes: Processes, steps_an_epoch: int
    ) -> None:
        self.context, self.spec = context, context.spec
        self.watched, self.processes, self.steps_an_epoch = watched, processes, steps_an_epoch
        self.looks, self.alarms = Looks(), Alarms()
        self.losses: dict[str, float] = {}
        self.stopped: StopMode | None = None  # somebody wanted the run stopped, and what is to be left
        self.stopped_early = False  # the validation loss fell no more
        self.kept_step = 0  # whose weights are kept as the best
        self.first_step = 0
        self._since = self._saved = self._said = time.monotonic()
        self._logged, self._paces = 0, deque(maxlen=FIRST_STEPS)  # seconds a step, between the last logs

    def state(self) -> dict:
        kept = {
            "looks": self.looks.to_json(),
            "alarms": self.alarms.to_json(),
            "losses": self.losses,
            "kept_step": self.kept_step,
        }
        return {"args": {}, "attributes": kept}

    def on_train_begin(self, args, state, control, model=None, **kwargs):
        self.first_step = self._logged = state.global_step
        self.context.progress("training", state.global_step, state.max_steps)
        if state.global_step:
            self._remember(state.stateful_callbacks[checkpoints.STATE]["attributes"])
        else:
            self._look(0, model)
            self._film(0, model)
        self._since = time.monotonic()

    def on_step_end(self, args, state, control, model=None, **kwargs):
        step, total = state.global_step, state.max_steps
        self.context.progress("training", step, total)
        self.stopped, saves = self._agree(step, total)
        if self.stopped is StopMode.DISCARD:
            control.should_training_stop = True
            return control
        began = time.monotonic()
        if self._look_is_due(step, total):
            control.should_training_stop |= self._look(step, model)
        if self.spec.sample_every and (step % self.spec.sample_every == 0 or step == total):
            self._film(step, model)
        self._since += time.monotonic() - began  # the speed is that of training, not of looking
        control.should_training_stop |= self.stopped is not None
        control.should_save = saves or self.stopped is StopMode.SAVE
        control.should_log = (
            step - self.first_step <= FIRST_STEPS
            or step % max(1, total // POINTS) == 0
            or step == total
            or control.should_training_stop
            or control.should_save  # so that no checkpoint of a run gone wrong is written
        )
        return control

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in logs:  # the Trainer's closing summary
            return
        step, loss, norm = state.global_step, logs["loss"], float(logs.get("grad_norm", 0.0))
        self._require_numbers(step, loss, norm)
        speed = self._speed(step, logs["tokens"])
        self.losses.setdefault("first_loss", loss)
        self.losses["loss"] = loss
        self._tell(
            step,
            loss=loss,
            grad_norm=norm,
            learning_rate=logs["learning_rate"],
            tokens_per_second=speed,
            memory=memory(self.processes.device),
            epoch=round(state.epoch, 4),
            **estimate.correct(self._paces, state.max_steps - step, self.processes.device),
        )
        self._alarm(step, self.alarms.log(step, state.max_steps, loss))
        self._say(step, state.max_steps, loss, speed)

    def on_save(self, args, state, control, **kwargs):
        self._saved = self._since = time.monotonic()  # each save follows a log, so no tokens are pending
        if self.processes.is_main:
            folder = Path(args.output_dir)
            checkpoints.keep_step(folder / f"checkpoint-{state.global_step}", folder / STEPS)
            checkpoints.prune(folder)
            if self.watched.best:
                self.watched.best.prune(self.kept_step)

    def on_train_end(self, args, state, control, **kwargs):
        if self.watched.tracker:
            self.watched.tracker.close()

    # What the processes agree on --------------------------------------------------------------------

    def _agree(self, step: int, total: int) -> tuple[StopMode | None, bool]:
        """What is wanted of the run, and whether to save: the main process knows, all have to ask."""
        wish, saves = None, False
        if self.processes.is_main:
            wish, saves = self._wish(), self._save_is_due(step, total)
        stop, save = self.processes.agree(_STOPS.index(wish), saves)
        return _STOPS[stop], bool(save)

    def _wish(self) -> StopMode | None:
        """Raises FencedError when a later attempt owns the job."""
        try:
            self.context.require_wanted()
        except Cancelled:
            return self.context.stop_mode()
        return None

    def _save_is_due(self, step: int, total: int) -> bool:
        if self.spec.save_every:
            return step % self.spec.save_every == 0
        soonest, latest = SAVE_SECONDS
        passed = time.monotonic() - self._saved
        return passed > latest or (passed > soonest and step % max(1, total // SAVES) == 0)

    # Looking ----------------------------------------------------------------------------------------

    def _look_is_due(self, step: int, total: int) -> bool:
        every = self.spec.evaluate_every or self.steps_an_epoch
        return step % every == 0 or step == total

    def _look(self, step: int, model: torch.nn.Module) -> bool:
        """Measure the validation loss; True when it has not fallen for so long that the run is to stop."""
        loss = self.watched.measure(model)
        if loss is None:
            return False
        self.losses.setdefault("first_eval_loss", loss)
        self.losses["eval_loss"] = loss
        self._tell(step, eval_loss=loss)
        self.context.log(f"step {step}: validation loss {loss:.4f}")
        if step == 0:  # the base as it was: no result, so no best one
            return False
        self._alarm(step, self.alarms.look(step, loss))
        if self.looks.take(step, loss) and self.watched.best:
            self.watched.best.keep(model, step)
            self.kept_step = step
        if not self.spec.patience or self.looks.without_gain < self.spec.patience:
            return False
        self.stopped_early = True
        self.context.log(f"stopping: the validation loss has not fallen since step {self.looks.best_step}")
        return True

    def _film(self, step: int, model: torch.nn.Module) -> None:
        film = self.watched.film
        if film is None or not (self.processes.is_main or self.processes.split(self.spec)):
            return
        for number, answer in enumerate(film.shoot(model)):
            self.context.sample(step, number, film.asked[number].text, answer)

    def _remember(self, kept: dict) -> None:
        self.looks, self.alarms = Looks(**kept["looks"]), Alarms(**kept["alarms"])
        self.losses, self.kept_step = kept["losses"], kept["kept_step"]

    # Telling ----------------------------------------------------------------------------------------

    def _tell(self, step: int, **values: float) -> None:
        self.context.metrics(step, **values)
        if self.watched.tracker:
            self.watched.tracker.add(step, values)

    def _alarm(self, step: int, found: list[Alarm]) -> None:
        for kind, sentence in found:
            self.context.alert(step, kind, sentence)

    def _require_numbers(self, step: int, loss: float, norm: float) -> None:
        if math.isfinite(loss) and (math.isfinite(norm) or self._is_scaled):
            return
        sentence = (
            f"learning rate: the loss became {loss} at step {step}; lower the learning rate "
            f"(it was {self.spec.learning_rate:g}) and start again."
        )
        self._alarm(step, [(AlertKind.NOT_A_NUMBER, sentence)])
        raise ValueError(sentence)

    @property
    def _is_scaled(self) -> bool:
        """In fp16 a step whose gradient ran over is skipped and its loss scaled less: nothing is wrong."""
        return self.spec.precision == "fp16"

    def _say(self, step: int, total: int, loss: float, speed: float) -> None:
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS or step in (self.first_step + 1, total):
            self._said = now
            self.context.log(f"step {step} of {total}: loss {loss:.4f}, {speed:,.0f} tokens a second")

    def _speed(self, step: int, tokens: float) -> float:
        """Tokens a second since the last log, of all processes together."""
        now = time.monotonic()
        seconds = max(now - self._since, 1e-6)
        if self._logged > self.first_step:  # the very first step warms up
            self._paces.append(seconds / max(1, step - self._logged))
        self._since, self._logged = now, step
        return tokens / seconds


def memory(device: torch.device) -> float:
    """MiB: at most taken on the GPU so far, or held by this process."""
    taken = (
        torch.cuda.max_memory_allocated(device)
        if device.type == "cuda"
        else psutil.Process().memory_info().rss
    )
    return round(taken / 2**20, 1)
