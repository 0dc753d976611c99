"""Tokens a second of LoRA and QLoRA on one GPU, ours against TRL's SFTTrainer, written to gpu.md.

Bases of Llama-2-7B's and Llama-3-8B's shapes are made on the GPU with random bfloat16 weights and saved, so
that both sides load them as they would any other. Rows of log-normal length are packed into lines of 2,048
tokens; both sides take the same lines in the same order, rank 16 on all linear layers, in a process each
(`tests.training_sides`). The first steps warm up; the others are timed as one, the GPU's queue empty before
and after.

`of peak`: 4N operations a token (forward, and backward to the activations; frozen weights get no gradient)
plus attention's, by the device's dense bfloat16 peak. N leaves out the table of embeddings, and activations
that are computed twice count once. `memory` is the most that torch held while training. `loss` is that of the
final weights on the unquantised base, over rows of the training: both sides' are to agree.

Without a GPU it says so and ends well. `--tiny` goes through all of it on the CPU with a miniature.
"""

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from db.settings import REPOSITORY

NOTES = Path(__file__).with_name("gpu.md")
LLAMA = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
SHAPES = {
    "Llama-2-7B": {
        **LLAMA,
        "vocab_size": 32_000,
        "intermediate_size": 11_008,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
    },
    "Llama-3-8B": {
        **LLAMA,
        "vocab_size": 128_256,
        "intermediate_size": 14_336,
        "num_key_value_heads": 8,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0},
    },
}
TINY = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
METHODS = ("lora", "qlora")
# Dense bfloat16 operations a second by the makers' data sheets
PEAKS = {"B200": 2250e12, "H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12}
LENGTH, TINY_LENGTH, LINES, WARM, STEPS = 2048, 256, 4, 3, 10
COLUMNS = ("base", "method", "side", "tokens/s", "of peak", "memory GiB", "s a step", "loss")


@dataclass(frozen=True)
class Asked:
    shape: str
    method: str
    side: str  # ours or theirs


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench gpu")
    parser.add_argument("--shape", choices=tuple(SHAPES), action="append", help="both unless told")
    parser.add_argument("--method", choices=METHODS, action="append", help="both unless told")
    parser.add_argument("--lines", type=int, default=LINES, help=f"of a batch, each of {LENGTH} tokens")
    parser.add_argument("--checkpointing", choices=("on", "off"), default="off")
    parser.add_argument("--to", type=Path, default=NOTES, help="the file the table is added to")
    parser.add_argument("--tiny", action="store_true", help="a miniature, without a GPU")
    given = parser.parse_args(argv)
    device = _device()
    if device is None and not given.tiny:
        print("gpu: there is no GPU on this machine; nothing was measured.")
        return
    shapes = ("tiny",) if given.tiny else given.shape or tuple(SHAPES)
    methods = ("lora",) if given.tiny else given.method or METHODS
    rows = measure(shapes, methods, given.lines, given.checkpointing)
    length = TINY_LENGTH if given.tiny else LENGTH
    told = f"{given.lines} lines of {length} tokens a step, recomputation {given.checkpointing}"
    table = render(rows, device or "cpu", told)
    print(table)
    with given.to.open("a", encoding="utf-8") as file:
        file.write(table)
    print(json.dumps(rows))


def measure(shapes: tuple[str, ...], methods: tuple[str, ...], lines: int, checkpointing: str) -> list[dict]:
    """A row of figures for each shape, method and side, or its "trouble"."""
    rows = []
    for shape in shapes:
        with tempfile.TemporaryDirectory(prefix="studio-gpu-") as folder:
            for method in methods:
                _child("case", shape, method, str(lines), checkpointing, folder)
                for side in ("ours", "theirs"):
                    asked = Asked(shape, method, side)
                    rows.append({**asked.__dict__, **_child("side", side, folder)})
                    print(rows[-1], file=sys.stderr, flush=True)
    return rows


def render(rows: list[dict], device: str, told: str) -> str:
    """A section of Markdown: date, device, versions, and a line for each run."""
    from importlib.metadata import version

    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft", "trl"))
    lines = [
        f"\n## {datetime.now(UTC).date()}, {device}\n",
        f"{packages}; bf16, {told}.\n",
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [row["shape"], row["method"], "studio" if row["side"] == "ours" else "TRL"]
        if "trouble" in row:
            cells += [row["trouble"], *[""] * 4]
        else:
            share = f"{row['of_peak']:.0%}" if row["of_peak"] else "unknown"
            cells += [f"{row['tokens_per_s']:,.0f}", share, f"{row['gib']:.1f}", f"{row['step_s']:.3f}"]
            cells += [f"{row['loss']:.4f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def operations(shape: dict, lengths: list[int], parameters: int) -> float:
    """Of training LoRA once over rows of these lengths: 4N a token, and attention forward and backward.

    `parameters` leaves out the table of embeddings. A causal row of length n attends to n(n + 1) / 2 places,
    at 4 operations a channel forward and twice that backward.
    """
    places = sum(length * (length + 1) / 2 for length in lengths)
    attention = 12 * shape["num_hidden_layers"] * shape["hidden_size"] * places
    return 4 * parameters * sum(lengths) + attention


def count_parameters(shape: dict) -> int:
    """Of the base, without the table of embeddings; counted on a model that takes no memory."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(LlamaConfig(**shape))
    return model.num_parameters() - model.get_input_embeddings().weight.numel()


def peak(device: str) -> float | None:
    """Operations a second, None for a device that is not in the table."""
    return next((value for name, value in PEAKS.items() if name in device), None)


def _device() -> str | None:
    """The GPU's name. Asked in a process of its own, so that this one takes no memory there."""
    code = "import torch; print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else '')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip() or None


def _child(*words: str) -> dict:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.gpu", *words],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return json.loads(done.stdout.rstrip().rpartition("\n")[2])
    last = done.stderr.strip().rpartition("\n")[2]
    print(done.stderr[-3000:], file=sys.stderr)
    return {"trouble": "out of memory" if "OutOfMemory" in last else last[:120].replace("|", "/")}


# In a process of its own ------------------------------------------------------------------------------


def _write(shape: str, method: str, lines: str, checkpointing: str, folder: str) -> dict:
    import torch

    from tests import training_sides

    tiny = shape == "tiny"
    case = training_sides.Case(
        TINY if tiny else SHAPES[shape],
        rows=int(lines) * (WARM + STEPS) * (4 if tiny else 14),
        max_length=TINY_LENGTH if tiny else LENGTH,
        lines=int(lines),
        method=method,
        checkpointing=checkpointing,
        max_steps=WARM + STEPS,
    )
    training_sides.write_case(Path(folder), case, "cuda" if torch.cuda.is_available() else "cpu")
    return {}


def _measure_side(side: str, folder: str) -> dict:
    import torch

    from tests import training_sides
    from trainer.data import batching
    from trainer.models import load

    case, examples = training_sides.read_case(Path(folder))
    clock, device = _clock(), load.pick_device()
    name = "packed" if side == "ours" else "packing"
    with training_sides.SIDES[side](Path(folder), name, [clock]) as trainer:
        trainer.train()
    taken = torch.cuda.max_memory_allocated() if device.type == "cuda" else 0
    batches = batching.plan(case.spec("packed"), "packed", examples).batches_of(0)[WARM : WARM + STEPS]
    if trainer.state.global_step != WARM + STEPS or len(batches) != STEPS:
        raise RuntimeError(f"{trainer.state.global_step} steps were taken")
    lengths = [int(examples.lengths[row]) for batch in batches for row in batch]
    seconds = clock.ended - clock.began
    limit = peak(torch.cuda.get_device_name(0)) if device.type == "cuda" else None
    rate = operations(case.shape, lengths, count_parameters(case.shape)) / seconds
    return {
        "tokens_per_s": round(sum(lengths) / seconds, 1),
        "of_peak": round(rate / limit, 4) if limit else None,
        "gib": round(taken / 2**30, 2),
        "step_s": round(seconds / STEPS, 4),
        "loss": round(training_sides.final_loss(trainer.model, Path(folder), device), 5),
    }


def _clock():
    import torch
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        """When the last warm-up step and the last step of all were done."""

        began = ended = 0.0

        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step in (WARM, WARM + STEPS):
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                now = perf_counter()
                if state.global_step == WARM:
                    self.began = now
                else:
                    self.ended = now

    return Clock()


if __name__ == "__main__":
    print(json.dumps({"case": _write, "side": _measure_side}[sys.argv[1]](*sys.argv[2:])))
