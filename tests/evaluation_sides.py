"""One scoring of MedQA by likelihood, in a process of its own: the studio's way, or lm-evaluation-harness's.

Both find in a folder the same questions and examples (`tests.bench.evaluation` writes it), load the same
model in float32 on the same number of threads, and tell their accuracies, the log-likelihood of every option,
a hash of every token they scored, and the CPU seconds of the scoring alone, all threads of the process: from
the rows to the scored rows here, `loglikelihood` alone (encoding and passes) there.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from time import process_time

from db.settings import STARTER_DIR
from db.tasks import make_task
from trainer import prompts
from trainer.evaluating import batches
from trainer.evaluating.asking import Case, Examiner
from trainer.evaluating.encoding import Encoder
from trainer.evaluating.subject import load_subject
from trainer.models import load
from trainer.serve.catalog import Base, Target

WEIGHTS = str(STARTER_DIR / "weights")
CASE, ROWS = "case.json", "rows.jsonl"


@dataclass(frozen=True)
class Side:
    """What one side found: two accuracies, nats of each option, CPU seconds, a hash of the tokens scored."""

    acc: float
    acc_norm: float
    nats: list[list[float]]
    cpu_s: float
    tokens: str


class Exam:
    """The questions as the studio asks them, each with the answers whose likelihood counts."""

    def __init__(self, folder: Path) -> None:
        told = json.loads((folder / CASE).read_text())
        self.examples, self.batch = told["examples"], told["batch"]
        self.task = make_task("medqa", {"form": told["form"]})
        rows = list(self.task.read(folder / ROWS, {}))
        asked = [self.task.ask(row) for row in rows]
        self.cases = [
            Case(at, row, one.instruction, one.input)
            for at, (row, one) in enumerate(zip(rows, asked, strict=True))
        ]

    def encode(self, tokenizer) -> list[list[tuple[list[int], list[int]]]]:
        """(question, answer) ids of each option of each row."""
        encoder = Encoder(tokenizer, self.examples)
        asked = [(case.instruction, case.input) for case in self.cases]
        found = []
        for case, question, prompt in zip(self.cases, asked, encoder.questions(asked), strict=True):
            texts = self.task.options(case.row)[0].continuations
            answers = encoder.answers(question, prompt, texts)
            pairs = zip(answers.sequences, answers.starts, strict=True)
            found.append([(ids[:start], ids[start:]) for ids, start in pairs])
        return found


def ours(folder: Path) -> Side:
    exam = Exam(folder)
    subject = load_subject(Target(Base("starter", WEIGHTS, "")), "fp32")
    encoded = exam.encode(subject.tokenizer)
    longest = max(len(question) + len(answer) for row in encoded for question, answer in row)
    budget = batches.Budget(min(batches.CPU_TOKENS, exam.batch * longest))
    examiner = Examiner(subject, exam.task, exam.examples, budget, cyclic=False)
    begun = process_time()
    scored = [one for some in examiner.by_likelihood(exam.cases) for one in some]
    seconds = process_time() - begun
    scored.sort(key=lambda one: one.position)
    counts = [one.score.counts for one in scored]
    return Side(
        acc=sum(row["first_right"] for row in counts) / len(counts),
        acc_norm=sum(row["normalised_right"] for row in counts) / len(counts),
        nats=[one.score.said["nats"] for one in scored],
        cpu_s=seconds,
        tokens=_hash([pair for row in encoded for pair in row]),
    )


def theirs(folder: Path) -> Side:
    """With a task of lm-evaluation-harness's own kind over the very texts that the studio asks."""
    from lm_eval import evaluate
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.models.huggingface import HFLM

    class Timed(HFLM):
        """HFLM as it comes; it only notes what it scored, and how long that took."""

        seconds, found, scored = 0.0, (), ()

        def loglikelihood(self, requests, disable_tqdm=True):
            begun = process_time()
            self.found = super().loglikelihood(requests, disable_tqdm=True)
            self.seconds = process_time() - begun
            return self.found

        def _loglikelihood_tokens(self, requests, disable_tqdm=True, override_bs=None):
            self.scored = [(question, answer) for _, question, answer in requests]
            return super()._loglikelihood_tokens(requests, disable_tqdm, override_bs)

    exam = Exam(folder)
    tokenizer = load.load_tokenizer(WEIGHTS)
    before = [message for example in exam.examples for message in prompts.to_chat(**example)]
    chats = [[*before, *prompts.to_prompt(case.instruction, case.input)] for case in exam.cases]
    texts = prompts.render(tokenizer, chats, for_answer=True)
    docs = folder / "docs.jsonl"
    with docs.open("w") as file:
        for case, text in zip(exam.cases, texts, strict=True):
            choices = list(exam.task.options(case.row)[0].continuations)
            gold = exam.task.gold(case.row).index
            file.write(json.dumps({"text": text, "choices": choices, "gold": gold}) + "\n")
    task = ConfigurableTask(
        config={
            "task": "studio_medqa",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(docs)}, "cache_dir": str(folder / "cache")},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "text",
            "doc_to_choice": "choices",
            "doc_to_target": "gold",
            "target_delimiter": " ",  # which the starter's template writes before an answer
            "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
        }
    )
    model = Timed(pretrained=WEIGHTS, device="cpu", dtype="float32", batch_size=exam.batch)
    found = evaluate(model, {"studio_medqa": task}, bootstrap_iters=0, log_samples=False)
    [figures] = found["results"].values()
    options = iter(model.found)
    return Side(
        acc=figures["acc,none"],
        acc_norm=figures["acc_norm,none"],
        nats=[
            [next(options)[0] for _ in exam.task.options(case.row)[0].continuations] for case in exam.cases
        ],
        cpu_s=model.seconds,
        tokens=_hash(model.scored),
    )


def _hash(pairs) -> str:
    return sha256(json.dumps([[list(one), list(other)] for one, other in pairs]).encode()).hexdigest()


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
    side = {"ours": ours, "theirs": theirs}[sys.argv[1]](Path(sys.argv[2]))
    sys.stdout.write(json.dumps(asdict(side)) + "\n")
