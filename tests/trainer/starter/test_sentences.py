"""The base's reading: repeatable, grounded in its passage, and free of holes."""

import random
import re

from trainer.starter import facts as fact_table
from trainer.starter import questions
from trainer.starter.cases import Pool
from trainer.starter.passages import drug_paragraph, gene_paragraph, note
from trainer.starter.sentences import KINDS, Writer
from trainer.starter.wording import fill, joined, with_article


def test_a_choice_and_a_slot_are_filled(rng):
    assert fill("[Take|Take] {drug} [now|now].", rng, drug="aspirin") == "Take aspirin now."
    assert fill("[a [b|b]|a b]", rng) == "a b"


def test_lists_are_joined_as_people_do(rng):
    assert joined(["a"], rng) == "a"
    assert joined(["a", "b"], rng, "or") == "a or b"
    assert joined(["a", "b", "c"], rng) in ("a, b and c", "a, b, and c")


def test_the_article_follows_the_number():
    assert [with_article(age)[:2].strip() for age in (8, 18, 54, 80, 89)] == ["an", "an", "a", "an", "an"]


def test_the_same_dice_write_the_same_text():
    writer = Writer()
    assert writer.document(random.Random(9)) == writer.document(random.Random(9))


def test_every_kind_of_text_can_be_written_without_holes(rng):
    writer = Writer()
    for kind in KINDS:
        for _ in range(100):
            text = getattr(writer, f"_{kind}")(rng)
            assert text.strip()
            assert "{" not in text


def test_a_passage_states_every_name_it_says_it_states(rng):
    pool = Pool(fact_table.load())
    for make in (note, drug_paragraph, gene_paragraph):
        for share in (0.0, 0.9):
            for _ in range(50):
                passage = make(pool, rng, share)
                low = passage.text.lower()
                assert all(name.lower() in low for name in passage.kind)


def test_extracted_names_come_in_order_of_mention(rng):
    pool = Pool(fact_table.load())
    for _ in range(50):
        passage = note(pool, rng, 0.5)
        places = [passage.text.lower().find(name.lower()) for name in passage.kind]
        assert places == sorted(places)


def test_a_denied_finding_is_never_called_present(rng):
    pool, checked = Pool(fact_table.load()), 0
    for _ in range(400):
        passage = note(pool, rng, 0.0)
        asked, answer = questions.presence(passage, rng)
        if answer.lower().startswith(("yes", "true", "correct")):
            assert any(name in asked.lower() for name in map(str.lower, passage.said["present"]))
            checked += 1
    assert checked > 100


def test_a_checklist_gives_every_finding_its_own_state(rng):
    pool = Pool(fact_table.load())
    for _ in range(100):
        passage = note(pool, rng, 0.5)
        _, answer = questions.checklist(passage, rng)
        words = {}
        for row in answer.splitlines():
            state = next(
                (
                    key
                    for key in ("present", "denied")
                    for name in passage.said.get(key, ())
                    if row.startswith(name)
                ),
                "unsaid",
            )
            words.setdefault(state, set()).add(re.split(r": |\? | - | = | -> ", row)[-1])
        assert all(len(labels) == 1 for labels in words.values())
        assert len(set.union(*words.values())) == len(words)
