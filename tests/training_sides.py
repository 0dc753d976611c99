"""One training run of the speed measurement, in a process of its own: the studio's way, or TRL's.

Both sides find in a folder the same base, rows, batches and first LoRA weights; `tests.bench.training` writes it
and compares. What is timed is training alone, from the first batch to the last step, in CPU seconds of all
threads. Nothing is saved meanwhile. The loss is that of the final weights over the rows, computed in float32 by
one and the same function.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
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
from trainer.data.collate import pad
from trainer.data.examples import Example, Examples
from trainer.models import lora, precision, processes, tuning
from trainer.reporter import Reporter, Watched
from trainer.sharing import Share

SEED = 7
PAD, END = 0, 2
LENGTHS = (5.1, 0.6)  # log-normal tokens of a row: a mean of some 195
ANSWER = (0.3, 0.7)  # share of a row that is its answer, even between these
JUDGED = 64  # rows of which the final loss is taken


@dataclass(frozen=True)
class Case:
    """What both sides train: a Llama of the starter's shape with random weights, rows of random ids."""

    vocabulary: int = 4096
    rows: int = 160
    max_length: int = 512
    batch_size: int = 8  # rows; TRL's default
    lines: int = 3  # of a packed batch, so that it holds about as many tokens
    dtype: str = "bf16"
    hidden: int = 256
    layers: int = 6

    def spec(self, layout: str) -> TrainSpec:
        return TrainSpec(
            base_model_id=1,
            dataset_version_id=1,
            adapter_name="measured",
            rank=16,
            alpha=32,
            dropout=0.0,
            learning_rate=2e-4,
            scheduler="linear",
            warmup=0.0,
            epochs=1,
            batch_size=self.lines if layout == "packed" else self.batch_size,
            max_length=self.max_length,
            batching=layout,
            precision=self.dtype,
            save_every=1_000_000,
            seed=SEED,
        )


def write_case(folder: Path, case: Case) -> None:
    """The base, the rows and the first LoRA weights."""
    (folder / "case.json").write_text(json.dumps(asdict(case)))
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=case.vocabulary,
        hidden_size=case.hidden,
        intermediate_size=case.hidden * 11 // 4,
        num_hidden_layers=case.layers,
        num_attention_heads=max(1, case.hidden // 64),
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=END,
        pad_token_id=PAD,
    )
    base = LlamaForCausalLM(config).to(torch.bfloat16)  # so that it is the same in either format
    base.save_pretrained(folder / "base")
    words = {f"w{number}": number for number in range(case.vocabulary)}
    core = Tokenizer(models.WordLevel(words, unk_token="w3"))
    PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="w3", pad_token=f"w{PAD}", bos_token="w1", eos_token=f"w{END}"
    ).save_pretrained(folder / "base")
    first = get_peft_model(base.float(), lora_config(base, case))
    save_file(get_peft_model_state_dict(first), folder / "first.safetensors")
    examples = draw(case)
    np.savez(folder / "rows.npz", ids=examples.ids, offsets=examples.offsets, starts=examples.starts)


def lora_config(model, case: Case) -> LoraConfig:
    """What `trainer.models.lora` makes of the spec, for those who do not come by it."""
    spec = case.spec("auto")
    names = lora.target_names(model, spec)
    return LoraConfig(
        task_type="CAUSAL_LM", r=spec.rank, lora_alpha=spec.alpha, lora_dropout=0.0, target_modules=names
    )


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


# The two sides -----------------------------------------------------------------------------------------


def ours(folder: Path, layout: str) -> dict:
    """The training of `trainer.jobs.train`, its reporter with a real database included."""
    case, examples = read_case(folder)
    spec = case.spec(layout)
    context = _context(folder / f"data-{layout}", spec)
    set_seed(spec.seed)
    crew = processes.join(1)
    base = BaseModel(name="measured", location=str(folder / "base"), revision="")
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    dtype = precision.pick(spec.precision, crew.device)
    ready = tuning.set_up(base, spec, tokenizer, examples, device=crew.device, dtype=dtype)
    _load_first(ready.model, folder)
    plan = batching.plan(spec, ready.layout, examples)
    share = Share(plan.batches_of, crew)
    reporter = Reporter(context, Watched(lambda model: None, None, None, None), crew, len(share))
    trainer = loop.Loop(
        model=ready.model,
        args=loop.arguments(spec, ready, folder / "checkpoints", crew),
        train_dataset=examples,
        data_collator=ready.collator,
        callbacks=[reporter],
        batches=share,
        processes=crew,
    )
    with precision.lora_inputs_as_they_are(ready.model, ready.dtype):
        took = _timed(trainer)
    context.fall_silent()
    return {**took, "loss": final_loss(trainer.model, folder), "layout": ready.layout}


def theirs(folder: Path, kind: str) -> dict:
    """SFTTrainer over the same rows in the same batches. `kind` is a key of `_theirs`."""
    from trl import SFTConfig, SFTTrainer

    case, examples = read_case(folder)
    own, packs = _theirs(case)[kind], kind == "packing"
    spec = case.spec("packed" if packs else "flat")
    batches = batching.plan(spec, spec.batching, examples).batches_of(0)
    # As a string TRL loads the base its own way
    trainer = SFTTrainer(
        model=str(folder / "base"),
        args=SFTConfig(
            output_dir=str(folder / f"trl-{kind}"),
            num_train_epochs=1,
            per_device_train_batch_size=spec.batch_size,
            learning_rate=spec.learning_rate,
            lr_scheduler_type=spec.scheduler,
            max_grad_norm=spec.clip,
            completion_only_loss=True,  # by default only where it sees the text of prompts
            bf16=case.dtype == "bf16",
            use_cpu=True,
            train_sampling_strategy="sequential",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=SEED,
            **own,
        ),
        train_dataset=_lines(case, examples) if packs else _rows(examples, batches),
        processing_class=AutoTokenizer.from_pretrained(folder / "base"),
        peft_config=lora_config(AutoModelForCausalLM.from_pretrained(folder / "base"), case),
    )
    _load_first(trainer.model, folder)
    took = _timed(trainer)
    return {**took, "loss": final_loss(trainer.model, folder), "layout": kind}


def _theirs(case: Case) -> dict[str, dict]:
    """Where each of TRL's ways differs from its defaults."""
    held = {"bf16": "bfloat16", "fp32": "float32"}[case.dtype]
    equal = {"gradient_checkpointing": False, "model_init_kwargs": {"dtype": held}}
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


def _rows(examples: Examples, batches: batching.Batches):
    """Tokenised prompts and completions, in the order in which they are taken; TRL masks the prompts."""
    from datasets import Dataset

    ordered = [examples[row] for batch in batches for row in batch]
    return Dataset.from_dict(
        {
            "input_ids": [ids for ids, _ in ordered],
            "completion_mask": [[0] * start + [1] * (len(ids) - start) for ids, start in ordered],
        }
    )


def _lines(case: Case, examples: Examples):
    """The lines of our plan as TRL's packing lays them out, so that both see the same rows at each step."""
    from datasets import Dataset

    spec = case.spec("packed")
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


def _timed(trainer) -> dict:
    began, used = perf_counter(), process_time()
    trainer.train()
    return {
        "cpu_s": round(process_time() - used, 3),
        "seconds": round(perf_counter() - began, 3),
        "steps": trainer.state.global_step,
    }


def _load_first(model: PeftModel, folder: Path) -> None:
    found = set_peft_model_state_dict(model, load_file(folder / "first.safetensors"))
    if found.unexpected_keys:
        raise RuntimeError(f"the sides update other layers: {found.unexpected_keys[0]}")


@torch.no_grad()
def final_loss(trained: PeftModel, folder: Path) -> float:
    """Mean over the answers' tokens of the first rows, in nats, with base and update in float32."""
    case, examples = read_case(folder)
    base = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
    model = get_peft_model(base, lora_config(base, case)).eval()
    state = {name: weight.float().cpu() for name, weight in get_peft_model_state_dict(trained).items()}
    set_peft_model_state_dict(model, state)
    lost = counted = 0.0
    for begin in range(0, min(JUDGED, len(examples)), 8):
        rows = examples[begin : begin + 8]
        labelled = sum(len(ids) - start for ids, start in rows)
        lost += float(model(**pad(rows, PAD)).loss) * labelled
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
    print(json.dumps({"ours": ours, "theirs": theirs}[side](Path(where), name)))
