"""Every task over its sample file: how it is asked, what a perfect and a wrong answer count."""

import json

import pytest

from db.enums import Category
from db.metrics import measures
from db.tasks import TASKS, InstructionRow, TaskError, from_json, make_task, to_json
from tests.db.tasks import samples

OWN = {
    "instructions-qa": InstructionRow("1", "1", "Answer yes or no.", "Is insulin a hormone?", "Yes"),
    "instructions-ie": InstructionRow("1", "1", "List.", "Aspirin for gout.", "drug: Aspirin\ndisease: gout"),
    "instructions-gen": InstructionRow("1", "1", "Explain.", "", "Take 500 mg of metformin with meals."),
}  # fmt: skip


def rows_of(name, folder, **settings):
    """The task and the rows of its sample."""
    task = make_task(name, settings)
    rows = [OWN[name]] if name in OWN else list(task.read(samples.write(folder, name), {}))
    return task, rows


def first(name, folder, **settings):
    task, rows = rows_of(name, folder, **settings)
    return task, rows[0]


def test_there_is_a_sample_of_every_task():
    assert samples.FILES.keys() | OWN.keys() == TASKS.keys()


@pytest.mark.parametrize("name", TASKS)
def test_the_reference_is_right_in_every_count(name, tmp_path):
    task, rows = rows_of(name, tmp_path)
    scores = []
    for row in rows:
        asked = task.ask(row)
        assert asked.instruction.strip()
        assert asked.reference.strip()
        scores.append(task.score(row, asked.reference))
    assert all(score.is_right and score.score == 1.0 and not score.has_faults for score in scores)
    json.dumps([[score.counts, score.said] for score in scores] + [task.tables(scores)])
    for measure in map(measures.get, task.measures):
        if not measure.name.startswith("option_"):
            value = measure.of(measures.columns_of(measure, [score.counts for score in scores]).sum(0))
            nothing = {"parse_failures", "invented", "repeated", "numbers_added"}
            assert value == (0.0 if measure.name in nothing else 1.0) or value != value  # NaN: none to keep


@pytest.mark.parametrize("name", TASKS)
def test_silence_is_wrong_and_a_parse_failure(name, tmp_path):
    task, row = first(name, tmp_path)
    score = task.score(row, " \n")
    assert (score.score, score.is_right, score.counts["unparsed"]) == (0.0, False, 1.0)
    assert score.has_faults


@pytest.mark.parametrize("name", TASKS)
def test_a_row_comes_back_from_json_as_it_was(name, tmp_path):
    _, rows = rows_of(name, tmp_path)
    assert [from_json(json.loads(json.dumps(to_json(row)))) for row in rows] == rows


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_it_is(name):
    task = TASKS[name]
    assert task.__doc__
    assert task.name == name
    assert isinstance(task.category, Category)
    assert all(measures.get(measure) for measure in make_task(name).measures)


def test_each_choice_stands_once_in_each_place(tmp_path):
    task, row = first("medqa", tmp_path)
    orders = task.options(row)
    assert [order.continuations for order in orders] == [
        ("A", "B", "C", "D"), ("D", "A", "B", "C"), ("C", "D", "A", "B"), ("B", "C", "D", "A"),
    ]  # fmt: skip
    own = task.ask(row)
    assert (orders[0].instruction, orders[0].input) == (own.instruction, own.input)
    assert orders[1].input.endswith("A. Vitamin C\nB. Vitamin D\nC. Vitamin K\nD. Vitamin A")


def test_an_option_in_words_is_the_same_words_in_every_order(tmp_path):
    task, row = first("medqa", tmp_path, form="choice_text")
    orders = task.options(row)
    assert [order.continuations[1][3:] for order in orders] == ["Vitamin C"] * 4
    assert [order.continuations[1][0] for order in orders] == ["B", "A", "D", "C"]


def test_likelihood_is_averaged_over_the_orders(tmp_path):
    """By hand: B has -1.0 a token in each order; A has -0.5 in its own and -3 in the others."""
    task, row = first("medqa", tmp_path)
    nats = [[-0.5, -1.0, -9.0, -9.0]] + [[-3.0, -1.0, -9.0, -9.0]] * 3
    score = task.score_options(row, nats, [[1] * 4] * 4)
    assert score.is_right
    assert score.counts == {"option_right": 1.0, "first_right": 0.0, "normalised_right": 0.0}
    assert task.tables([score])["places"] == [{"place": 1, "chosen": 1, "right": 1}]


def test_yes_no_and_maybe_are_weighed_by_likelihood_in_one_order(tmp_path):
    task, row = first("pubmedqa", tmp_path)
    (order,) = task.options(row)
    assert order.continuations == ("yes", "no", "maybe")
    assert task.score_options(row, [[-1.0, -2.0, -3.0]], [[1, 1, 1]]).is_right


def test_a_task_without_options_has_none(tmp_path):
    task, row = first("mednli", tmp_path)
    assert task.options(row) == ()
    with pytest.raises(TaskError, match="no options"):
        task.score_options(row, [], [])


def test_strict_and_relaxed_spans_by_hand(tmp_path):
    """Of 'breast cancer' only 'cancer' is said, and 'asthma' rightly: one of two strict, both relaxed."""
    task, row = first("ner-disease", tmp_path)
    score = task.score(row, "Familial : O\nbreast : O\ncancer : B\nand : O\nasthma : B\n: : O")
    assert [score.counts[f"strict_{part}"] for part in ("right", "wrong", "missed")] == [1, 1, 1]
    assert [score.counts[f"relaxed_{part}"] for part in ("right", "wrong", "missed")] == [2, 0, 0]
    assert score.counts["paper_right"] == 1
    assert task.tables([score])["errors"]["boundary"] == 1


def test_only_a_line_a_token_of_one_type_is_paper_compatible(tmp_path):
    assert "paper_f1" in make_task("ner-disease").measures
    assert "paper_f1" not in make_task("ner-disease", {"form": "json_entities"}).measures
    assert "paper_f1" not in make_task("ner-molecular").measures


def test_the_paper_passes_over_relations_it_cannot_read(tmp_path):
    """GAD: nothing is read of the first answer, so the paper holds the second against the first's gold."""
    task, rows = rows_of("re-gad", tmp_path)
    scores = [task.score(rows[0], "unclear"), task.score(rows[1], "0")]
    tables = task.tables(scores)
    assert tables["paper"] == {"f1": 0.0, "compared": 1, "skipped": 1, "out_of_line": 1}
    assert tables["confusion"]["labels"] == ["0", "1"]
    assert tables["majority"]["labels"] == ["0"]


def test_labels_can_be_the_files_own(tmp_path):
    path = samples.write_file(tmp_path / "gad.jsonl", [{"text": "@GENE$ and @DISEASE$", "label": "linked"}])
    task = make_task("re-gad", {"labels": "linked=yes, unlinked=no"})
    (row,) = task.read(path, {})
    assert task.ask(row).reference == "yes"
    assert task.score(row, "Answer: yes").is_right


def test_a_file_of_several_kinds_gives_a_task_its_own(tmp_path):
    path = samples.write_file(
        tmp_path / "mixed.jsonl",
        [{"question": "Q", "choices": ["a", "b"], "answer": 0, "subject": subject}
         for subject in ("Clinical Knowledge", "law", "anatomy")],
    )  # fmt: skip
    medical, general = (list(make_task(name).read(path, {})) for name in ("mmlu-medical", "mmlu-general"))
    assert [len(medical), len(general)] == [2, 1]
    assert TASKS["mmlu-general"].is_general
    assert not TASKS["mmlu-medical"].is_general


def test_lines_are_compared_without_bullets_case_and_stops():
    task, row = make_task("instructions-ie"), OWN["instructions-ie"]
    assert task.score(row, "- Disease : Gout.\n- Drug: aspirin").is_right
    score = task.score(row, "drug: aspirin\ndrug: aspirin")
    assert [score.counts[f"strict_{part}"] for part in ("right", "wrong", "missed")] == [1, 1, 1]


def test_a_written_text_is_right_from_half_its_rouge_on():
    """Of seven words the answer has six, all but one of the reference's: 2 x 6 / (7 + 7)."""
    task, row = make_task("instructions-gen"), OWN["instructions-gen"]
    score = task.score(row, "Take 850 mg of metformin with meals.")
    assert score.score == pytest.approx(6 / 7)
    assert score.is_right
    assert score.counts["numbers_kept"] == 0
    assert not task.score(row, "Drink water.").is_right


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("nothing", {}, "task: 'nothing' is not one of"),
        ("medqa", {"form": "prose"}, "form: 'prose' is not choice_letter or choice_text."),
        ("medqa", {"labels": "a,b"}, "labels: MedQA (USMLE) has no such setting; it knows form or wording."),
        ("mednli", {"wording": "9"}, "wording: '9' is not 1, 2, 3, 4, 5 or drawn."),
        ("mednli", {"labels": "yes,Yes"}, "labels: two labels are both 'yes'; give each its own name."),
        ("instructions-qa", {"form": "x"}, "form: a task of a frozen dataset has no settings; leave it out."),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(name, settings, said):
    with pytest.raises(TaskError) as refused:
        make_task(name, settings)
    assert said in str(refused.value)
