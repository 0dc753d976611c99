"""Base against tuned on the held-out demo set: `python -m trainer.starter.measure [--adapter DIR]`.

Greedy answers in batches through the chat template, scored by `score.py`, printed as a table with chance
beside it; the last line is the same as JSON. It neither trains nor looks at the tuning part of the demo
set.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from trainer.starter.score import Score, accuracy, entity_f1, rouge_l

HERE = Path(__file__).parent
TEST = HERE.parents[1] / "db" / "samples" / "demo-test.jsonl"
SCORES = {"QA": ("accuracy", accuracy), "IE": ("strict F1", entity_f1), "GEN": ("ROUGE-L", rouge_l)}
CHANCE = {"yes_no_qa": 1 / 2, "natural_language_inference": 1 / 3, "multiple_choice": 1 / 4}
"""Of a guesser who knows the form of the answer; nought for what must be found and written."""


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def messages(row: dict) -> list[dict[str, str]]:
    text = row["instruction"] + ("\n\n" + row["input"] if row["input"] else "")
    return [{"role": "user", "content": text}]


@torch.inference_mode()
def answers(model, tokenizer, rows: list[dict], batch: int = 40, most: int = 120) -> list[str]:
    """One greedy answer a row, in the order of the rows; batches hold prompts of like length."""
    prompts = [
        tokenizer.apply_chat_template(messages(r), add_generation_prompt=True, tokenize=False) for r in rows
    ]
    order = sorted(range(len(rows)), key=lambda i: len(prompts[i]))
    found = [""] * len(rows)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        inputs = tokenizer(
            [prompts[i] for i in part],
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=False,
        )
        inputs.pop("token_type_ids", None)
        written = model.generate(**inputs, max_new_tokens=most, do_sample=False)
        for i, ids in zip(part, written[:, inputs["input_ids"].shape[1] :], strict=True):
            found[i] = tokenizer.decode(ids, skip_special_tokens=True).strip()
    return found


def groups(rows: list[dict]) -> list[tuple[str, str, list[int]]]:
    """(category, task, row numbers), each category's whole first."""
    found = []
    for category in SCORES:
        inside = [i for i, row in enumerate(rows) if row["category"] == category]
        found.append((category, "all", inside))
        for task in sorted({rows[i]["task"] for i in inside}):
            found.append((category, task, [i for i in inside if rows[i]["task"] == task]))
    return found


def chance(rows: list[dict], numbers: list[int]) -> float:
    return sum(CHANCE.get(rows[i]["task"], 0.0) for i in numbers) / len(numbers)


def table(rows: list[dict], by_model: dict[str, list[str]]) -> list[dict]:
    """One dict a group: category, task, measure, n, chance, and a Score a model."""
    result = []
    for category, task, numbers in groups(rows):
        measure, score = SCORES[category]
        references = [rows[i]["output"] for i in numbers]
        scores = {name: score([found[i] for i in numbers], references) for name, found in by_model.items()}
        head = {
            "category": category,
            "task": task,
            "measure": measure,
            "n": len(numbers),
            "chance": chance(rows, numbers),
        }
        result.append(head | scores)
    return result


def printed(lines: list[dict], models: list[str]) -> str:
    head = f"{'group':<28}{'measure':<12}{'n':>5}{'chance':>8}" + "".join(f"{name:>24}" for name in models)
    rows = [
        f"{x['category'] + ' ' + x['task']:<28}{x['measure']:<12}{x['n']:>5}{x['chance']:>8.2f}"
        + "".join(f"{x[name]!s:>24}" for name in models)
        for x in lines
    ]
    return "\n".join([head, *rows])


def as_json(lines: list[dict], seconds: float) -> str:
    plain = [
        {key: (vars(value) if isinstance(value, Score) else value) for key, value in line.items()}
        for line in lines
    ]
    return json.dumps({"groups": plain, "seconds": round(seconds, 1)})


def measure(base: Path, adapter: Path | None, rows: list[dict]) -> tuple[list[dict], dict[str, list[str]]]:
    """The table and the answers, for the base and, where an adapter is given, for the two together."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    found = {"base": answers(model, tokenizer, rows)}
    if adapter is not None:
        found["tuned"] = answers(PeftModel.from_pretrained(model, adapter).eval(), tokenizer, rows)
    return table(rows, found), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, default=HERE / "weights")
    parser.add_argument("--adapter", type=Path, default=HERE / "adapter", help="folder of a LoRA adapter")
    parser.add_argument("--test", type=Path, default=TEST)
    parser.add_argument("--answers", type=Path, help="write every answer to this JSON Lines file")
    args = parser.parse_args()
    started, rows = time.monotonic(), read_rows(args.test)
    lines, found = measure(args.base, args.adapter if args.adapter.exists() else None, rows)
    if args.answers:
        said = [row | {name: texts[i] for name, texts in found.items()} for i, row in enumerate(rows)]
        args.answers.write_text("".join(json.dumps(each) + "\n" for each in said), encoding="utf-8")
    print(printed(lines, list(found)))  # noqa: T201
    print(as_json(lines, time.monotonic() - started))  # noqa: T201


if __name__ == "__main__":
    main()
