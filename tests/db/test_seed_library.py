"""The form of the seed library and of the playground's shelf of prompts.

These tests read the YAML files alone: no database, no model. They hold what a
machine can check. They do not know medicine; that was read by people.
"""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from rapidfuzz.distance import Indel

from db import privacy, samples
from db.content import Content

SAMPLES = Path(__file__).resolve().parents[2] / "db" / "samples"
SEED_FILES = ("qa", "ie", "gen", "other")
SEED_KEYS = [
    "id", "category", "task", "specialty", "difficulty",
    "tags", "instruction", "input", "output", "source",
]  # fmt: skip
PROMPT_KEYS = [
    "id", "title", "category", "task", "specialty", "tags", "instruction", "input", "expected", "watch_for",
]  # fmt: skip

TOO_ALIKE = 0.7  # the ROUGE-L F above which Self-Instruct drops a new instruction
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SNAKE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
URL = re.compile(r"https?://|\bwww\.|\bdoi\.org|\b10\.\d{4,9}/", re.IGNORECASE)
IDENTIFIERS = {
    "e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"),
    "telephone number": re.compile(
        r"\+\d{1,3}[ -]?\d{2,}|\b0\d{3,4}[ -]\d{3}[ -]?\d{3,4}\b|\b0\d{9,10}\b|\b\d{3}-\d{3}-\d{4}\b"
    ),
    "record number": re.compile(
        r"\b(MRN|NHS (number|no)|hospital (number|no)|record (number|no))\b\W*\w*\d"
        r"|\b\d{3} \d{3} \d{4}\b",
        re.IGNORECASE,
    ),
    "date of birth": re.compile(r"\b(DOB|date of birth|born on)\b\W*\d", re.IGNORECASE),
}
BRACKETS = {")": "(", "]": "[", "}": "{"}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_seeds():
    return [seed for name in SEED_FILES for seed in load(SAMPLES / "seeds" / f"{name}.yaml")]


SEEDS = read_seeds()
PROMPTS = load(SAMPLES / "prompts.yaml")
BY_ID = [pytest.param(seed, id=seed["id"]) for seed in SEEDS]


def tokens(text):
    return re.findall(r"\w+", text.lower())


def rouge_l(one, other):
    """ROUGE-L F1 of two token lists: 2 * LCS / (len + len), which is Indel similarity."""
    return Indel.normalized_similarity(one, other)


def task_text(item):
    return f"{item['instruction']} {item['input']}"


def alike_pairs(items, text_of):
    """(id, id, ROUGE-L) of each pair above the limit."""
    read = [(item["id"], tokens(text_of(item))) for item in items]
    scored = ((a, b, rouge_l(x, y)) for (a, x), (b, y) in combinations(read, 2))
    return [(a, b, round(score, 2)) for a, b, score in scored if score > TOO_ALIKE]


def unclosed_brackets(text):
    """Brackets left open at the end. A ")" with no partner, as in "a) yes", is no fault."""
    open_ones = []
    for mark in text:
        if mark in BRACKETS.values():
            open_ones.append(mark)
        elif open_ones and open_ones[-1] == BRACKETS.get(mark):
            open_ones.pop()
    return open_ones


def test_the_library_holds_exactly_eighty_seeds():
    assert len(SEEDS) == 80


def test_each_main_category_has_at_least_22_seeds():
    counts = Counter(seed["category"] for seed in SEEDS)
    assert set(counts) == {"QA", "IE", "GEN", "OTHER"}
    assert min(counts["QA"], counts["IE"], counts["GEN"]) >= 22


@pytest.mark.parametrize("name", SEED_FILES)
def test_each_file_holds_one_category(name):
    seeds = load(SAMPLES / "seeds" / f"{name}.yaml")
    assert {seed["category"] for seed in seeds} == {name.upper()}
    assert all(seed["id"].startswith(f"{name}-") for seed in seeds)


def test_the_library_spans_25_tasks_20_specialties_and_five_difficulties():
    assert len({seed["task"] for seed in SEEDS}) >= 25
    assert len({seed["specialty"] for seed in SEEDS}) >= 20
    assert {seed["difficulty"] for seed in SEEDS} == {1, 2, 3, 4, 5}


def test_ids_are_unique_across_seeds_and_prompts():
    counts = Counter(item["id"] for item in SEEDS + PROMPTS)
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("seed", BY_ID)
def test_a_seed_has_the_agreed_fields_in_order(seed):
    assert list(seed) == SEED_KEYS
    assert KEBAB.fullmatch(seed["id"])
    assert SNAKE.fullmatch(seed["task"])
    assert seed["specialty"] == seed["specialty"].lower().strip() != ""
    assert 2 <= len(seed["tags"]) <= 4
    assert all(tag == tag.lower().strip() != "" for tag in seed["tags"])
    assert len(set(seed["tags"])) == len(seed["tags"])
    assert isinstance(seed["input"], str)
    assert isinstance(seed["instruction"], str)
    assert seed["instruction"].strip()
    assert isinstance(seed["output"], str)
    assert seed["output"].strip()
    assert seed["source"] == "Written for BioInstruct Studio"


@pytest.mark.parametrize("seed", BY_ID)
def test_an_answer_ends_cleanly(seed):
    output = seed["output"]
    assert output == output.strip()
    assert not output.endswith((",", ":", ";", "-", "...", "…", "(", "[", "{"))
    assert tokens(output)[-1] not in {"and", "or", "the", "a", "an", "of", "to", "with"}
    assert unclosed_brackets(output) == []


def test_nothing_outside_de_identification_looks_like_an_identifier():
    read = [item for item in SEEDS + PROMPTS if item["task"] != "de_identification"]
    texts = {item["id"]: f"{task_text(item)} {item.get('output', '')}" for item in read}
    found = [
        (item_id, name)
        for item_id, text in texts.items()
        for name, pattern in IDENTIFIERS.items()
        if pattern.search(text)
    ]
    assert found == []


def test_the_identifier_patterns_find_what_they_name():
    examples = {
        "e-mail address": "write to ward.seven@example.org",
        "telephone number": "ring 01632 960 123",
        "record number": "MRN: 48213",
        "date of birth": "DOB 04/05/1961",
    }
    assert {name for name, text in examples.items() if IDENTIFIERS[name].search(text)} == set(IDENTIFIERS)


def test_no_web_address_stands_anywhere():
    every_text = [task_text(item) for item in SEEDS + PROMPTS] + [seed["output"] for seed in SEEDS]
    assert [text for text in every_text if URL.search(text)] == []


def test_no_two_seeds_are_near_copies():
    assert alike_pairs(SEEDS, task_text) == []


def test_no_two_seed_instructions_are_near_copies():
    assert alike_pairs(SEEDS, lambda seed: seed["instruction"].strip()) == []


def test_no_prompt_is_a_near_copy_of_a_seed_or_another_prompt():
    assert alike_pairs(SEEDS + PROMPTS, task_text) == []


def test_at_least_half_of_the_seeds_have_inputs_of_real_length():
    long_ones = [seed for seed in SEEDS if len(seed["input"].split()) >= 60]
    assert len(long_ones) >= len(SEEDS) / 2


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_sample_files_are_tidy_text(path):
    text = path.read_text(encoding="utf-8")
    assert [n for n, line in enumerate(text.split("\n"), 1) if line != line.rstrip()] == []
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\t" not in text
    assert "\r" not in text


def test_the_shelf_holds_eight_prompts_of_each_main_category():
    assert Counter(prompt["category"] for prompt in PROMPTS) == {"QA": 8, "IE": 8, "GEN": 8}


@pytest.mark.parametrize("prompt", [pytest.param(prompt, id=prompt["id"]) for prompt in PROMPTS])
def test_a_prompt_has_the_agreed_fields_and_one_thing_to_watch_for(prompt):
    assert list(prompt) == PROMPT_KEYS
    assert KEBAB.fullmatch(prompt["id"])
    assert SNAKE.fullmatch(prompt["task"])
    assert len(prompt["title"]) <= 50
    assert prompt["title"][0].isupper()
    assert prompt["instruction"].strip()
    assert isinstance(prompt["input"], str)
    assert prompt["tags"]
    assert 2 <= len(prompt["expected"]) <= 4
    assert re.fullmatch(r"[A-Z].*[^.]\.", prompt["watch_for"])
    assert ". " not in prompt["watch_for"]


def test_prompt_titles_differ():
    assert len({prompt["title"] for prompt in PROMPTS}) == len(PROMPTS)


def test_the_flags_kept_with_the_seeds_are_what_the_check_finds():
    found = {
        seed.pop("id"): privacy.find_flags(Content(**{**seed, "tags": tuple(seed["tags"])}))
        for seed in samples.read_seeds()
    }
    assert {key: flags for key, flags in found.items() if flags} == samples.read_seed_flags()
