"""Builds the starter base: `python -m trainer.starter.build --medquad PATH/medquad.jsonl.gz`.

Learns the tokenizer, pretrains a small Llama on the fact table's sentences and on MedQuAD, and saves a
folder that `AutoModelForCausalLM` loads. One training loop, read top to bottom; runs on CPU (bfloat16 where
the processor has it) and on CUDA. It never sees the chat template in use nor the demo set: what comes out
only continues text.
"""

import argparse
import contextlib
import gzip
import json
import logging
import math
import platform
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from trainer.starter.card import read_figures, write_card
from trainer.starter.crew import Crew, with_crew
from trainer.starter.muon import Muon
from trainer.starter.sentences import Writer
from trainer.starter.tokenizer import CONTEXT, VOCABULARY, train_tokenizer

log = logging.getLogger(__name__)
WEIGHTS = Path(__file__).parent / "weights"
WAITING = 3
"""Documents to choose from when a row is packed."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, beside the code and the corpus."""

    hidden: int = 256
    layers: int = 6
    heads: int = 4
    inner: int = 704
    """Width of the feed-forward part."""
    vocabulary: int = VOCABULARY
    tokens_a_piece: int = 2048
    pieces: int = 4
    """Pieces of work in one step; the processes of the crew take them one by one."""
    row: int = 512
    """Tokens in a row for the first part of the run."""
    long_row: int = 1024
    long_share: float = 0.1
    """Share of the run, at its end, on long rows."""
    matrix_lr: float = 0.02
    other_lr: float = 0.004
    warm_up: int = 20
    decay_share: float = 0.5
    """Share of the run, at its end, over which the learning rate falls linearly to zero."""
    tokenizer_texts: int = 20_000
    compiled: bool = True
    """Use torch.compile where a C++ compiler is installed."""
    seed: int = 11


@dataclass
class Budget:
    """How long to train: whichever of the two comes first. Progress runs from 0 to 1."""

    tokens: float = math.inf
    minutes: float = math.inf

    def progress(self, tokens: int, started: float) -> float:
        return max(tokens / self.tokens, (time.monotonic() - started) / 60 / self.minutes)


def build(
    medquad: Path | None,
    out: Path,
    budget: Budget,
    recipe: Recipe,
    crew: Crew,
    device: str = "auto",
    start: Path | None = None,
) -> dict:
    """Tokenizer, pretraining, saved folder. Returns the figures that the model card prints.

    With `start`, a folder built before, its tokenizer stays, its weights are trained on, its figures added.
    """
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    torch.manual_seed(recipe.seed)
    writer, passages = Writer(), read_medquad(medquad)
    before = read_figures(start) if start else {}
    if start:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
        model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32).to(device)
    else:
        tokenizer = train_tokenizer(tokenizer_sample(writer, passages, recipe), recipe.vocabulary)
        model = new_model(recipe, tokenizer).to(device)
    dice = random.Random(f"{recipe.seed} {crew.rank} {before.get('tokens', 0)}")
    written = documents(lambda: writer.document(dice), tokenizer, most=recipe.row)
    prose = documents(lambda: dice.choice(passages), tokenizer, most=CONTEXT) if passages else None
    stream = batches(Rows(written, prose), recipe)
    figures = pretrain(model, stream, budget, recipe, crew, device, keep=lambda: save(model, tokenizer, out))
    figures |= {key: round(figures[key] + before.get(key, 0), 1) for key in ("tokens", "steps", "minutes")}
    if crew.rank == 0:
        save(model, tokenizer, out)
        write_card(out, figures)
    return figures


def tokenizer_sample(writer: Writer, passages: list[str], recipe: Recipe) -> list[str]:
    rng = random.Random(recipe.seed)
    written = [writer.document(rng) for _ in range(recipe.tokenizer_texts)]
    return rng.sample(passages, min(len(passages), 6000)) + written


def read_medquad(path: Path | None) -> list[str]:
    """Question and answer of every MedQuAD row as one text; none without a path."""
    if path is None:
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [f"{row['question'].strip()}\n{row['answer'].strip()}" for row in rows if row.get("answer")]


def new_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=recipe.vocabulary,
            hidden_size=recipe.hidden,
            intermediate_size=recipe.inner,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def documents(
    write: Callable[[], str], tokenizer: PreTrainedTokenizerFast, most: int
) -> Iterator[np.ndarray]:
    """An endless stream of token ids, a document of at most `most` at a time, opened by the bos token.

    A whole one closes with the end token: a base that never saw it cannot tell it from the other tokens it
    never saw, and short answers then run on however long one tunes.
    """
    bos, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    while True:
        encoded = tokenizer.backend_tokenizer.encode_batch(
            [write() for _ in range(2000)], add_special_tokens=False
        )
        yield from (np.array([bos, *e.ids, end][:most], dtype=np.int64) for e in encoded)


class Rows:
    """Rows of token ids, packed of whole documents: a question is worth nothing without its passage.

    Prose may be cut, and fills what no waiting document fits into; without prose the beginning of one does.
    """

    def __init__(self, written: Iterator[np.ndarray], prose: Iterator[np.ndarray] | None) -> None:
        self.written, self.prose = written, prose
        self.waiting = [next(written) for _ in range(WAITING)]
        self.rest = np.empty(0, dtype=np.int64)

    def take(self, length: int) -> np.ndarray:
        """(length,) token ids."""
        parts, room = [], length
        while fitting := [i for i, document in enumerate(self.waiting) if len(document) <= room]:
            longest = max(fitting, key=lambda i: len(self.waiting[i]))
            parts.append(self.waiting[longest])
            room -= len(self.waiting[longest])
            self.waiting[longest] = next(self.written)
        return np.concatenate([*parts, self._filling(room)])

    def _filling(self, room: int) -> np.ndarray:
        if self.prose is None:
            return self.waiting[0][:room]
        while len(self.rest) < room:
            self.rest = np.concatenate([self.rest, next(self.prose)])
        filling, self.rest = self.rest[:room], self.rest[room:]
        return filling


def batches(rows: Rows, recipe: Recipe) -> Iterator[torch.Tensor]:
    """(rows, row + 1) token ids; send(True) switches to long rows."""
    length = recipe.row
    while True:
        piece = [rows.take(length + 1) for _ in range(max(1, recipe.tokens_a_piece // length))]
        long = yield torch.from_numpy(np.stack(piece))
        length = recipe.long_row if long else recipe.row


def pretrain(
    model: LlamaForCausalLM,
    stream: Iterator[torch.Tensor],
    budget: Budget,
    recipe: Recipe,
    crew: Crew,
    device: str,
    keep: Callable,
) -> dict:
    """The loop, run by every process of the crew. `keep()` saves the weights so far every five minutes."""
    optimizers = new_optimizers(model, recipe)
    loss_of = loss_function(model, device, recipe.compiled)
    batch, step, progress, mean = next(stream), 0, 0.0, None
    started = saved = time.monotonic()
    while progress < 1:
        set_rates(optimizers, step, progress, recipe)
        loss = 0.0
        while crew.claim(step, recipe.pieces):
            piece = batch.to(device)
            piece_loss = loss_of(piece[:, :-1], piece[:, 1:]) / recipe.pieces
            piece_loss.backward()
            loss += piece_loss.item()
            batch = stream.send(progress > 1 - recipe.long_share)
        tokens = (step + 1) * recipe.pieces * recipe.tokens_a_piece
        loss, progress = crew.add_up(model, loss, budget.progress(tokens, started))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, mean = step + 1, loss if mean is None else 0.95 * mean + 0.05 * loss
        if crew.rank == 0 and step % 20 == 0:
            speed = tokens / (time.monotonic() - started)
            log.info(
                "step %d  %.0f %%  %.2fM tokens  loss %.3f  %.0f tokens/s",
                step,
                100 * progress,
                tokens / 1e6,
                mean,
                speed,
            )
        if crew.rank == 0 and time.monotonic() - saved > 300:
            keep()
            saved = time.monotonic()
    return {
        "tokens": step * recipe.pieces * recipe.tokens_a_piece,
        "steps": step,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "loss": None if mean is None else round(mean, 3),
        "parameters": sum(p.numel() for p in model.parameters()),
        "hardware": torch.cuda.get_device_name()
        if device == "cuda"
        else f"{crew.size} CPU cores ({platform.machine()})",
    }


def new_optimizers(model: LlamaForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings and norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inside]
    return [
        Muon(matrices, lr=recipe.matrix_lr),
        torch.optim.AdamW(others, lr=recipe.other_lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def set_rates(optimizers: list[torch.optim.Optimizer], step: int, progress: float, recipe: Recipe) -> None:
    """Warm up, stay, fall linearly to zero."""
    factor = min(1.0, (step + 1) / recipe.warm_up, max(0.0, 1 - progress) / recipe.decay_share)
    for optimizer, top in zip(optimizers, (recipe.matrix_lr, recipe.other_lr), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = top * factor


def loss_function(model: LlamaForCausalLM, device: str, compiled: bool = True) -> Callable:
    """Mean next-token loss of (B, T) inputs and targets, in bfloat16 and compiled where the machine can."""
    half = device == "cuda" or torch.cpu._is_avx512_bf16_supported()

    def loss_of(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device, dtype=torch.bfloat16) if half else contextlib.nullcontext():
            logits = model(input_ids=inputs, use_cache=False).logits  # (B, T, V)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    return torch.compile(loss_of, dynamic=False) if compiled and shutil.which("g++") else loss_of


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """The folder that transformers loads; weights in bfloat16 to halve the file."""
    state = {name: weight.detach().to("cpu", torch.bfloat16) for name, weight in model.state_dict().items()}
    half = LlamaForCausalLM(model.config).to(torch.bfloat16)
    half.load_state_dict(state)
    half.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=160,
    )
    half.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--medquad", type=Path, help="medquad.jsonl.gz (CC BY 4.0); without it only the fact table is read"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--start", type=Path, help="train on from this folder, built before")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--tokens", type=float, default=math.inf)
    parser.add_argument("--processes", type=int, default=1, help="CPU only: as many as there are cores")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    args = parser.parse_args()
    if args.minutes == args.tokens == math.inf:
        parser.error("give --minutes or --tokens")
    budget = Budget(args.tokens, args.minutes)
    with_crew(args.processes, _work, args.medquad, args.out, budget, args.device, args.start)


def _work(
    crew: Crew, medquad: Path | None, out: Path, budget: Budget, device: str, start: Path | None
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    figures = build(medquad, out, budget, Recipe(), crew, device, start)
    if crew.rank == 0:
        print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
