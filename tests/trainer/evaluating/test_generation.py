"""Greedy answers of a padded, shrinking batch against one row alone, and against transformers' generate."""

import random

import pytest
import torch

from db.settings import STARTER_DIR
from tests.trainer.evaluating.sliding import with_sliding_window
from trainer import prompts
from trainer.evaluating import batches, generation
from trainer.evaluating.cache import Beginning
from trainer.evaluating.encoding import shared_beginning
from trainer.models import load
from trainer.serve.holding import end_ids


@pytest.fixture(scope="module", params=["tiny", "starter", "sliding"])
def model_and_prompts(request, tiny_llama):
    """(model, its end tokens, prompts of very different lengths that begin alike)."""
    location = str(STARTER_DIR / "weights" if request.param == "starter" else tiny_llama)
    if request.param == "sliding":
        model = with_sliding_window(tiny_llama, 8)
    else:
        model = load.load_base(location, dtype=torch.float32, device="cpu")
    tokenizer = load.load_tokenizer(location)
    draw = random.Random(0)
    words = ["aspirin", "the dose", "is", "Which", "apple", "vitamin C", "fever", "red"]
    asked = [" ".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(7)]
    ids = [
        prompts.encode(tokenizer, prompts.to_prompt("Say which.", text), for_answer=True) for text in asked
    ]
    return model, end_ids(model, tokenizer), ids


def test_rows_may_be_padded(model_and_prompts):
    assert generation.pads(model_and_prompts[0], 1e-4)


def test_a_batch_writes_what_each_row_writes_alone(model_and_prompts):
    model, ends, asked = model_and_prompts
    limits = [3, 24, 1, 24, 12, 24, 24]
    together = generation.write(model, asked, limits, ends)
    for prompt, limit, written in zip(asked, limits, together, strict=True):
        [alone] = generation.write(model, [prompt], [limit], ends)
        assert written == alone
        assert len(written.ids) <= limit
        assert written.ended or len(written.ids) == limit
        generated = model.generate(
            input_ids=torch.tensor([prompt]), max_new_tokens=limit, do_sample=False, eos_token_id=sorted(ends)
        )[0, len(prompt) :].tolist()
        assert [token for token in generated if token not in ends] == written.ids


@pytest.mark.parametrize("model_and_prompts", ["tiny", "starter"], indirect=True)
def test_what_all_prompts_begin_with_is_read_once_and_changes_no_answer(model_and_prompts):
    model, ends, asked = model_and_prompts
    shared = shared_beginning(asked)
    assert len(shared) > 3
    limits = [16] * len(asked)
    beginning = Beginning(model, shared)
    plain = generation.write(model, asked, limits, ends)
    assert generation.write(model, asked, limits, ends, beginning=beginning) == plain
    assert generation.write(model, asked[::-1], limits, ends, beginning=beginning) == plain[::-1]


def test_a_row_that_ends_leaves_without_disturbing_the_others(model_and_prompts):
    model, _, asked = model_and_prompts
    free = generation.write(model, asked, [10] * len(asked), ())
    ends = {free[0].ids[1], free[2].ids[4], free[3].ids[0]}  # whichever come first end a row
    ended = generation.write(model, asked, [10] * len(asked), ends)
    assert any(one.ended for one in ended)
    for before, after in zip(free, ended, strict=True):
        place = next((at for at, token in enumerate(before.ids) if token in ends), None)
        assert after.ids == before.ids[:place]
        assert after.ended == (place is not None)


def test_a_stop_is_heard_at_the_next_token(model_and_prompts):
    model, _, asked = model_and_prompts
    heard = []

    def tick():
        heard.append(1)
        if len(heard) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        generation.write(model, asked, [50] * len(asked), (), tick=tick)
    assert len(heard) == 3


def test_batches_are_of_like_length_and_within_the_budget():
    lengths = [5, 90, 40, 10, 41, 100, 7]
    made = list(batches.each(lengths, batches.Budget(120), lambda some: [lengths[row] for row in some]))
    assert [found for _, found in made] == [[100], [90], [41, 40], [10, 7, 5]]
    assert sorted(row for some, _ in made for row in some) == list(range(7))


def test_a_batch_that_the_gpu_has_no_memory_for_is_tried_again_as_smaller_ones():
    budget, tried = batches.Budget(8), []

    def work(some):
        tried.append(len(some))
        if len(some) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return some

    rows = [row for _, some in batches.each([1] * 9, budget, work) for row in some]
    assert sorted(rows) == list(range(9))
    assert tried == [8, 4, 2, 2, 2, 2, 1]
    assert budget.tokens == 2  # the next task begins with what fits

    def hopeless(some):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.cuda.OutOfMemoryError):
        list(batches.each([1, 1], batches.Budget(8), hopeless))
