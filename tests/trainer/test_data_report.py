"""What is told of a run before it starts, and what stops it with which sentence: report and run alike."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from db import registry, session
from db.enums import JobKind, JobStatus, Split
from db.train_spec import TrainSpec
from tests.trainer.conftest import CHAT_TEMPLATE, freeze, job_of, sentences
from trainer import run
from trainer.data import describe, estimate, preflight, warn
from trainer.data.encode import encode_rows
from trainer.models import load

SPEC = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="x")


def finished(context) -> dict:
    assert run.carry_out(context) == 0
    job = job_of(context.job_id)
    assert job.status is JobStatus.FINISHED, job.error
    return job.result


def failure(context) -> str:
    assert run.carry_out(context) == 1
    return job_of(context.job_id).error


def test_a_report_tells_rows_lengths_samples_steps_and_cost(claimed, studio):
    rows = [*sentences(40), ("Which colour?", "Any.", ""), ("Say much.", "", "It is blue. " * 100)]
    rows += [
        ("Which  COLOUR is the plum?", "The plum is red.", "It is red.")
    ]  # may say again what another says
    rows += [("Which colour is the kiwi?", "The kiwi is green.", "It is green.")] * 2 + list(sentences(8))
    version = freeze(*studio, rows, validation=9, name="more")
    told = finished(claimed(JobKind.DATA_REPORT, dataset_version_id=version, epochs=2, batch_size=4))

    assert (told["rows"], told["kept"], told["too_long"], told["empty_answer"]) == (44, 42, 1, 1)
    assert told["dropped"] == [
        {"reason": "longer than 128 tokens", "rows": 1},
        {"reason": "without an answer", "rows": 1},
    ]
    assert told["steps"] == 22
    assert told["batching"] == "flat"
    assert told["fill"] == 1.0
    assert 0 < told["labelled_share"] < 0.5
    assert told["found_percentiles"]["100"] > told["cut_off"] == 128 >= told["longest"]
    assert sum(bar["rows"] for bar in told["histogram"]) == 43
    assert told["truncation"]["rows"] == 1
    assert told["duplicates"]["validation_in_train"] == 9
    assert any("flatter" in sentence for sentence in told["warnings"])

    low, high = told["seconds_range"]
    assert 0 < low <= told["seconds"] <= high
    assert 0 < told["memory"]["low"] <= told["memory"]["high"]
    assert 0 < told["disk"]["result"] < told["disk"]["checkpoint"] < told["disk"]["needed"]

    assert len(told["samples"]) == 3
    for sample in told["samples"]:
        question, answer = sample["pieces"]
        assert (question["labelled"], answer["labelled"]) == (False, True)
        assert question["text"].startswith("<|begin|><|user|>\n")
        assert question["text"].endswith("<|end|>\n<|assistant|>\n")
        assert answer["text"].endswith(".<|end|>")
        instruction, input, output = rows[sample["row"] - 1]
        assert f"{instruction}\n\n{input}" in question["text"]
        assert answer["text"] == f"{output}<|end|>"


def with_template(base_id, tiny_llama, folder, template):
    """The studio's base gets another chat template."""
    copy = Path(shutil.copytree(tiny_llama, folder / "copy"))
    (copy / "chat_template.jinja").write_text(template)
    with session.write() as s:
        registry.get_base_model(s, base_id).location = str(copy)


@pytest.mark.parametrize("kind", [JobKind.DATA_REPORT, JobKind.TRAIN])
class TestBothRefuse:
    def test_rows_that_all_lack_an_answer(self, claimed, studio, kind):
        version = freeze(*studio, [("Which colour?", f"Number {n}.", "") for n in range(5)], name="more")
        assert failure(claimed(kind, dataset_version_id=version)) == (
            "dataset: none of its 5 training rows can be used: 5 have no answer (write one and freeze again)."
        )

    def test_questions_that_leave_no_room_for_an_answer(self, claimed, kind):
        assert failure(claimed(kind, max_length=16, too_long="cut")) == (
            "dataset: none of its 64 training rows can be used: 64 are with their question alone not shorter "
            "than 16 tokens (raise the longest row)."
        )

    def test_rows_beyond_the_context_of_the_base(self, claimed, studio, kind):
        rows = [*sentences(8), ("Say much.", "", "It is blue. " * 100)]
        version = freeze(*studio, rows, name="more")
        said = failure(claimed(kind, dataset_version_id=version, max_length=2048))
        assert said.startswith("max length: 1 row is longer than the 256 tokens this base can read, up to ")

    def test_a_template_that_leaves_the_answer_out(self, claimed, base, tiny_llama, tmp_path, kind):
        with_template(base, tiny_llama, tmp_path, "{{ messages[0]['content'] }}")
        assert "every label would be masked" in failure(claimed(kind))


def test_rows_that_fit_are_taken_by_a_base_of_short_context_whatever_the_longest_may_be(claimed):
    assert (
        finished(claimed(JobKind.DATA_REPORT, max_length=2048, epochs=1, checkpointing="on"))["cut_off"]
        == 256
    )


def test_a_template_other_than_the_playgrounds_is_refused(tiny_llama):
    base = SimpleNamespace(location=str(tiny_llama), revision="", context_length=256)
    tokenizer = load.load_tokenizer(str(tiny_llama))
    row = SimpleNamespace(instruction="Who?", input="", output="Me.")
    preflight.require_same_template(base, tokenizer, [row])
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<|' + message", "<' + message")
    with pytest.raises(ValueError, match="base model: training would write questions with another chat"):
        preflight.require_same_template(base, tokenizer, [row])


def test_a_vocabulary_other_than_the_playgrounds_is_refused(tiny_llama):
    base = SimpleNamespace(location=str(tiny_llama), revision="", context_length=256)
    tokenizer = load.load_tokenizer(str(tiny_llama))
    tokenizer.add_tokens(["Who"])
    row = SimpleNamespace(instruction="Who?", input="", output="Me.")
    with pytest.raises(ValueError, match="so the tuned model would not be asked as it was taught"):
        preflight.require_same_template(base, tokenizer, [row])


@pytest.mark.parametrize("longest", [9, 60, 127, 128, 129, 200, 5000])
def test_a_histogram_counts_every_row_and_has_a_border_at_the_cut_off(longest):
    lengths = np.array([1, 2, 2, 5, longest])
    bars = describe.histogram(lengths, 128)
    assert sum(bar["rows"] for bar in bars) == 5
    assert [bar["from"] for bar in bars[1:]] == [bar["to"] + 1 for bar in bars[:-1]]
    assert bars[0]["from"] == 1
    assert bars[-1]["to"] == longest
    if longest > 128:
        assert 128 in [bar["to"] for bar in bars]
    for bar in bars:
        assert bar["rows"] == int(((lengths >= bar["from"]) & (lengths <= bar["to"])).sum())


def test_questions_held_out_and_trained_on_are_counted(tiny_llama):
    tokenizer = load.load_tokenizer(str(tiny_llama))

    def split(*questions):
        return [SimpleNamespace(instruction=text, input="", output="Yes.") for text in questions]

    rows = {
        Split.TRAIN: split("Is it?", "Was it?", "is  it?"),
        Split.VALIDATION: split("Will it?", "WAS it?"),
        Split.TEST: split("Is it?", "Has it?"),
    }
    data = preflight.Data(
        *(encode_rows(tokenizer, rows[part], 64) for part in (Split.TRAIN, Split.VALIDATION)), 64
    )
    assert describe.duplicates(data, rows) == {
        "train": 1,
        "validation": 0,
        "validation_in_train": 1,
        "test_in_train": 1,
    }


def test_a_longer_measurement_gives_a_narrower_range():
    few, many = estimate.time_range([1.0, 1.1, 0.9], 100), estimate.time_range([1.0, 1.1, 0.9] * 20, 100)
    assert few[0] < many[0] < 100 < many[1] < few[1]
    assert estimate.time_range([2.0], 0) == (0, 0)
    with pytest.raises(ValueError, match="nothing was measured"):
        estimate.time_range([], 5)


def test_a_run_corrects_its_estimate_from_its_own_steps():
    cpu = torch.device("cpu")
    assert estimate.correct([0.5] * 3, 200, cpu) == {}
    found = estimate.correct([0.5] * 10, 200, cpu)
    assert found["seconds_left_low"] < 100 < found["seconds_left_high"] < 120
    assert 0 < found["memory_high"] * 2**20 < estimate.memory_there(cpu)


def test_disk_needed_counts_checkpoints_with_the_optimizers_moments(tmp_path):
    model = torch.nn.Linear(1000, 1000, bias=False)
    needed = estimate.disk(model, SPEC, torch.float32, tmp_path)
    assert (needed.result, needed.checkpoint) == (4_000_000, 12_000_000)
    whole = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="x", method="full")
    assert estimate.disk(model, whole, torch.bfloat16, tmp_path).result == 2_000_000
    needed.require()


def test_a_disk_without_room_for_one_checkpoint_stops_the_run():
    with pytest.raises(ValueError, match="disk: a checkpoint and the result take 16 MB and 15 MB are free"):
        estimate.Disk(12_000_000, 4_000_000, 300_000_000, 15_000_000).require()


def test_what_does_not_stop_a_run_is_said():
    result = {
        "rows": 100,
        "found_percentiles": {"100": 900},
        "truncation": {"choice": "cut", "rows": 3, "cut": 3, "tokens": 1200},
        "endless": 0,
        "duplicates": {"train": 1, "validation": 0, "validation_in_train": 0, "test_in_train": 2},
        "memory": {"low": 8e9, "high": 9e9, "there": 8.5e9},
        "disk": {"needed": 2e9, "free": 1e9},
        "fill": 0.5,
        "batching": "padded",
        "rows_a_step": 8,
    }
    said = warn.sentences(result)
    assert said[0].startswith("3 rows lose the end of the answer, 1,200 tokens in all")
    assert said[1].startswith("1 row says again")
    assert [sentence.split()[0] for sentence in said[2:]] == ["2", "Memory", "The", "Only"]
    calm = {
        **result,
        "truncation": {"choice": "drop", "rows": 1, "cut": 0, "tokens": 900},
        "duplicates": dict.fromkeys(result["duplicates"], 0),
        "memory": {"low": 1, "high": 2, "there": 3},
        "disk": {"needed": 1, "free": 2},
        "fill": 0.9,
    }
    assert warn.sentences(calm) == []
    assert [said[:15] for said in warn.sentences({**calm, "memory": None})] == ["Time and memory"]
