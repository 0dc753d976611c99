"""Near rows share a group, groups share a split, and neither ids nor order decide anything."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rapidfuzz.distance import LCSseq

from db.checks.near_index import NearIndex
from db.checks.similarity import rouge_l
from db.enums import Split
from db.splitting import Item, group_items, split_groups

SENTENCE = "dose of metformin lisinopril for a woman with renal failure β-catenin ß 5 mg"
WORDS = some.sampled_from(SENTENCE.split())
TEXTS = some.lists(some.lists(WORDS, max_size=14).map(" ".join), max_size=25)
SHARES = {Split.VALIDATION: 0.1, Split.TEST: 0.1}


def items_of(texts, strata=("QA",), families=()):
    return [
        Item(f"{position}: {text}", text, strata[position % len(strata)], tuple(families))
        for position, text in enumerate(texts)
    ]


def shuffled(items, seed):
    return random.Random(seed).sample(items, len(items))


@given(TEXTS, some.sampled_from([0.3, 0.5, 0.7, 0.75, 0.9]))
def test_every_pair_above_the_bound_is_found_and_no_other(texts, bound):
    index = NearIndex(texts, bound)
    found = {frozenset((one, other)) for one in range(len(texts)) for other, _ in index.near_behind(one)}
    expected = {
        frozenset((one, other))
        for one in range(len(texts))
        for other in range(one)
        # In integers where it can be: 0.7 has no exact float, and a tie is not above it.
        if round(rouge_l(texts[one], texts[other]) - bound, 12) > 0
    }
    assert found == expected


def test_long_texts_and_words_in_another_order_are_found_exactly():
    draw = random.Random(4)
    words = [f"w{number}" for number in range(400)]
    base = draw.choices(words, k=600)
    texts = [" ".join(base[:cut] + draw.choices(words, k=600 - cut)) for cut in range(0, 600, 7)]
    texts += [" ".join(draw.sample(base, 600)) for _ in range(5)]
    index = NearIndex(texts, 0.7)
    for text in (texts[0], texts[40], texts[-1], "nothing that is there", ""):
        expected = {at: rouge_l(text, other) for at, other in enumerate(texts) if rouge_l(text, other) > 0.7}
        assert dict(index.near(text)) == pytest.approx(expected)
    assert len(dict(index.near(texts[-6]))) > 3


def near_rich(draw, rows, vocabulary):
    """Texts as corpora give them: few wordings before many passages, a third of these reworded ones."""
    words = [f"w{number}" for number in range(vocabulary)]
    wordings = [" ".join(draw.choices(words[:80], k=size)) for size in (5, 12, 25, 40)]
    passages = []
    for _ in range(rows):
        if passages and draw.random() < 0.35:
            passage = [draw.choice(words) if draw.random() < 0.2 else word for word in draw.choice(passages)]
        else:
            passage = [words[int(len(words) * draw.random() ** 3)] for _ in range(draw.randint(3, 40))]
        passages.append(passage)
    return [f"{draw.choice(wordings)}\n{' '.join(passage)}" for passage in passages]


def plain_groups(texts):
    """By every pair there is, in integers: a score of 7/10 is not above it."""
    words = [text.split() for text in texts]
    labels = list(range(len(texts)))
    for one, mine in enumerate(words):
        for other, theirs in enumerate(words[:one]):
            is_near = 20 * LCSseq.similarity(mine, theirs) > 7 * (len(mine) + len(theirs))
            if is_near and labels[one] != labels[other]:
                kept, given = labels[other], labels[one]
                labels = [kept if label == given else label for label in labels]
    numbers = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


@pytest.mark.parametrize("vocabulary", [60, 600, 6_000])  # all words common, or most of them rare
def test_groups_are_those_that_every_pair_compared_would_give(vocabulary):
    texts = near_rich(random.Random(vocabulary), 400, vocabulary)
    assert group_items(items_of(texts), 0.7) == plain_groups(texts)


def test_a_text_of_words_that_the_index_has_not_is_measured_too():
    index = NearIndex(["a b c d e f g h i j", "k l m n o p q r s t"], 0.7)
    assert dict(index.near("a b c d e f g h x y")) == pytest.approx({0: 0.8})
    assert dict(index.near("a b c d e f g x y z")) == {}


def test_a_tie_is_not_above_the_bound():
    one, other = "a b c d e f g x y z", "a b c d e f g p q r"  # 2 * 7 / 20 is 0.7 and no more
    assert group_items(items_of([one, other]), 0.7) == [0, 1]
    assert group_items(items_of([one, other]), 0.69) == [0, 0]


def test_decomposed_letters_are_the_same_words():
    assert group_items(items_of(["Sjögren café naïve", "Sjo\u0308gren cafe\u0301 nai\u0308ve"]), 0.9) == [
        0,
        0,
    ]


def test_a_chain_of_near_pairs_is_one_group():
    texts = ["a b c d e f g h i j", "a b c d e f g h x y", "a b c d e f z w x y"]
    assert group_items(items_of(texts), 0.75) == [0, 0, 0]
    assert rouge_l(texts[0], texts[2]) < 0.75


def test_rows_of_one_document_are_a_group_however_unlike():
    unlike = [Item(str(n), text, "QA", ("doc",)) for n, text in enumerate(["a b c", "d e f", "g h i"])]
    assert group_items(unlike, 0.7) == [0, 0, 0]


def test_texts_without_words_are_near_only_to_themselves():
    assert group_items(items_of(["???", "!!!", "???"]), 0.7) == [0, 1, 0]


@given(TEXTS, some.integers(0, 5))
def test_no_group_straddles_and_no_near_pair_does(texts, seed):
    items = items_of(texts, strata=("QA", "IE", "GEN"))
    groups = group_items(items, 0.7)
    splits = split_groups(items, groups, {Split.VALIDATION: 0.25, Split.TEST: 0.25}, seed)
    assert len(set(zip(groups, splits, strict=True))) == len(set(groups))
    for one, text in enumerate(texts):
        for other, split in zip(texts, splits, strict=True):
            assert splits[one] is split or rouge_l(text, other) <= 0.7


@given(TEXTS, some.integers(0, 5))
def test_order_decides_nothing(texts, seed):
    items = items_of(texts, strata=("QA", "IE"))

    def homes(ordered):
        groups = group_items(ordered, 0.7)
        return dict(zip((i.key for i in ordered), split_groups(ordered, groups, SHARES, seed), strict=True))

    assert homes(items) == homes(shuffled(items, seed))


@given(some.integers(1, 200), some.integers(1, 4), some.floats(0, 0.45), some.floats(0, 0.45))
def test_rows_that_stand_alone_split_to_the_rounded_shares(rows, strata, validation, test):
    items = items_of(["x"] * rows, strata=tuple("QIGO"[:strata]))
    splits = Counter(split_groups(items, range(rows), {Split.VALIDATION: validation, Split.TEST: test}, 0))
    assert splits[Split.TEST] == round(rows * test)
    assert splits[Split.VALIDATION] == round(rows * validation)


def test_each_category_gets_its_share():
    items = items_of(["x"] * 400, strata=("QA", "QA", "QA", "IE"))
    splits = split_groups(items, range(400), SHARES, 0)
    held = Counter((item.stratum, split) for item, split in zip(items, splits, strict=True))
    assert held["QA", Split.TEST] == held["QA", Split.VALIDATION] == 30
    assert held["IE", Split.TEST] == held["IE", Split.VALIDATION] == 10


def test_the_test_split_is_not_made_of_the_large_groups():
    groups = [group for group in range(20) for _ in range(5)] + list(range(20, 120))
    items = items_of(["x"] * 200)
    splits = split_groups(items, groups, {Split.TEST: 0.2}, 0)
    held = Counter(splits[:100])
    assert splits.count(Split.TEST) == 40
    assert 10 <= held[Split.TEST] <= 30


def test_another_seed_draws_other_rows():
    items = items_of(["x"] * 100)
    first, again, other = (split_groups(items, range(100), SHARES, seed) for seed in (0, 0, 1))
    assert first == again != other


def test_a_group_too_large_for_the_shares_stays_in_train():
    items = items_of(["x"] * 10)
    splits = split_groups(items, [0] * 9 + [1], SHARES, 0)
    assert set(splits[:9]) == {Split.TRAIN}


def test_a_given_split_is_kept_and_takes_its_near_ones_along():
    items = [Item(str(n), "", "QA") for n in range(40)]
    groups = [0, 0, 1, 1, 1, *range(2, 37)]
    given = [Split.TRAIN, Split.TEST, None, Split.VALIDATION, None, *[None] * 35]
    splits = split_groups(items, groups, {Split.TEST: 0.2}, 0, given)
    assert splits[:5] == [Split.TRAIN, Split.TEST, *[Split.VALIDATION] * 3]
    assert Counter(splits[5:]) == {Split.TRAIN: 28, Split.TEST: 7}


def test_what_is_near_a_held_out_row_is_held_out_though_others_train():
    items = [Item(str(n), "", "QA") for n in range(3)]
    splits = split_groups(items, [0, 0, 0], {}, 0, [Split.TRAIN, Split.TEST, None])
    assert splits == [Split.TRAIN, Split.TEST, Split.TEST]
