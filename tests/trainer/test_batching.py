"""Plans of batches: nothing lost, nothing twice, the same from the same seed, for any number of processes."""

import numpy as np
import pytest
import torch
from accelerate import skip_first_batches
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from db.enums import JobStatus
from db.train_spec import TrainSpec
from tests.trainer.conftest import job_of, metrics_of
from trainer import run
from trainer.data import batching
from trainer.data.collate import Flattened, Padded
from trainer.data.examples import Example, Examples
from trainer.models.processes import Processes
from trainer.sharing import Share

LAYOUTS = ("padded", "grouped", "flat", "packed")
LENGTHS = np.random.default_rng(3).lognormal(3, 0.7, 501).astype(int).clip(2, 120)
EXAMPLES = Examples.of(Example([7] * int(length), 1) for length in LENGTHS)


def spec_of(**settings) -> TrainSpec:
    given_ = {"batch_size": 8, "max_length": 120, **settings}
    return TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="x", **given_)


def plan_of(layout, **settings):
    return batching.plan(spec_of(**settings), layout, EXAMPLES)


def rows_of(batches):
    return [row for batch in batches for row in batch]


@given(st.lists(st.integers(1, 60), max_size=300), st.integers(60, 90), st.integers(0, 5))
def test_packing_loses_no_row_repeats_none_and_overfills_no_line(lengths, room, seed):
    lines = batching.pack(lengths, room, seed)
    assert sorted(rows_of(lines)) == list(range(len(lengths)))
    assert all(lines)
    filled = [sum(lengths[row] for row in line) for line in lines]
    assert all(tokens <= room for tokens in filled)
    assert sum(tokens <= room / 2 for tokens in filled) <= 1  # two such lines would have been one


def test_lines_are_all_but_full():
    lines = batching.pack(LENGTHS, 120, 0)
    assert LENGTHS.sum() / (len(lines) * 120) > 0.97


def test_a_row_that_fits_no_line_is_refused():
    with pytest.raises(ValueError, match="max length: a row of 61 tokens does not fit a line of 60"):
        batching.pack([5, 61], 60, 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_epoch_holds_every_row_once_in_an_order_of_its_own(layout):
    plan = plan_of(layout)
    first, second = plan.batches_of(0), plan.batches_of(1)
    for batches in (first, second):
        assert sorted(rows_of(batches)) == list(range(len(LENGTHS)))
        assert len(batches) == plan.batches
    assert first != second
    assert plan_of(layout).batches_of(1) == second
    assert plan_of(layout, seed=43).batches_of(1) != second


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_batch_of_all_is_the_largest(layout):
    def size(batch):
        return max(LENGTHS[batch]) * len(batch) if layout in ("padded", "grouped") else sum(LENGTHS[batch])

    sizes = [size(batch) for batch in plan_of(layout).batches_of(0)]
    assert sizes[0] == max(sizes)
    assert sizes != sorted(sizes, reverse=True)


def test_grouped_batches_are_hardly_padded():
    assert plan_of("padded").fill < 0.6
    assert plan_of("grouped").fill > 0.9
    assert plan_of("flat").fill == 1.0


def test_a_packed_batch_is_so_many_lines():
    plan = plan_of("packed", batch_size=3)
    assert max(sum(LENGTHS[batch]) for batch in plan.batches_of(2)) <= 3 * 120
    assert plan.rows_a_batch == pytest.approx(501 / plan.batches)
    assert plan.rows_a_batch > 3 * 3  # which is why steps are fewer
    assert plan.steps(spec_of(batch_size=3, epochs=2)) == 2 * plan.batches


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [2, 3])
def test_each_process_gets_batches_of_its_own_and_as_many(layout, count):
    plan = plan_of(layout, batch_size=7)
    shares = [Share(plan.batches_of, Processes(rank, count, torch.device("cpu"))) for rank in range(count)]
    dealt = []
    for share in shares:
        share.set_epoch(1)
        dealt.append(list(share))
    assert {len(batches) for batches in dealt} == {len(shares[0])}
    assert sorted(rows_of(rows_of(dealt))) == list(range(len(LENGTHS)))
    spec = spec_of(batch_size=7, processes=count, epochs=1)
    assert plan.steps(spec) == len(shares[0])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_run_that_goes_on_finds_the_batches_it_has_not_seen(layout):
    plan = plan_of(layout)
    share = Share(plan.batches_of, Processes(0, 1, torch.device("cpu")))
    loader = DataLoader(EXAMPLES, batch_sampler=share, collate_fn=list)
    rest = skip_first_batches(loader, 5)
    rest.batch_sampler.batch_sampler.set_epoch(1)  # as the Trainer does
    expected = [[EXAMPLES[row] for row in batch] for batch in plan.batches_of(1)[5:]]
    assert list(rest) == expected


def test_auto_lays_rows_end_to_end_where_the_model_takes_that():
    assert batching.choose("auto", takes_rows=True) == "flat"
    assert batching.choose("auto", takes_rows=False) == "grouped"
    assert batching.choose("padded", takes_rows=True) == "padded"
    for asked in ("flat", "packed"):
        assert batching.choose(asked, takes_rows=True) == asked
        with pytest.raises(ValueError, match="batching: this base model cannot take rows end to end"):
            batching.choose(asked, takes_rows=False)


def test_rows_end_to_end_have_their_collator():
    assert isinstance(batching.collator("packed", 0), Flattened)
    assert not isinstance(batching.collator("grouped", 0), Flattened)
    assert isinstance(batching.collator("grouped", 0), Padded)


def test_a_look_at_the_loss_takes_rows_of_like_length():
    batches = list(batching.of_like_length(EXAMPLES, 16))
    assert sum(map(len, batches)) == len(EXAMPLES)
    lengths = [len(example.ids) for batch in batches for example in batch]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("layout", ["grouped", "packed"])
def test_a_run_takes_the_steps_its_plan_counts_and_learns(claimed, layout):
    context = claimed(batching=layout, batch_size=4, epochs=1.5, accumulation=2, rank=4)
    assert run.carry_out(context) == 0
    job = job_of(context.job_id)
    assert job.status is JobStatus.FINISHED, job.error
    losses = [value for _, value in metrics_of(job.id, "loss")]
    assert losses[-1] < losses[0]
    # Six of the 64 short rows fill a line of 128 tokens: 11 lines, three batches, two steps an epoch.
    assert job.result["steps"] == {"grouped": 12, "packed": 3}[layout]
