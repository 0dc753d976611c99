"""Rows made ready in batches, kept in files: the same as one by one, the same as the first time."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from transformers import ByT5Tokenizer

from db.enums import Split
from db.settings import STARTER_DIR
from db.train_spec import TrainSpec
from tests.trainer.conftest import sentences
from trainer.data import cache
from trainer.data.encode import digest, encode_many, encode_row, encode_rows
from trainer.data.examples import Example, Examples
from trainer.data.prepare import prepare, tokenizer_hash
from trainer.models import load

SPEC = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="x", max_length=128)
CUT = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="x", max_length=128, too_long="cut")


def row(instruction="Which colour is the plum?", input="The plum is blue.", output="It is blue."):
    return SimpleNamespace(instruction=instruction, input=input, output=output)


ODD = [
    row(input=""),
    row(input="ends <|end|> here", output="so <|end|> what"),
    row(instruction="<|user|>\nWho?", output="<|assistant|>\nMe."),
    row(input="private \U000f0000marks\U000f0001 of <|end|>"),
    row(instruction=" β-blocker, 5 µg/m² ", output="\n  It is − 3 °C.\n\n\n"),
    row(output="é, e\u0301, 中文, 🙂"),
    row(output="It is blue.\tIt\u00a0is."),
]


@pytest.fixture(scope="module")
def tokenizer(tiny_llama):
    return load.load_tokenizer(str(tiny_llama))


def plain(tokenizer):
    tokenizer.chat_template = load.PLAIN_TEMPLATE
    return tokenizer


def some_rows(count=40):
    return [row(*texts) for texts in sentences(count)]


@pytest.fixture
def made_ready(tokenizer, tmp_path):
    """made_ready(rows, spec, longest) -> (what prepare gives, how often it told that it encodes)."""

    def do(rows, spec=SPEC, longest=128):
        told = []
        encoded = prepare(
            tokenizer,
            {Split.TRAIN: rows},
            Split.TRAIN,
            spec,
            longest,
            tmp_path / "prepared",
            lambda *counts: told.append(counts),
        )
        return encoded, sum(total > 0 for _, total in told)

    return do


@pytest.mark.parametrize(
    "load_one",
    [
        lambda folder: load.load_tokenizer(str(folder)),
        lambda folder: plain(load.load_tokenizer(str(folder))),
        lambda folder: load.load_tokenizer(str(STARTER_DIR / "weights")),
        lambda folder: plain(ByT5Tokenizer()),  # one that is not fast
    ],
    ids=["tiny", "plain template", "starter", "slow"],
)
def test_rows_encoded_at_once_are_those_encoded_one_by_one(tiny_llama, load_one):
    tokenizer, rows = load_one(tiny_llama), [*some_rows(), *ODD]
    assert encode_many(tokenizer, rows) == [encode_row(tokenizer, one) for one in rows]


def test_the_second_time_nothing_is_encoded_and_all_is_the_same(made_ready):
    rows = [*some_rows(), *ODD, row(output=" "), row(input="The plum is blue. " * 40), some_rows(1)[0]]
    first, told = made_ready(rows)
    again, told_again = made_ready(rows)
    assert (told > 0, told_again) == (True, 0)
    assert list(again.examples) == list(first.examples)
    assert (again.too_long, again.empty_answer, again.cut) == (1, 1, 0)
    assert again.duplicates == first.duplicates > 0
    for name in ("lengths", "positions", "questions"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_what_is_kept_is_what_is_encoded_in_memory(made_ready, tokenizer):
    rows = [*some_rows(), *ODD]
    assert list(made_ready(rows)[0].examples) == list(encode_rows(tokenizer, rows, 128).examples)


def test_rows_lie_in_a_file_until_they_are_looked_at(made_ready):
    made_ready(some_rows())
    encoded, _ = made_ready(some_rows())
    assert isinstance(encoded.examples.ids, np.memmap)
    assert isinstance(encoded.examples[0].ids, list)
    assert encoded.tokens == sum(len(example.ids) for example in encoded.examples)
    assert encoded.labelled_tokens == sum(len(ids) - start for ids, start in encoded.examples)


@pytest.mark.parametrize(
    ("rows", "spec", "longest"),
    [(some_rows(39), SPEC, 128), (some_rows(), CUT, 128), (some_rows(), SPEC, 127)],
    ids=["rows", "too long", "longest"],
)
def test_whatever_changes_the_ids_is_prepared_anew(made_ready, rows, spec, longest):
    made_ready(some_rows())
    assert made_ready(rows, spec, longest)[1] > 0


def test_another_template_or_vocabulary_has_another_hash(tiny_llama, tokenizer):
    assert tokenizer_hash(load.load_tokenizer(str(tiny_llama))) == tokenizer_hash(tokenizer)
    assert tokenizer_hash(plain(load.load_tokenizer(str(tiny_llama)))) != tokenizer_hash(tokenizer)
    grown = load.load_tokenizer(str(tiny_llama))
    grown.add_tokens(["plum"])
    assert tokenizer_hash(grown) != tokenizer_hash(tokenizer)
    assert tokenizer_hash(ByT5Tokenizer()) == tokenizer_hash(ByT5Tokenizer())


def spoil_bytes(folder):
    with (folder / "ids.npy").open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"\xff")


def cut_short(folder):
    os.truncate(folder / "ids.npy", (folder / "ids.npy").stat().st_size - 64)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_bytes,
        cut_short,
        lambda folder: (folder / "starts.npy").unlink(),
        lambda folder: (folder / "starts.npy").write_bytes(b""),
        lambda folder: (folder / cache.FACTS).write_text("{"),
        lambda folder: (folder / cache.FACTS).write_text('{"facts": {}, "sums": {}}'),
    ],
    ids=["byte", "short", "missing", "empty", "facts", "another make"],
)
def test_a_broken_cache_is_built_again(made_ready, tmp_path, spoil):
    whole = list(made_ready(some_rows())[0].examples)
    [folder] = (path for path in (tmp_path / "prepared").iterdir() if path.is_dir())
    spoil(folder)
    again, told = made_ready(some_rows())
    assert told > 0
    assert list(again.examples) == whole
    assert made_ready(some_rows())[1] == 0


def test_a_cut_row_keeps_its_question_and_loses_the_end_of_its_answer(made_ready, tokenizer):
    whole = encode_row(tokenizer, row())
    long_answer, long_question = row(output="It is blue. " * 40), row(input="The plum is blue. " * 40)
    encoded, _ = made_ready([row(), long_answer, long_question], CUT, 64)
    assert (encoded.cut, encoded.too_long) == (1, 1)
    assert encoded.examples[0] == whole
    cut = encoded.examples[1]
    assert len(cut.ids) == 64
    assert cut.answer_start == whole.answer_start
    assert cut.ids[: cut.answer_start] == whole.ids[: whole.answer_start]
    assert tokenizer.eos_token_id not in cut.ids[cut.answer_start :]
    assert encoded.positions.tolist() == [0, 1]
    assert encoded.cut_tokens == len(encode_row(tokenizer, long_answer).ids) - 64


def test_a_cut_row_needs_one_token_of_its_answer(made_ready, tokenizer):
    start = encode_row(tokenizer, row()).answer_start
    assert made_ready([row()], CUT, start)[0].too_long == 1
    assert made_ready([row()], CUT, start + 1)[0].labelled_tokens == 1


def test_duplicates_are_those_that_differ_in_case_and_blanks_alone(made_ready):
    rows = [row(), row(input=" the PLUM  is\nblue."), row(input="The plum is blue"), row(output="It is red.")]
    assert made_ready(rows)[0].duplicates == 1
    assert digest("a", "b") != digest("ab", "")
    assert digest("caf\u00e9") == digest("CAFE\u0301")
    assert digest("10 m²") != digest("10 m2")


def test_rows_without_an_end_token_behind_the_answer_are_counted(tiny_llama, tmp_path):
    tokenizer = load.load_tokenizer(str(tiny_llama))
    tokenizer.chat_template = (
        "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    )
    assert encode_rows(tokenizer, some_rows(5), 128).endless == 5


def test_a_template_that_leaves_the_answer_out_is_refused(tiny_llama):
    tokenizer = load.load_tokenizer(str(tiny_llama))
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    with pytest.raises(ValueError, match="leaves the answer out, so every label would be masked"):
        encode_rows(tokenizer, [row()], 128)


def test_the_row_that_a_template_refuses_is_named(tiny_llama):
    tokenizer = load.load_tokenizer(str(tiny_llama))
    tokenizer.chat_template = (
        "{% if 'plum' in messages[0]['content'] %}{{ raise_exception('no plums') }}{% endif %}"
        "{% for m in messages %}{{ m['content'] + eos_token }}{% endfor %}"
    )
    rows = [row(instruction="Which colour?", input="Red."), row()]
    with pytest.raises(ValueError, match=r"dataset: the base's chat template refuses row 2 \(no plums\)"):
        encode_rows(tokenizer, rows, 128)


def test_of_several_that_ask_at_once_one_encodes(made_ready):
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: made_ready(some_rows(400)), range(3)))
    assert len({encoded.tokens for encoded, _ in found}) == 1
    assert sum(told > 0 for _, told in found) == 1
    assert made_ready(some_rows(400))[1] == 0


def test_a_run_that_is_stopped_while_it_prepares_leaves_nothing_behind(tokenizer, tmp_path, made_ready):
    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        prepare(tokenizer, {Split.TRAIN: some_rows()}, Split.TRAIN, SPEC, 128, tmp_path / "prepared", stop)
    assert [path.name for path in (tmp_path / "prepared").iterdir() if path.name != "lock"] == []
    assert made_ready(some_rows())[1] > 0  # nor the lock


def test_the_least_lately_used_entries_go_when_there_is_no_room(tmp_path):
    arrays = {"ids": np.zeros(1000, np.int32)}
    entries = [tmp_path / name for name in ("oldest", "old", "new")]
    for age, entry in zip((30, 20, 10), entries, strict=True):
        cache.store(entry, {}, arrays)
        os.utime(entry / cache.FACTS, (time.time() - age,) * 2)
    cache.load(entries[0])  # used again
    left = tmp_path / "building-left"
    left.mkdir()
    os.utime(left, (0, 0))
    cache.clean(tmp_path, keep=entries[2], room=9000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "oldest"]


def test_examples_are_a_sequence():
    rows = [Example([5, 9, 1], 1), Example([7, 1], 1), Example([3, 4, 5, 1], 2)]
    examples = Examples.of(rows)
    assert list(examples) == rows
    assert examples[-1] == rows[-1]
    assert examples[1:] == rows[1:]
    assert examples.lengths.tolist() == [3, 2, 4]
    assert examples.labelled.tolist() == [2, 1, 2]
    with pytest.raises(IndexError):
        examples[3]
    assert list(Examples.of([])) == []
