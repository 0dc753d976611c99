"""The build script end to end on a tiny recipe, and the pieces of its loop."""

import gzip
import json

import numpy as np
import pytest
import torch
import torch.distributed as dist
from transformers import AutoModelForCausalLM, AutoTokenizer

from trainer.starter.build import Budget, Recipe, Rows, build
from trainer.starter.crew import Crew
from trainer.starter.muon import Muon, orthogonal

SMALL = {"hidden": 32, "layers": 1, "heads": 2, "inner": 64, "vocabulary": 512}
SHORT = {"tokens_a_piece": 256, "pieces": 2, "row": 64, "long_row": 128, "long_share": 0.5}
TINY = Recipe(**SMALL, **SHORT, tokenizer_texts=200, compiled=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("starter")
    corpus = folder / "medquad.jsonl.gz"
    with gzip.open(corpus, "wt", encoding="utf-8") as out:
        out.write(json.dumps({"question": "What is gout ?", "answer": "Gout is a kind of arthritis."}) + "\n")
    figures = build(corpus, folder / "weights", Budget(tokens=4 * 512), TINY, Crew(), device="cpu")
    return folder / "weights", figures


def test_a_few_steps_leave_a_folder_that_transformers_loads(built):
    folder, figures = built
    assert figures["steps"] == 4
    assert figures["tokens"] == 4 * 512
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("Gout is", return_tensors="pt", add_special_tokens=False).input_ids
    assert model.generate(ids, max_new_tokens=3).shape[1] <= ids.shape[1] + 3
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id


def test_a_base_can_be_trained_on_and_its_figures_add_up(built, tmp_path):
    figures = build(None, tmp_path, Budget(tokens=2 * 512), TINY, Crew(), device="cpu", start=built[0])
    assert figures["steps"] == 6
    assert (tmp_path / "tokenizer.json").read_text() == (built[0] / "tokenizer.json").read_text()


def test_the_card_says_what_it_is_not_and_credits_the_corpus(built):
    card = (built[0] / "README.md").read_text(encoding="utf-8")
    assert "not a medical model" in card
    assert "CC BY 4.0" in card
    assert "Demner-Fushman" in card


def test_any_text_survives_the_tokenizer(built):
    tokenizer = AutoTokenizer.from_pretrained(built[0])
    for text in ("β-blocker 12.5 mg", "naïve  spaces\n\ttab", "CD4⁺ 日本"):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text


def test_a_row_holds_whole_documents_and_prose_fills_the_gap():
    documents = (np.full(length, length) for length in [5, 6, 4, 7, 3, 6, 5, 4] * 50)
    rows = Rows(documents, iter([np.zeros(100)] * 50))
    for _ in range(30):
        row = rows.take(12)
        assert len(row) == 12
        for length in set(row[row > 0].tolist()):
            assert np.count_nonzero(row == length) % length == 0


def test_without_prose_the_next_document_begins_in_the_gap():
    rows = Rows((np.full(8, i) for i in range(100)), None)
    assert rows.take(12).tolist() == [0] * 8 + [3] * 4


def test_training_stops_by_whichever_limit_comes_first():
    assert Budget(tokens=100).progress(50, started=0.0) == 0.5
    assert Budget(tokens=100, minutes=1e-9).progress(1, started=0.0) > 1


def test_a_crew_claims_every_piece_once():
    store = dist.HashStore()
    crews = [Crew(0, 2, store), Crew(1, 2, store)]
    claims = [crews[i % 2].claim(0, 5) for i in range(9)]
    assert sum(claims) == 5
    alone = Crew()
    assert [alone.claim(0, 2), alone.claim(0, 2), alone.claim(0, 2), alone.claim(1, 2)] == [
        True,
        True,
        False,
        True,
    ]


def test_a_muon_update_has_singular_values_near_one():
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(24, 64)).float())
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_muon_lowers_a_simple_loss():
    torch.manual_seed(0)
    weight, goal = torch.nn.Parameter(torch.zeros(8, 8)), torch.eye(8)
    optimizer = Muon([weight], lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        ((weight - goal) ** 2).sum().backward()
        optimizer.step()
    assert ((weight - goal) ** 2).sum() < 0.5
