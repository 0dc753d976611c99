"""Multiple choice by likelihood against lm-evaluation-harness 0.4.13: the same accuracies, in how much time.

Both sides score the starter in float32 on one thread over the same questions of MedQA's test file, with none
and with two examples before each. Prompts and answers are the same texts, and the hash of every token scored
is compared; lm-evaluation-harness gets them as a task of its own (no change to it: `tests.evaluation_sides`).
The starter reads 1,024 tokens, so the questions are the first 500 that fit with the examples before them, and
the examples are the file's two shortest questions: nothing is cut on either side. A figure of time is the
CPU seconds of a process of its own, theirs right behind ours. The first pair of each kind scores all
questions, the others the first 100; a ratio is the median over the pairs.

`accuracy_equal`: acc and acc_norm are equal to the last digit, with and without examples, answers as texts
and as letters, and no option's log-likelihood is further apart than NEAR.
`cpu_ratio`: their CPU seconds by ours, answers as texts, no examples: the least that sharing gains.
`ner_equal`: see tests.bench.ner_scores; `page_ms`: see tests.bench.predictions.
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
from tests.bench import ner_scores, predictions
from tests.corpora import corpora_folder

ROWS, TIMED, PAIRS, BATCH = 500, 100, 3, 8
NEAR = 2e-3  # nats; sums of some ten float32 log-probabilities, added in another order
CONTEXT = 1024
ALONE = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
}
KINDS = {  # title -> form of the answer, examples
    "texts, no examples": ("choice_text", 0),
    "texts, two examples": ("choice_text", 2),
    "letters, no examples": ("choice_letter", 0),
}
HEADLINE = "texts, no examples"


@dataclass(frozen=True)
class Pair:
    ours: dict
    theirs: dict

    @property
    def times(self) -> float:
        """How many times our CPU seconds theirs are."""
        return self.theirs["cpu_s"] / self.ours["cpu_s"]

    @property
    def gap(self) -> float:
        """The largest difference between the two log-likelihoods of an option, nats."""
        rows = zip(self.ours["nats"], self.theirs["nats"], strict=True)
        return max(abs(one - other) for row in rows for one, other in zip(*row, strict=True))

    @property
    def is_equal(self) -> bool:
        """Raises RuntimeError where the two did not score the same tokens: nothing could be compared."""
        if self.ours["tokens"] != self.theirs["tokens"]:
            raise RuntimeError("the two sides scored other tokens")
        same = all(self.ours[name] == self.theirs[name] for name in ("acc", "acc_norm"))
        return same and self.gap < NEAR


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench evaluation")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of processes, for each kind")
    parser.add_argument("--batch", type=int, default=BATCH, help="sequences in one of their batches")
    parser.add_argument("--only-likelihood", action="store_true", help="leave spans and pages out")
    given = parser.parse_args(argv)
    figures = measure(given.rows, given.pairs, given.batch)
    if not given.only_likelihood:
        figures |= {"ner_equal": ner_scores.ner_equal(), "page_ms": predictions.measure()["page_ms"]}
    print(json.dumps(figures))


def measure(rows: int = ROWS, pairs: int = PAIRS, batch: int = BATCH) -> dict:
    """`accuracy_equal`, `cpu_ratio` and each kind's own. Raises RuntimeError when a side fails."""
    questions, examples = _questions(rows)
    print(
        f"{len(questions)} questions, {batch} sequences a batch of theirs, as many tokens of ours", flush=True
    )
    found: dict[str, list[Pair]] = {}
    for title, (form, shots) in KINDS.items():
        found[title] = []
        for count in (rows, *[TIMED] * (pairs - 1)):
            with tempfile.TemporaryDirectory(prefix="studio-evaluation-") as name:
                _write(Path(name), questions[:count], examples[:shots], form, batch)
                found[title].append(Pair(_run("ours", name), _run("theirs", name)))
        _tell(title, found[title])
    ratios = {title: statistics.median(pair.times for pair in of_kind) for title, of_kind in found.items()}
    return {
        "accuracy_equal": all(pair.is_equal for of_kind in found.values() for pair in of_kind),
        "cpu_ratio": round(ratios[HEADLINE], 2),
        "cpu_ratio_examples": round(ratios["texts, two examples"], 2),
        "cpu_ratio_letters": round(ratios["letters, no examples"], 2),
    }


def _questions(count: int) -> tuple[list[dict], list[dict]]:
    """The first that fit, and the two shortest of the file as examples."""
    from tests import evaluation_sides as sides
    from trainer.evaluating.encoding import Encoder
    from trainer.models import load

    path = corpora_folder() / "medqa" / "us_4_options_test.jsonl"
    if not path.exists():
        sys.exit(f"needs MedQA's test file: {path}; set STUDIO_CORPORA to the folder of corpora")
    task = sides.make_task("medqa", {"form": "choice_text"})
    records = [json.loads(line) for line in path.read_text().splitlines()]
    rows = list(task.read(path, {}))
    asked = [task.ask(row) for row in rows]
    shortest = sorted(range(len(rows)), key=lambda at: len(asked[at].input))[:2]
    examples = [
        {"instruction": one.instruction, "input": one.input, "output": one.reference}
        for one in (asked[at] for at in shortest)
    ]
    encoder, fitting = Encoder(load.load_tokenizer(sides.WEIGHTS), examples), []
    for at, (row, one) in enumerate(zip(rows, asked, strict=True)):
        question = (one.instruction, one.input)
        [prompt] = encoder.questions([question])
        answers = encoder.answers(question, prompt, task.options(row)[0].continuations)
        if at not in shortest and max(map(len, answers.sequences)) <= CONTEXT:
            fitting.append(records[at])
        if len(fitting) == count:
            break
    return fitting, examples


def _write(folder: Path, questions: list[dict], examples: list[dict], form: str, batch: int) -> None:
    from tests import evaluation_sides as sides

    (folder / sides.ROWS).write_text("\n".join(map(json.dumps, questions)))
    (folder / sides.CASE).write_text(json.dumps({"form": form, "examples": examples, "batch": batch}))


def _run(side: str, folder: str) -> dict:
    command = [sys.executable, "-m", "tests.evaluation_sides", side, folder]
    done = subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, **ALONE}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{side}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.rstrip().rpartition("\n")[2])


def _tell(title: str, pairs: list[Pair]) -> None:
    ours, theirs = pairs[0].ours, pairs[0].theirs
    times = sorted(pair.times for pair in pairs)
    print(
        f"{title:<22} acc {ours['acc']:.3f} and {theirs['acc']:.3f}, acc_norm {ours['acc_norm']:.3f} and "
        f"{theirs['acc_norm']:.3f}, {max(pair.gap for pair in pairs):.1e} nats apart; "
        f"ours {ours['cpu_s']:.1f} s, theirs {theirs['cpu_s']:.1f} s CPU: "
        f"{statistics.median(times):.2f} times ({times[0]:.2f} to {times[-1]:.2f})",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
