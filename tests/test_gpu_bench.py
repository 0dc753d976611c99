"""The measurement on a GPU where there is none, and its arithmetic; that its two sides see the same rows."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from db.settings import REPOSITORY
from tests import training_sides
from tests.bench import gpu
from trainer.data import batching


def test_without_a_gpu_it_says_so_in_one_line_and_ends_well():
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "gpu"],
        cwd=REPOSITORY,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "gpu: there is no GPU on this machine; nothing was measured.\n"


def test_the_operations_of_an_8b_are_four_a_parameter_and_token_and_some_for_attention():
    shape = gpu.SHAPES["Llama-3-8B"]
    parameters = gpu.count_parameters(shape)
    assert parameters == pytest.approx(7.505e9, rel=1e-3)  # 8.03 billion less the table of embeddings
    assert gpu.count_parameters(gpu.SHAPES["Llama-2-7B"]) == pytest.approx(6.607e9, rel=1e-3)
    whole, packed = (gpu.operations(shape, lengths, parameters) for lengths in ([2048], [1024, 1024]))
    assert 1.05 < whole / (4 * parameters * 2048) < 1.06
    assert packed < whole  # rows of a line do not attend to each other
    assert gpu.peak("NVIDIA H200") == 989e12
    assert gpu.peak("NVIDIA H100 PCIe") == 756e12
    assert gpu.peak("a device of tomorrow") is None


@pytest.mark.parametrize("layout", ["flat", "packed"])
def test_both_sides_see_the_same_rows_at_each_step_and_count_the_loss_on_the_same_tokens(layout):
    case = training_sides.Case(rows=40)
    spec, examples = case.spec(layout), training_sides.draw(case)
    theirs = training_sides.as_trl_takes_them(spec, examples)
    batches = batching.plan(spec, layout, examples).batches_of(0)
    assert -(-len(theirs) // spec.batch_size) == len(batches)
    for number, batch in enumerate(batches):
        given = theirs[number * spec.batch_size : (number + 1) * spec.batch_size]
        rows = [examples[row] for row in batch]
        assert Counter(id for ids in given["input_ids"] for id in ids) == Counter(
            id for ids, _ in rows for id in ids
        )
        masks = given.get("completion_mask") or [
            [label != -100 for label in some] for some in given["labels"]
        ]
        assert sum(map(sum, masks)) == sum(len(ids) - start for ids, start in rows)
