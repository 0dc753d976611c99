"""A training run's speed against TRL's SFTTrainer; how long rows take to prepare and a long run to open.

Both sides train the same random Llama of the starter's shape, LoRA of rank 16 on all linear layers, on the
same rows of log-normal length in the same batches, from the same first LoRA weights, in the same format, the
loss on the answers alone (`tests.training_sides`). Each run is a process of its own with one thread, theirs
right behind ours; a figure is the median over the pairs of their CPU seconds by ours, training alone. With
`--vocabulary 4096 --vocabulary 32000` (it takes long, for on the CPU TRL scores every position) the
keys hold the lower figure, and each vocabulary's own stands behind it.

`vs_default`: TRL as it comes, which recomputes activations and holds the base in float32.
`vs_equal`: without recomputation, the base in the training format; rows padded.
`vs_padding_free`: the same, rows laid end to end.
`vs_packing`: both with lines filled up to the longest row.
`loss_gap`: the largest difference between the final losses of a pair, nats.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from db.settings import REPOSITORY
from tests.bench import open_run, prepare

PAIRS = 5
VOCABULARIES = (4096,)  # the starter's
ROWS = 96
KINDS = {  # of TRL's run: the batches of ours, and how many times faster ours is to be
    "default": ("auto", 2.0),
    "equal": ("auto", 1.6),
    "padding_free": ("auto", 1.2),
    "packing": ("packed", 1.0),
}
ALONE = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


@dataclass(frozen=True)
class Pair:
    ours: dict
    theirs: dict

    @property
    def times(self) -> float:
        """How many times the CPU seconds TRL took."""
        return self.theirs["cpu_s"] / self.ours["cpu_s"]

    @property
    def gap(self) -> float:
        return abs(self.theirs["loss"] - self.ours["loss"])


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench training")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--rows", type=int, default=ROWS, help="of each run")
    parser.add_argument("--vocabulary", type=int, action="append", help="such as 4096; may be given again")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto")
    parser.add_argument("--only-training", action="store_true", help="leave preparing and opening out")
    given = parser.parse_args(argv)
    figures = measure(given.vocabulary or VOCABULARIES, given.rows, given.pairs, given.precision)
    if not given.only_training:
        figures |= prepare.measure() | open_run.measure()
    print(json.dumps(figures))


def measure(vocabularies: tuple[int, ...], rows: int, pairs: int, asked: str) -> dict[str, float]:
    """The keys above. Raises RuntimeError when a side fails or the two take unlike steps."""
    from tests import training_sides
    from trainer.models import precision

    dtype = precision.name(precision.pick(asked, training_sides.CPU))
    print(f"{rows} rows in {dtype}, {pairs} pairs", flush=True)
    figures, gaps = {}, []
    for vocabulary in vocabularies:
        with tempfile.TemporaryDirectory(prefix="studio-training-") as name:
            case = training_sides.Case(
                {**training_sides.STARTER, "vocab_size": vocabulary}, rows, dtype=dtype
            )
            training_sides.write_case(Path(name), case)
            found = _pairs(Path(name), pairs)
        for kind, of_kind in found.items():
            figures[f"vs_{kind}_{vocabulary}"] = round(statistics.median(pair.times for pair in of_kind), 3)
            gaps.append(max(pair.gap for pair in of_kind))
            _tell(vocabulary, kind, of_kind)
    lowest = {
        f"vs_{kind}": min(figures[f"vs_{kind}_{vocabulary}"] for vocabulary in vocabularies) for kind in KINDS
    }
    return {**lowest, "loss_gap": round(max(gaps), 6), **figures}


def _pairs(folder: Path, count: int) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {kind: [] for kind in KINDS}
    for _ in range(count):
        for kind, (layout, _) in KINDS.items():
            pair = Pair(_run("ours", layout, folder), _run("theirs", kind, folder))
            if pair.ours["steps"] != pair.theirs["steps"]:
                raise RuntimeError(f"{kind}: {pair.ours['steps']} steps against {pair.theirs['steps']}")
            found[kind].append(pair)
            print(f"{kind:<13} {pair.times:.2f}", file=sys.stderr, flush=True)
    return found


def _run(side: str, name: str, folder: Path) -> dict:
    command = [sys.executable, "-m", "tests.training_sides", side, name, str(folder)]
    environment = {**os.environ, **ALONE}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{side} {name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.rstrip().rpartition("\n")[2])


def _tell(vocabulary: int, kind: str, pairs: list[Pair]) -> None:
    times = sorted(pair.times for pair in pairs)
    ours = statistics.median(pair.ours["cpu_s"] for pair in pairs)
    theirs = statistics.median(pair.theirs["cpu_s"] for pair in pairs)
    print(
        f"{vocabulary:>6} {kind:<13} ours {ours:>7.2f} s, theirs {theirs:>7.2f} s CPU: "
        f"{statistics.median(times):.2f} times ({times[0]:.2f} to {times[-1]:.2f}), target {KINDS[kind][1]}; "
        f"losses {pairs[0].ours['loss']:.5f} and {pairs[0].theirs['loss']:.5f}",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
