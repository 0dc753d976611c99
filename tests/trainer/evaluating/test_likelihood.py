"""Answers scored as a tree against every answer read for itself, on real models and real templates."""

import random

import numpy as np
import pytest
import torch

from db.corpora.schema import QaRow
from db.settings import STARTER_DIR
from db.tasks import make_task
from tests.trainer.evaluating.sliding import with_sliding_window
from trainer import prompts
from trainer.evaluating import likelihood, trees
from trainer.evaluating.asking import Case, Examiner
from trainer.evaluating.batches import Budget
from trainer.evaluating.cache import Beginning
from trainer.evaluating.encoding import Encoder, shared_beginning
from trainer.evaluating.subject import Subject
from trainer.models import load

QUESTION = "Which drug is given first?"
EXAMPLES = ({"instruction": "Which vitamin prevents scurvy?", "input": "", "output": "Vitamin C"},)


@pytest.fixture(scope="module")
def tiny(tiny_llama):
    return load.load_base(str(tiny_llama), dtype=torch.float32, device="cpu"), load.load_tokenizer(
        str(tiny_llama)
    )


@pytest.fixture(scope="module")
def starter():
    location = str(STARTER_DIR / "weights")
    return load.load_base(location, dtype=torch.float32, device="cpu"), load.load_tokenizer(location)


def cases(seed, count=5):
    """Sequences that share beginnings in every way: (sequences, starts) of each row."""
    draw = random.Random(seed)
    for _ in range(count):
        stem = [draw.randrange(5, 300) for _ in range(draw.randint(3, 20))]
        sequences, starts = [], []
        for _ in range(draw.randint(1, 3)):
            prompt = stem + [draw.randrange(5, 300) for _ in range(draw.randint(1, 9))]
            answers = [[draw.randrange(5, 9) for _ in range(draw.randint(1, 6))] for _ in range(4)]
            sequences += [prompt + answer for answer in answers]
            starts += [len(prompt)] * len(answers)
        yield sequences, starts


def test_a_tree_holds_every_shared_beginning_once_and_foretells_what_counts():
    tree = trees.grow([[1, 2, 3, 4], [1, 2, 3, 5, 6], [1, 2, 7, 5]], [3, 3, 3])
    assert len(tree) == 5  # 1 2 3 5 and the other 7; 4, 6 and the last 5 are foretold, never fed
    fed = [[int(tree.tokens[node]) for node in path] for path in tree.paths]
    assert fed == [[1, 2, 3], [1, 2, 3, 5], [1, 2, 7]]
    assert [list(target) for target in tree.targets] == [[4], [5, 6], [5]]
    behind = [
        [int(tree.tokens[node + len(tree) - tree.counting]) for node in tree.foretelling(at)]
        for at in range(3)
    ]
    assert behind == [[3], [3, 5], [7]]
    seven = list(tree.tokens).index(7)
    assert sorted(tree.tokens[np.flatnonzero(tree.sees()[seven])]) == [1, 2, 7]
    assert [int(tree.depths[node]) for node in tree.paths[1]] == [0, 1, 2, 3]


def test_a_tree_scores_as_every_answer_read_for_itself(tiny):
    model, _ = tiny
    assert likelihood.reads_trees(model)
    rows = list(cases(1))
    packed = likelihood.score(model, [trees.grow(*row) for row in rows])
    for row, found in zip(rows, packed, strict=True):
        assert found == pytest.approx(likelihood.score_plainly(model, *row), abs=1e-4, rel=1e-5)
        for sequence, start, value in zip(*row, found, strict=True):  # and as a pass over it alone, unpadded
            with torch.inference_mode():
                logits = model(torch.tensor([sequence])).logits[0, start - 1 : -1].log_softmax(-1)
            alone = float(logits.gather(-1, torch.tensor(sequence[start:])[:, None]).sum())
            assert value == pytest.approx(alone, abs=1e-4, rel=1e-5)


def test_what_all_rows_begin_with_is_read_once_and_changes_nothing(tiny):
    model, _ = tiny
    shared = [9, 8, 7, 6, 5, 4, 3]
    rows = [
        ([shared + ids for ids in ids_], [start + len(shared) for start in starts])
        for ids_, starts in cases(2)
    ]
    beginning = Beginning(model, shared)
    found = likelihood.score(model, [trees.grow(*row, skip=len(shared)) for row in rows], beginning)
    again = likelihood.score(model, [trees.grow(*row, skip=len(shared)) for row in rows[::-1]], beginning)
    for row, nats, other in zip(rows, found, again[::-1], strict=True):
        plain = likelihood.score_plainly(model, *row)
        assert nats == pytest.approx(plain, abs=1e-4, rel=1e-5)
        assert other == pytest.approx(plain, abs=1e-4, rel=1e-5)


def test_a_model_with_a_sliding_window_reads_every_answer_for_itself(tiny_llama, tiny):
    model = with_sliding_window(tiny_llama, 8)
    assert not likelihood.reads_trees(model)
    task = make_task("medqa")
    row = QaRow("1", "1", "Which?", "multiple_choice", ("C",), ("A", "B", "C"), answer_index=2)
    asked = task.ask(row)
    subject = Subject(model, tiny[1], frozenset(), 4096, pads=True, shares=False, reads_trees=False, facts={})
    examiner = Examiner(subject, task, (), Budget(1_500))
    [[], [scored]] = examiner.by_likelihood([Case(0, row, asked.instruction, asked.input)])
    encoder, sums = Encoder(tiny[1]), [0.0] * 3
    for order in task.options(row):
        [prompt] = encoder.questions([(order.instruction, order.input)])
        answers = encoder.answers((order.instruction, order.input), prompt, order.continuations)
        for at, (ids, start) in enumerate(zip(answers.sequences, answers.starts, strict=True)):
            with torch.inference_mode():
                logits = model(torch.tensor([ids])).logits[0, start - 1 : -1].log_softmax(-1)
            sums[at] += float(logits.gather(-1, torch.tensor(ids[start:])[:, None]).sum())
    assert scored.score.said["nats"] == pytest.approx([value / 3 for value in sums], abs=1e-3)
    assert scored.answer in "ABC"


@pytest.mark.parametrize("which", ["tiny", "starter"])
def test_answers_are_encoded_as_the_chat_template_would_write_them(which, request):
    _, tokenizer = request.getfixturevalue(which)
    encoder = Encoder(tokenizer, EXAMPLES)
    [prompt] = encoder.questions([(QUESTION, "A. Aspirin")])
    texts = ["Aspirin", "Low-dose warfarin", "<|end|>", "ß-blocker 5 mg"]
    answers = encoder.answers((QUESTION, "A. Aspirin"), prompt, texts)
    before = [message for example in EXAMPLES for message in prompts.to_chat(**example)]
    for text, sequence, start in zip(texts, answers.sequences, answers.starts, strict=True):
        chat = [*before, *prompts.to_chat(QUESTION, "A. Aspirin", text)]
        whole = prompts.encode(tokenizer, chat, for_answer=False)
        assert start == len(prompt)
        assert sequence[:start] == prompt
        assert whole[: len(sequence)] == sequence
        assert text in tokenizer.decode(whole[start : len(sequence)])
        assert tokenizer.eos_token_id not in sequence[start:]  # what ends an answer is not scored
        assert whole[len(sequence)] == tokenizer.eos_token_id


def test_a_base_without_a_chat_template_is_asked_in_the_plain_layout(tiny):
    _, tokenizer = tiny
    kept = tokenizer.chat_template
    tokenizer.chat_template = load.PLAIN_TEMPLATE
    try:
        encoder = Encoder(tokenizer, EXAMPLES)
        [prompt] = encoder.questions([(QUESTION, "")])
        answers = encoder.answers((QUESTION, ""), prompt, ["Aspirin", "Warfarin"])
    finally:
        tokenizer.chat_template = kept
    texts = [tokenizer.decode(ids, skip_special_tokens=False) for ids in answers.sequences]
    assert texts[0].endswith(f"### Instruction:\n{QUESTION}\n\n### Response:\nAspirin")
    assert texts[1].endswith("### Response:\nWarfarin")
    assert "### Response:\nVitamin C" in texts[0]


def test_a_shared_beginning_leaves_every_prompt_a_token():
    assert shared_beginning([[1, 2, 3], [1, 2, 4], [1, 2, 3, 9]]) == [1, 2]
    assert shared_beginning([[1, 2], [1, 2]]) == [1]
    assert shared_beginning([]) == []
