"""How long 25,005 rows take to be made ready: rendered, tokenised, masked, cut and cached, then read again.

As many rows as BioInstruct has, of its lengths (some 200 tokens, log-normal), written with words of MedQuAD
where it is at hand, else of the seed library, through the starter's tokenizer. Each time in a fresh process.
"""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from types import SimpleNamespace

from tests.corpora import corpora_folder

REPOSITORY = Path(__file__).resolve().parents[2]
ROWS = 25_005  # BioInstruct's
LENGTHS = ((3.0, 0.5), (3.3, 0.7), (4.1, 0.6))  # log-normal words of instruction, input and output
WITHOUT_INPUT = 0.2
SEED = 5


def measure(rows: int = ROWS) -> dict:
    """prepare_s and prepare_again_s, seconds on the clock; the same in CPU seconds; rows and tokens."""
    with TemporaryDirectory() as folder:
        first, again = _in_a_process(rows, folder), _in_a_process(rows, folder)
    assert first["rows"] == again["rows"] == rows
    assert first["tokens"] == again["tokens"]
    return {
        "prepare_s": first["seconds"],
        "prepare_again_s": again["seconds"],
        "prepare_cpu_s": first["cpu_seconds"],
        "prepare_again_cpu_s": again["cpu_seconds"],
        "prepare_rows": rows,
        "prepare_tokens": first["tokens"],
    }


def main(argv: list[str]) -> None:
    if argv:
        sys.exit("prepare takes no options.")
    figures = measure()
    print(f"{figures['prepare_rows']:,} rows, {figures['prepare_tokens']:,} tokens")
    print(f"first time {figures['prepare_s']} s ({figures['prepare_cpu_s']} CPU seconds), target 60")
    print(
        f"again      {figures['prepare_again_s']} s ({figures['prepare_again_cpu_s']} CPU seconds), target 2"
    )
    print(json.dumps(figures))


def draw_rows(count: int) -> list[SimpleNamespace]:
    """Rows of running text, cut out of a corpus at random places."""
    words, draw = _words(), random.Random(SEED)

    def text(mean: float, deviation: float) -> str:
        length = max(3, round(draw.lognormvariate(mean, deviation)))
        begin = draw.randrange(len(words) - 400)
        return " ".join(words[begin : begin + min(length, 400)])

    return [
        SimpleNamespace(
            instruction=text(*LENGTHS[0]),
            input=text(*LENGTHS[1]) if draw.random() > WITHOUT_INPUT else "",
            output=text(*LENGTHS[2]),
        )
        for _ in range(count)
    ]


def _words() -> list[str]:
    medquad = corpora_folder() / "medquad" / "medquad.jsonl.gz"
    if medquad.is_file():
        with gzip.open(medquad, "rt", encoding="utf-8") as lines:
            texts = [value for line in lines for value in json.loads(line).values() if isinstance(value, str)]
    else:
        samples = sorted((REPOSITORY / "db" / "samples").rglob("*.y*ml"))
        texts = [path.read_text(encoding="utf-8") for path in samples]
    return [word for text in texts for word in text.split()]


def _in_a_process(rows: int, folder: str) -> dict:
    command = [sys.executable, "-m", "tests.bench.prepare", str(rows), folder]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.rstrip().rpartition("\n")[2])


def _once(rows: int, folder: str) -> dict:
    from db.enums import Split
    from db.settings import STARTER_DIR
    from db.train_spec import TrainSpec
    from trainer.data.prepare import prepare
    from trainer.models import load

    tokenizer = load.load_tokenizer(str(STARTER_DIR / "weights"))
    spec = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="bench")
    drawn = {Split.TRAIN: draw_rows(rows)}
    began, used = perf_counter(), process_time()
    encoded = prepare(tokenizer, drawn, Split.TRAIN, spec, spec.max_length, Path(folder))
    return {
        "seconds": round(perf_counter() - began, 2),
        "cpu_seconds": round(process_time() - used, 2),
        "tokens": encoded.tokens,
        "rows": encoded.found,
    }


if __name__ == "__main__":
    print(json.dumps(_once(int(sys.argv[1]), sys.argv[2])))
