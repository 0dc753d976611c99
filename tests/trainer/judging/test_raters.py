"""Answers that people scored are brought in a file, and measures and judges are set beside those people."""

import csv
import json

import pytest

from db import brought_answers, evaluations, session
from db.brought_answers import Columns
from tests.corpora import corpus
from tests.scripted_endpoint import ScriptedEndpoint
from tests.trainer.conftest import claim
from tests.trainer.judging.conftest import CRITERIA
from tests.trainer.judging.test_judge import attempt

COLUMNS = Columns("dialogue", "reference", "summary")
FACTS = ("Metformin was stopped.", "The eGFR is 25.", "Potassium is high.", "She denies chest pain.")


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def scored(tmp_path):
    """A file of 12 summaries of 3 dialogues, with the share of the facts that people found in each."""
    rows = [
        {
            "dialogue": f"Doctor and patient number {number % 3}.",
            "reference": " ".join(FACTS),
            "summary": " ".join(FACTS[: 1 + number // 3]),
            "facts": (1 + number // 3) / 4,
            "note": "as heard",
        }
        for number in range(12)
    ]
    return write_csv(tmp_path / "summaries.csv", rows)


def test_measures_and_a_judge_are_set_beside_people(settings, studio, judge, shell, scored, answered):
    asked = ("--prompt", "dialogue", "--reference", "reference", "--answer", "summary")
    code, number, complaint = shell("bring-answers", scored, "--name", "Systems", *asked)
    assert code == 0, complaint
    with session.read() as s:
        evaluation = evaluations.get_evaluation(s, studio[1], int(number))
        assert (evaluation.rows, evaluation.figures["rouge_l"]["clusters"]) == (12, 3)
        assert evaluations.title_of(evaluation) == "Systems"

    def grades(key, _rows):  # more of the facts, a better grade
        position = int(key.rsplit("-", 2)[1])
        return json.dumps({"reason": "", **dict.fromkeys(CRITERIA, 2 + position // 3)})

    with ScriptedEndpoint(write=grades) as scripted:
        job_id = judge(scripted, evaluation_id=int(number), against_id=0)
        job = attempt(settings, job_id, claim(job_id))
        assert job.result["spent"]["calls"] == 12
    lines = shell("rater-agreement", number.strip(), "--judges", job_id)[1].splitlines()
    assert lines[0].startswith("beside facts")
    said = {line[:36].strip(): line[36:60].split()[0] for line in lines[1:]}
    assert said["judged (answer-quality)"] == "1.00"
    assert said["ROUGE-L"] == "1.00"
    assert "Parse failures" not in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"summary": ""}, "answer column: summary is empty in row 1"),
        ({"facts": "many"}, "scores: no column holds numbers"),
    ],
)
def test_a_file_that_cannot_be_used_names_its_row(tmp_path, change, sentence):
    row = {"dialogue": "d", "reference": "r", "summary": "s", "facts": 1, **change}
    with pytest.raises(ValueError, match=f"^{sentence}"):
        brought_answers.read(write_csv(tmp_path / "x.csv", [row]), COLUMNS)


def test_a_column_that_is_not_there_is_named_with_those_that_are(scored):
    with pytest.raises(ValueError, match="^prompt column: 'talk' is no column of the file; it has dialogue"):
        brought_answers.read(scored, Columns("talk", "reference", "summary"))


def test_scores_of_a_second_file_need_the_same_rows(tmp_path, scored):
    other = write_csv(tmp_path / "scores.csv", [{"facts": 1, "style": 0}])
    with pytest.raises(ValueError, match="^scores: the file has 1 rows and the answers 12"):
        brought_answers.read(scored, COLUMNS, other)


def test_the_400_summaries_with_human_scores_are_read_whole():
    folder = corpus("mts-dialog")
    columns = Columns("Dialogue", "Reference Summary", "Automatic Summary")
    answers, scores = folder / "automatic_summaries_validation.csv", folder / "manual_scores.csv"
    rows = brought_answers.read(answers, columns, scores)
    assert len(rows) == 400
    assert rows[0].human["FactualRecall"] == 0.125
