"""Training an encoder with its head: transformers' Trainer over pieces, and what is told, looked at and kept.

Every weight is trained, in float32 under autocast, by AdamW with a linear fall of the learning rate, as the
encoders' own papers do. A checkpoint is written at the end of each epoch, every few minutes, and on a stop.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PrinterCallback, TrainerCallback, TrainingArguments

from db.encoder_heads import Head
from db.encoder_spec import EncoderSpec
from db.enums import AlertKind, StopMode
from trainer.context import Cancelled, JobContext
from trainer.data import batching
from trainer.encoders.encode import Pieces
from trainer.encoders.load import Ready
from trainer.loop import Loop
from trainer.models import checkpoints
from trainer.models.processes import Processes
from trainer.reporter import memory
from trainer.sharing import Share

FIRST_STEPS = 20  # logged one by one
POINTS = 250  # on the loss curve, about
SAVE_SECONDS = 300.0  # between two checkpoints at most
LAYOUT = "grouped"  # rows of like length share a batch

Look = Callable[[torch.nn.Module], float | None]


class Telling(TrainerCallback):
    """What happens at each step beside the training. `look` gives F1 (or the task's own headline) on the
    validation task, None where the run is scored on none."""

    def __init__(self, context: JobContext, look: Look, device: torch.device) -> None:
        self.context, self._look, self._device = context, look, device
        self.stopped: StopMode | None = None
        self.losses: dict[str, float] = {}
        self.looks: dict[int, float] = {}  # step -> what was found on the validation task
        self._first = 0
        self._logged = self._saved = time.monotonic()

    def on_train_begin(self, args, state, control, **kwargs):
        self._first = state.global_step
        self.context.progress("training", state.global_step, state.max_steps)
        self._logged = self._saved = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        step, total = state.global_step, state.max_steps
        self.context.progress("training", step, total)
        try:
            self.context.require_wanted()
        except Cancelled:
            self.stopped = self.context.stop_mode()
            control.should_training_stop = True
        control.should_save = self.stopped is StopMode.SAVE or time.monotonic() - self._saved > SAVE_SECONDS
        control.should_log = (
            step - self._first <= FIRST_STEPS
            or step % max(1, total // POINTS) == 0
            or step == total
            or control.should_save
        )
        return control

    def on_epoch_end(self, args, state, control, model=None, **kwargs):
        if self.stopped:
            return control
        found = self._look(model)
        if found is not None:
            self.looks[state.global_step] = found
            self.context.metrics(state.global_step, validation=found)
        told = "" if found is None else f", on the validation task {found:.4f}"
        self.context.log(f"epoch {state.epoch:g}: loss {self.losses.get('loss', math.nan):.4f}{told}")
        control.should_log = control.should_save = True
        return control

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not logs.get("tokens"):  # the Trainer's closing summary, or nothing since the last log
            return
        step, loss = state.global_step, logs["loss"]
        if not math.isfinite(loss):
            sentence = (
                f"learning rate: the loss became {loss} at step {step}; lower the learning rate (it was "
                f"{self.context.spec.learning_rate:g}) and start again."
            )
            self.context.alert(step, AlertKind.NOT_A_NUMBER, sentence)
            raise ValueError(sentence)
        now = time.monotonic()
        self.losses.setdefault("first_loss", loss)
        self.losses["loss"] = loss
        self.context.metrics(
            step,
            loss=loss,
            learning_rate=logs["learning_rate"],
            epoch=round(state.epoch, 4),
            tokens_per_second=logs["tokens"] / max(now - self._logged, 1e-6),
            memory=memory(self._device),
        )
        self._logged = now

    def on_save(self, args, state, control, **kwargs):
        self._saved = time.monotonic()
        checkpoints.prune(Path(args.output_dir))


def train(
    context: JobContext,
    ready: Ready,
    head: Head,
    pieces: Pieces,
    look: Look,
    *,
    folder: Path,
    crew: Processes,
    dtype: torch.dtype,
    resumed: Path | None,
) -> Telling:
    """Train `ready.model` on the pieces; what was told. Raises ValueError where the loss is no number."""
    spec: EncoderSpec = context.spec
    plan = batching.plan(spec, LAYOUT, pieces)
    telling = Telling(context, look, crew.device)
    trainer = Loop(
        model=ready.model,
        args=_arguments(spec, folder, dtype, crew.device),
        train_dataset=pieces,
        data_collator=ready.collator(head),
        callbacks=[telling],
        batches=Share(plan.batches_of, crew),
        processes=crew,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    return telling


def _arguments(
    spec: EncoderSpec, folder: Path, dtype: torch.dtype, device: torch.device
) -> TrainingArguments:
    """Logging and saving are Telling's to decide, hence the "no"."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=spec.epochs,
        per_device_train_batch_size=spec.batch_size,
        learning_rate=spec.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=min(spec.warmup, 0.999),  # below 1 it is a share of the steps
        weight_decay=spec.weight_decay,
        max_grad_norm=1.0,
        seed=spec.seed,
        bf16=dtype is torch.bfloat16,
        fp16=dtype is torch.float16,
        use_cpu=device.type == "cpu",
        logging_strategy="no",
        logging_nan_inf_filter=False,  # a loss that is no number must show
        eval_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=device.type == "cuda",
    )
