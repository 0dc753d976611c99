"""transformers' Trainer with our batches, its loss a mean over the labelled tokens since the last log.

The Trainer's own is the mean of step means over batches of unlike size. Here every process sums what its
labelled tokens lost; the sums meet when a loss is logged.
"""

from math import ceil
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from db.train_spec import TrainSpec
from trainer.data.collate import IGNORED, Batch
from trainer.models.processes import Processes
from trainer.models.tuning import Tuning
from trainer.sharing import Share


class Loop(Trainer):
    """One process's part of the training loop."""

    def __init__(self, *, batches: Share, processes: Processes, **given) -> None:
        super().__init__(**given)
        self._batches, self._processes = batches, processes
        self._lost = torch.zeros((), dtype=torch.float64)
        self._labelled = self._tokens = 0
        if processes.rank:  # each process drops and disturbs its own way; rank 0 as if it were alone
            torch.manual_seed(self.args.seed + processes.rank)

    def get_train_dataloader(self) -> DataLoader:
        return _Loader(
            self.train_dataset,
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
            generator=torch.Generator(),  # so that it draws nothing from the one that training draws from
        )

    def training_step(self, model, inputs: Batch, num_items_in_batch=None) -> torch.Tensor:
        labelled = int((inputs["labels"] != IGNORED).sum())
        self._labelled += labelled
        self._tokens += count_tokens(inputs)
        loss = super().training_step(model, inputs, num_items_in_batch)
        if num_items_in_batch is None:  # a model that only knows means
            share = labelled * self.current_gradient_accumulation_steps
        else:
            share = num_items_in_batch / self._processes.count
        self._lost = self._lost.to(loss.device) + loss.double() * share
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            lost, labelled, tokens = self._processes.total(float(self._lost), self._labelled, self._tokens)
            logs["loss"], logs["tokens"] = lost / max(1, labelled), tokens
            self._lost, self._labelled, self._tokens = torch.zeros_like(self._lost), 0, 0
        super().log(logs, start_time)


class _Loader(DataLoader):
    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)


def count_tokens(batch: Batch) -> int:
    """Tokens in a batch that are no padding."""
    if batch.get("row_lengths") is not None:
        return sum(batch["row_lengths"])
    return int(batch["attention_mask"].sum())


def arguments(spec: TrainSpec, ready: Tuning, folder: Path, processes: Processes) -> TrainingArguments:
    """Logging, saving and evaluating are the Reporter's to decide, hence all the "no"."""
    splits = processes.split(spec)
    recomputes = ready.recomputes(spec)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=spec.epochs,
        max_steps=spec.max_steps or -1,
        per_device_train_batch_size=spec.batch_size,
        gradient_accumulation_steps=spec.accumulation,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=spec.scheduler,
        lr_scheduler_kwargs=_scheduler_settings(spec),
        warmup_steps=spec.warmup,  # below 1 it is a share of the steps
        weight_decay=spec.weight_decay,
        max_grad_norm=spec.clip,
        seed=spec.seed,
        bf16=ready.dtype is torch.bfloat16,
        fp16=ready.dtype is torch.float16,
        use_cpu=ready.device.type == "cpu",
        activation_checkpointing=recomputes and not splits,
        fsdp=splits,
        fsdp_config={"activation_checkpointing": recomputes} if splits else None,
        ddp_find_unused_parameters=False,
        logging_strategy="no",
        logging_nan_inf_filter=False,  # a loss that is no number must show
        eval_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=ready.device.type == "cuda",
    )


def _scheduler_settings(spec: TrainSpec) -> dict:
    """What makes a scheduler what its name says; by default these two are cosine and linear."""
    if spec.scheduler == "cosine_with_restarts":
        return {"num_cycles": max(2, ceil(spec.epochs))}  # one an epoch
    if spec.scheduler == "polynomial":
        return {"power": 2.0, "lr_end": 0.0}
    return {}


def require_warmup_fits(spec: TrainSpec, steps: int) -> None:
    """Raises ValueError when the learning rate would never be reached."""
    if spec.warmup >= 1 and spec.warmup >= steps:
        raise ValueError(
            f"warmup: {spec.warmup:g} steps are all the run has ({steps}); give fewer, or a share below 1."
        )
