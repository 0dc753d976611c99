"""One training run of the speed measurements, in a process of its own: the studio's way, or TRL's.

Both sides find in a folder the same base, rows, batches and first LoRA weights; `tests.bench.training` and
`tests.bench.gpu` write it and compare. On the CPU training alone is timed, from the first batch to the last
step, in CPU seconds of all threads; nothing is saved meanwhile. The loss is that of the final weights over
rows of the training, computed in float32 by one and the same function.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter, process_time

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    set_seed,
)

from db import jobs, migrate, users
from db import processes as known
from db.enums import JobKind, ProcessRole
from db.session import connect, write
from db.settings import Settings
from db.tables import BaseModel, Project
from db.train_spec import TrainSpec
from trainer import loop
from trainer.context import JobContext
from trainer.data import batching
from trainer.data.collate import pad, to_device
from trainer.data.examples import Example, Examples
from trainer.models import fourbit, precision, processes, tuning
from trainer.reporter import Reporter, Watched
from trainer.sharing import Share

SEED = 7
PAD, END = 0, 2
LENGTHS = (5.1, 0.6)  # log-normal tokens of a row: a mean of some 195
ANSWER = (0.3, 0.7)  # share of a row that is its answer, even between these
JUDGED = 64  # rows of which the final loss is taken
CPU = torch.device("cpu")


STARTER = {
    "vocab_size": 4096,
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}


@dataclass(frozen=True)
class Case:
    """What both sides train: a random Llama of some shape, rows of random ids of log-normal length."""

    shape: dict = field(default_factory=lambda: STARTER)  # settings of LlamaConfig
    rows: int = 128
    max_length: int = 512
    batch_size: int = 8  # rows; TRL's default
    lines: int = 3  # of a packed batch, so that it holds about as many tokens
    method: str = "lora"  # or qlora
    dtype: str = "bf16"
    checkpointing: str = "off"  # of ours, and of theirs but in their own defaults
    max_steps: int = 0

    @property
    def vocabulary(self) -> int:
        return self.shape["vocab_size"]

    def spec(self, layout: str) -> TrainSpec:
        return TrainSpec(
            base_model_id=1,
            dataset_version_id=1,
            adapter_name="measured",
            method=self.method,
            rank=16,
            alpha=32,
            dropout=0.0,
            learning_rate=2e-4,
            scheduler="linear",
            warmup=0.0,
            epochs=1,
            max_steps=self.max_steps,
            batch_size=self.lines if layout == "packed" else self.batch_size,
            max_length=self.max_length,
            batching=layout,
            precision=self.dtype,
            checkpointing=self.checkpointing,
            save_every=1_000_000,
            seed=SEED,
        )

    def lora(self) -> LoraConfig:
        """What `trainer.models.lora` makes of the spec, for who does not come by it."""
        spec = self.spec("auto")
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=spec.rank,
            lora_alpha=spec.alpha,
            lora_dropout=spec.dropout,
            target_modules=list(spec.layers),
        )


def write_case(folder: Path, case: Case, device: str = "cpu") -> None:
    """The base, the rows and the first LoRA weights; random weights are drawn on `device`."""
    (folder / "case.json").write_text(json.dumps(asdict(case)))
    torch.manual_seed(SEED)
    config = LlamaConfig(**case.shape, bos_token_id=1, eos_token_id=END, pad_token_id=PAD)
    with torch.device(device):  # in bfloat16, so that every format begins from the same weights
        base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    if not (folder / "base").exists():
        base.save_pretrained(folder / "base")
    words = {f"w{number}": number for number in range(case.vocabulary)}
    core = Tokenizer(models.WordLevel(words, unk_token="w3"))
    PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="w3", pad_token=f"w{PAD}", bos_token="w1", eos_token=f"w{END}"
    ).save_pretrained(folder / "base")
    save_file(get_peft_model_state_dict(get_peft_model(base, case.lora())), folder / "first.safetensors")
    examples = draw(case)
    np.savez(folder / "rows.npz", ids=examples.ids, offsets=examples.offsets, starts=examples.starts)


def draw(case: Case) -> Examples:
    """Rows of log-normal length; the ids are as unevenly frequent as words are (Zipf)."""
    random = np.random.default_rng(SEED)
    frequent = 1 / np.arange(1, case.vocabulary - 3)
    rows = []
    for length in random.lognormal(*LENGTHS, size=case.rows):
        count = int(np.clip(length, 16, case.max_length))
        ids = random.choice(case.vocabulary - 4, size=count - 1, p=frequent / frequent.sum()) + 4
        rows.append(Example([*ids.tolist(), END], max(1, int(count * (1 - random.uniform(*ANSWER))))))
    return Examples.of(rows)


def read_case(folder: Path) -> tuple[Case, Examples]:
    stored = np.load(folder / "rows.npz")
    case = Case(**json.loads((folder / "case.json").read_text()))
    return case, Examples(stored["ids"], stored["offsets"], stored["starts"])


def measure_on_cpu(side: str, name: str, folder: Path) -> dict:
    """One side's training: its CPU seconds, those on the clock, its steps and final loss."""
    with SIDES[side](folder, name) as trainer:
        began, used = perf_counter(), process_time()
        trainer.train()
        took = {"cpu_s": round(process_time() - used, 3), "seconds": round(perf_counter() - began, 3)}
    return {**took, "steps": trainer.state.global_step, "loss": final_loss(trainer.model, folder)}


# The two sides -----------------------------------------------------------------------------------------


@contextmanager
def ours(folder: Path, layout: str, callbacks: Sequence[TrainerCallback] = ()) -> Iterator[loop.Loop]:
    """What `trainer.jobs.train` sets up, its reporter with a real database included, ready to be trained."""
    case, examples = read_case(folder)
    spec = case.spec(layout)
    context = _context(Path(mkdtemp(dir=folder)), spec)
    set_seed(spec.seed)
    crew = processes.join(1)
    base = BaseModel(name="measured", location=str(folder / "base"), revision="")
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    dtype = precision.pick(spec.precision, crew.device)
    ready = tuning.set_up(base, spec, tokenizer, examples, device=crew.device, dtype=dtype)
    _load_first(ready.model, folder)
    share = Share(batching.plan(spec, ready.layout, examples).batches_of, crew)
    reporter = Reporter(context, Watched(lambda model: None, None, None, None), crew, len(share))
    trainer = loop.Loop(
        model=ready.model,
        args=loop.arguments(spec, ready, folder / "checkpoints", crew),
        train_dataset=examples,
        data_collator=ready.collator,
        callbacks=[reporter, *callbacks],
        batches=share,
        processes=crew,
    )
    trainer.remove_callback(PrinterCallback)
    with precision.lora_inputs_as_they_are(ready.model, ready.dtype):
        yield trainer
    context.fall_silent()


@contextmanager
def theirs(folder: Path, kind: str, callbacks: Sequence[TrainerCallback] = ()) -> Iterator[Trainer]:
    """SFTTrainer over the same rows in the same batches. `kind` is a key of `_theirs`."""
    from trl import SFTConfig, SFTTrainer

    case, examples = read_case(folder)
    packs = kind == "packing"
    spec = case.spec("packed" if packs else "flat")
    trainer = SFTTrainer(
        model=str(folder / "base"),  # which TRL loads its own way
        args=SFTConfig(
            output_dir=str(folder / f"trl-{kind}"),
            num_train_epochs=spec.epochs,
            max_steps=spec.max_steps or -1,
            per_device_train_batch_size=spec.batch_size,
            learning_rate=spec.learning_rate,
            lr_scheduler_type=spec.scheduler,
            max_grad_norm=spec.clip,
            completion_only_loss=True,  # by default only where it sees the text of prompts
            bf16=case.dtype == "bf16",
            use_cpu=not torch.cuda.is_available(),
            train_sampling_strategy="sequential",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=spec.seed,
            **_theirs(case)[kind],
        ),
        train_dataset=as_trl_takes_them(spec, examples),
        processing_class=AutoTokenizer.from_pretrained(folder / "base"),
        peft_config=case.lora(),
        quantization_config=fourbit.config(torch.bfloat16) if case.method == "qlora" else None,
        callbacks=list(callbacks),
    )
    trainer.remove_callback(PrinterCallback)
    _load_first(trainer.model, folder)
    yield trainer


SIDES = {"ours": ours, "theirs": theirs}


def _theirs(case: Case) -> dict[str, dict]:
    """Where each of TRL's ways differs from its defaults."""
    held = {"bf16": "bfloat16", "fp32": "float32"}[case.dtype]
    equal = {"gradient_checkpointing": case.checkpointing == "on", "model_init_kwargs": {"dtype": held}}
    return {
        "default": {},
        "equal": equal,
        "padding_free": {**equal, "padding_free": True, "max_length": None},
        "packing": {
            **equal,
            "packing": True,
            "max_length": case.max_length,
            "dataset_kwargs": {"skip_prepare_dataset": True},  # the lines are packed already
        },
    }


def as_trl_takes_them(spec: TrainSpec, examples: Examples) -> Dataset:
    """Our plan's rows, or lines where it packs, in the order in which they are trained on."""
    return _lines(spec, examples) if spec.batching == "packed" else _rows(spec, examples)


def _rows(spec: TrainSpec, examples: Examples) -> Dataset:
    """Tokenised prompts and completions, in the order in which they are taken; TRL masks the prompts."""
    batches = batching.plan(spec, spec.batching, examples).batches_of(0)
    ordered = [examples[row] for batch in batches for row in batch]
    return Dataset.from_dict(
        {
            "input_ids": [ids for ids, _ in ordered],
            "completion_mask": [[0] * start + [1] * (len(ids) - start) for ids, start in ordered],
        }
    )


def _lines(spec: TrainSpec, examples: Examples) -> Dataset:
    """The lines of our plan as TRL's packing lays them out, so that both see the same rows at each step."""
    packed = batching.pack(examples.lengths, spec.max_length, spec.seed)
    line_of = {row: number for number, line in enumerate(packed) for row in line}
    ordered = []
    for batch in batching.plan(spec, "packed", examples).batches_of(0):
        ordered += dict.fromkeys(line_of[row] for row in batch)
    lines = [[examples[row] for row in packed[number]] for number in ordered]
    return Dataset.from_dict(
        {
            "input_ids": [[id for ids, _ in line for id in ids] for line in lines],
            "labels": [
                [label for ids, start in line for label in [-100] * start + ids[start:]] for line in lines
            ],
            "seq_lengths": [[len(ids) for ids, _ in line] for line in lines],
        }
    )


def _load_first(model: PeftModel, folder: Path) -> None:
    found = set_peft_model_state_dict(model, load_file(folder / "first.safetensors"))
    if found.unexpected_keys:
        raise RuntimeError(f"the sides update other layers: {found.unexpected_keys[0]}")


@torch.no_grad()
def final_loss(trained: PeftModel, folder: Path, device: torch.device = CPU) -> float:
    """Mean over the answers' tokens of the first rows, in nats; base and update in float32 on the CPU."""
    case, examples = read_case(folder)
    dtype = torch.float32 if device == CPU else torch.bfloat16
    base = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=dtype).to(device)
    model = get_peft_model(base, case.lora(), autocast_adapter_dtype=False).eval()
    state = {name: weight.float().cpu() for name, weight in get_peft_model_state_dict(trained).items()}
    set_peft_model_state_dict(model, state)
    lost = counted = 0.0
    for begin in range(0, min(JUDGED, len(examples)), 8):
        rows = examples[begin : begin + 8]
        labelled = sum(len(ids) - start for ids, start in rows)
        lost += float(model(**to_device(pad(rows, PAD), device)).loss) * labelled
        counted += labelled
    return lost / counted


def _context(folder: Path, spec: TrainSpec) -> JobContext:
    """A claimed job in a database of its own."""
    settings = Settings(data_dir=folder)
    settings.make_folders()
    migrate.upgrade(connect(settings.url))
    with write() as session:
        project = Project(name="Measured")
        session.add(project)
        session.flush()
        actor = users.studio_account(session)
        job_id = jobs.enqueue(session, actor, project.id, JobKind.TRAIN, spec, name="measured").id
        attempt = jobs.claim_next(session, known.register(session, ProcessRole.WORKER).id).attempt
    return JobContext(settings, job_id, attempt)


if __name__ == "__main__":
    side, name, where = sys.argv[1:]
    sys.stdout.write(json.dumps(measure_on_cpu(side, name, Path(where))) + "\n")
