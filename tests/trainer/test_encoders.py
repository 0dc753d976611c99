"""What an encoder reads and says: tags, pieces of long rows, answers in a task's form, weights."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from db.corpora.forms import Label, make_form
from db.corpora.forms.prediction import Mention, Mentions, tally
from db.corpora.schema import Entity, KbRow, QaRow, Relation, TextRow
from db.encoder_heads import PAIR, SEQUENCE, TOKENS, Head, head_of
from trainer.encoders import encode, heads, load, stand_in

DECISION = (Label("yes"), Label("no"), Label("maybe"))
DISEASE = Label("Disease", "disease")
TAGS = make_form("token_tags", (DISEASE,))
HEAD = Head(TOKENS, ("Disease",))
TEXTS = ("Familial breast cancer and gout were seen .", "BRCA1 is not GOUT , and gout is not Gout .")


def row_of(words: str, *mentions: tuple[int, int], id="r1") -> KbRow:
    """Words with spaces between as tokens; mentions by first and last word."""
    ends, at = [], 0
    for word in words.split():
        ends.append((at, at + len(word)))
        at += len(word) + 1
    spans = [(ends[first][0], ends[last][1]) for first, last in mentions]
    entities = tuple(
        Entity(f"T{n}", "Disease", (words[a:b],), ((a, b),)) for n, (a, b) in enumerate(spans, start=1)
    )
    return KbRow(id, id, words, entities, tokens=tuple(ends))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return stand_in.build(TEXTS, tmp_path_factory.mktemp("tiny") / "stand-in", longest=64, seed=1)


@pytest.fixture(scope="module")
def ready(tiny):
    return load.load(tiny, HEAD)


# Tags -------------------------------------------------------------------------------------------------


def test_words_are_tagged_and_read_back():
    row = row_of("Familial breast cancer and gout .", (1, 2), (4, 4))
    tagging = heads.tag(row, TAGS)
    assert tagging.tags == ("O", "B-Disease", "I-Disease", "O", "B-Disease", "O")
    assert heads.read_tags(row, tagging.tags) == Mentions(
        (Mention("Disease", ((9, 22),)), Mention("Disease", ((27, 31),)))
    )


def test_of_mentions_that_share_a_word_the_longest_is_tagged_and_the_others_counted():
    row = row_of("breast cancer of the left breast", (0, 1), (0, 0), (0, 5))
    tagging = heads.tag(row, TAGS)
    assert tagging.tags == ("B-Disease",) + ("I-Disease",) * 5
    assert tagging.unsaid == 2


def test_tags_are_read_as_strictly_as_seqeval_does():
    """By hand: gold 4 mentions; said 4, of which 2 right. seqeval, mode strict, IOB2: F1 0.5."""
    gold = ["B-A", "I-A", "O", "B-A", "O", "B-B", "I-B", "B-B"]
    said = ["B-A", "I-A", "I-B", "B-A", "I-A", "I-B", "B-B", "B-B"]
    row = row_of("a b c d e f g h")
    found, true = (heads.read_tags(row, tuple(tags)) for tags in (said, gold))
    assert [(m.type, m.offsets[0]) for m in found.mentions] == [
        ("A", (0, 3)),
        ("A", (6, 9)),  # one word too long
        ("B", (12, 13)),  # the stray I before it begins nothing
        ("B", (14, 15)),
    ]
    counted = tally(found, true)
    assert (counted.right, counted.wrong, counted.missed) == (2, 2, 2)
    assert counted.f1 == 0.5


@pytest.mark.parametrize("form", ["token_tags", "json_entities", "inline_tags"])
def test_what_an_encoder_says_is_written_so_that_the_form_reads_the_same(form):
    form = make_form(form, (DISEASE,))
    row = row_of("gout : gout and breast cancer , gout < 3", (0, 0))
    said = Mentions((Mention("Disease", ((7, 11),)), Mention("Disease", ((16, 29),))))
    assert form.parse(heads.say_mentions(row, said, form), row).mentions == said.mentions


def test_a_list_of_words_says_what_it_can_of_mentions_that_words_do_not_tell_apart():
    form = make_form("typed_list", (DISEASE,))
    row = row_of("gout and gout and asthma")
    said = Mentions((Mention("Disease", ((9, 13),)), Mention("Disease", ((18, 24),))))
    read = form.parse(heads.say_mentions(row, said, form), row)
    assert read.mentions == (Mention("Disease", ((18, 24),)),)
    assert not read.faults


def test_labels_are_written_in_the_forms_own_words():
    marked = KbRow(
        "r",
        "r",
        "@GENE$ and @DISEASE$",
        (Entity("T1", "GENE", ("@GENE$",), ((0, 6),)), Entity("T2", "DISEASE", ("@DISEASE$",), ((11, 20),))),
        (Relation("R1", "0", "T1", "T2"),),
        is_masked=True,
    )
    code = make_form("relation_code", (Label("1", "yes"), Label("0", "no")))
    assert heads.say_labels(marked, ("1",), code) == "yes"
    several = make_form("label_list", (Label("a"), Label("b")))
    assert heads.say_labels(TextRow("r", "r", "t", ("a",)), (), several) == "None"
    assert heads.say_labels(TextRow("r", "r", "t"), ("a", "b"), several) == "a, b"
    question = QaRow("r", "r", "Is it?", "yesno", ("no",), context="It may be.")
    assert heads.say_labels(question, ("maybe",), make_form("yes_no", DECISION)) == "maybe"
    assert heads.texts_of(question) == ("Is it?", "It may be.")


def test_each_form_has_its_head_and_free_text_has_none():
    labels = (Label("a"), Label("b"))
    assert head_of(make_form("json_entities", labels)) == Head(TOKENS, ("a", "b"))
    assert head_of(make_form("relation_name", labels)) == Head(SEQUENCE, ("a", "b"))
    assert head_of(make_form("label_json", labels)) == Head(SEQUENCE, ("a", "b"), takes_several=True)
    assert head_of(make_form("yes_no", DECISION)) == Head(PAIR, ("yes", "no", "maybe"))
    assert head_of(make_form("relation_code", labels[:1])) is None
    assert head_of(make_form("triples", labels)) is head_of(make_form("made_text")) is head_of(None) is None


# Pieces -----------------------------------------------------------------------------------------------


def test_a_label_stands_at_the_first_token_of_its_word(ready):
    row = row_of("gout Familialgout .", (1, 1))
    pieces = encode.encode([row], TAGS, HEAD, ready.tokenizer, longest=64, with_labels=True)
    labels = ready.collator(HEAD)(list(pieces))["labels"][0].tolist()
    tokens = ready.tokenizer.convert_ids_to_tokens(pieces[0].ids)
    firsts = [token for token, label in zip(tokens, labels, strict=True) if label != encode.IGNORED]
    assert len(tokens) > 5  # the second word has several
    assert [labels[at] for at, _ in pieces[0].asked] == [0, 1, 0]
    assert len(firsts) == 3
    assert not any(token.startswith("##") for token in firsts)


def test_a_long_row_is_read_in_pieces_that_overlap_and_each_word_is_asked_about_once(ready):
    row = row_of(" ".join(["gout", "breast", "Familialgout"] * 30), (3, 4))
    pieces = encode.encode([row], TAGS, HEAD, ready.tokenizer, longest=32, with_labels=True)
    assert pieces.cut == 1
    assert len(pieces) > 3
    assert max(pieces.lengths) <= 32
    asked = [word for piece in pieces for _, word in piece.asked]
    assert sorted(asked) == list(range(90))
    inner = [token for piece in list(pieces)[1:-1] for token, _ in piece.asked]
    assert min(inner) > 1  # what stands at an edge is asked about in the neighbour
    assert max(inner) < 30


def test_a_text_too_long_for_a_label_is_cut_and_counted(ready):
    form = make_form("label_list", (Label("a"), Label("b")))
    rows = [TextRow("1", "1", "gout " * 200, ("a",)), TextRow("2", "2", "gout", ("b",))]
    pieces = encode.encode(rows, form, head_of(form), ready.tokenizer, longest=32, with_labels=True)
    assert (pieces.cut, list(pieces.lengths)) == (1, [32, 3])
    batch = load.Ready(ready.model, ready.tokenizer, 64).collator(head_of(form))(list(pieces))
    assert batch["labels"].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_label_outside_the_forms_own_is_refused_with_its_row(ready):
    form = make_form("label_list", (Label("a"), Label("b")))
    with pytest.raises(ValueError, match=r"train task: row r7: a label is not one of"):
        encode.encode(
            [TextRow("r7", "r7", "gout", ("c",))],
            form,
            head_of(form),
            ready.tokenizer,
            longest=32,
            with_labels=True,
        )


# Weights ----------------------------------------------------------------------------------------------


def test_the_same_texts_and_seed_give_the_same_stand_in(tiny, tmp_path):
    again = stand_in.build(TEXTS, tmp_path / "again", longest=64, seed=1)
    assert (again / "tokenizer.json").read_text() == (tiny / "tokenizer.json").read_text()
    assert load.identify(again) == load.identify(tiny)


@pytest.fixture
def pickled(tiny, tmp_path):
    """An encoder as BioBERT's repository holds it: a pickle of tensors, and a vocabulary with capitals."""
    folder = tmp_path / "pickled"
    shutil.copytree(tiny, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / load.PICKLE)
    (folder / "model.safetensors").unlink()
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "vocab.txt").write_text("\n".join(sorted(words, key=words.get)) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    return folder


def test_a_pickle_of_tensors_is_read_and_capitals_are_kept(pickled, ready):
    found = load.load(load.fetch(str(pickled)), HEAD)
    theirs, ours = found.model.state_dict(), ready.model.state_dict()
    name = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(theirs[name], ours[name])
    assert found.tokenizer.tokenize("BRCA1 is not GOUT") == ready.tokenizer.tokenize("BRCA1 is not GOUT")
    assert load.identify(pickled)


class Wicked:
    def __reduce__(self):
        return (open, ("/tmp/a-pickle-was-run", "w"))


def test_a_pickle_that_does_more_than_hold_tensors_is_not_opened(pickled):
    torch.save({"bert.embeddings.word_embeddings.weight": Wicked()}, pickled / load.PICKLE)
    with pytest.raises(ValueError, match=r"location: pickled/pytorch_model.bin holds more than tensors"):
        load.load(load.fetch(str(pickled)), HEAD)


def test_weights_that_lack_tensors_of_the_encoder_are_refused_but_not_those_without_a_pooler(tiny, tmp_path):
    folder = tmp_path / "lacking"
    shutil.copytree(tiny, folder)
    tensors = {k: v for k, v in load_file(tiny / "model.safetensors").items() if "pooler" not in k}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    pair = Head(PAIR, ("yes", "no"))
    assert load.load(load.fetch(str(folder)), pair).model.config.problem_type == "single_label_classification"
    tensors.pop("encoder.layer.0.output.dense.weight")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"location: the weights of lacking lack 1 tensors of an encoder"):
        load.load(load.fetch(str(folder)), pair)


def test_what_cannot_be_fetched_is_said_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"location: there is no folder"):
        load.fetch(str(tmp_path / "nowhere"))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"location: .* holds no .safetensors weights"):
        load.fetch(str(tmp_path))
