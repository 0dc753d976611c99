"""Conversion as a job: real files, the real readers and templates, the real database, and a real kill."""

import json
import os
import signal
import subprocess
import sys
import time

import datasets as hf_datasets
import pytest
from sqlalchemy import func, select

from db import conversions, jobs, processes, recovery, session
from db.composing import stored_rows
from db.convert_spec import ConvertSpec, Source
from db.corpora import hub
from db.corpora.batches import BATCH_ROWS
from db.corpora.composition import composition_of
from db.corpora.files import keep
from db.corpora.mixture import Mixture, Part
from db.enums import Category, JobStatus, Origin, ProcessRole, Split
from db.settings import REPOSITORY
from db.tables import Conversion, ConvertedRow, Instruction, PrivacyFlag, Revision
from tests.trainer.conftest import job_of, metrics_of
from trainer import __main__ as shell
from trainer.context import JobContext
from trainer.run import carry_out

NER = "medtuned-ncbi-disease"


def tagged(count, start=0):
    """Sentences of four tokens, all different; every third has no mention."""
    for number in range(start, start + count):
        tag = "O" if number % 3 == 2 else "B-Disease"
        yield f"Patient\tO\nx{number}\tO\nhas\tO\ngout\t{tag}\n\n"


@pytest.fixture
def brought(settings, tmp_path):
    """brought(name, text) -> the path of a corpus file in the studio."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return keep(settings.data_dir, path)

    return write


@pytest.fixture
def diseases(brought):
    path = brought("train.tsv", "".join(tagged(30)))
    return Source("NCBI", path, "iob", NER, options={"type": "Disease"}, licence="CC BY 4.0")


@pytest.fixture
def queued(studio):
    """queued(spec) -> number of the queued conversion."""

    def put(spec) -> int:
        with session.write() as s:
            job = conversions.start(s, studio[0], studio[1], spec)
            s.flush()
            return job.id

    return put


@pytest.fixture
def attempt(settings):
    """attempt(job id) -> a context of the next attempt, for this very process to carry out."""
    made = []

    def take(job_id) -> JobContext:
        with session.write() as s:
            job = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id)
        assert job.id == job_id
        made.append(JobContext(settings, job_id, job.attempt))
        return made[-1]

    yield take
    for context in made:
        context.fall_silent()


@pytest.fixture
def convert(queued, attempt):
    """convert(spec) -> the job, once it has ended."""

    def run(spec):
        job_id = queued(spec)
        carry_out(attempt(job_id))
        return job_of(job_id)

    return run


def stored():
    with session.read() as s:
        return list(s.scalars(select(Instruction).order_by(Instruction.id)))


def places():
    with session.read() as s:
        return list(s.scalars(select(ConvertedRow).order_by(ConvertedRow.number)))


# The Hub -------------------------------------------------------------------------------------------------


def test_a_dataset_of_the_hub_is_converted_from_its_copy(convert, settings):
    """The copy is there, as a first attempt left it: a resumed job asks the network for nothing."""
    rows = [{"premise": f"He coughs {n}.", "hypothesis": "He is ill.", "label": "neutral"} for n in range(9)]
    place = hub.place_for("owner/nli")
    folder = settings.data_dir / "corpora" / place
    hf_datasets.DatasetDict({"test": hf_datasets.Dataset.from_list(rows)}).save_to_disk(folder)
    asked = {"name": "owner/nli", "columns": {"sentence1": "premise"}}
    job = convert(ConvertSpec((Source("NLI", place, "pairs", "nli-clinical", hub=asked),)))
    assert (job.status, job.result["totals"]) == (JobStatus.FINISHED, {"read": 9, "stored": 9})
    assert {place.split for place in places()} == {Split.TEST}


def test_a_place_outside_the_studio_is_refused(convert):
    source = Source("NLI", "nli", "pairs", "nli-clinical", hub={"name": "owner/nli"})
    job = convert(ConvertSpec((source,)))
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("path: nli is no place for a dataset")


# Whole jobs ----------------------------------------------------------------------------------------------


def test_a_corpus_becomes_drafts_in_the_papers_form(convert, diseases):
    job = convert(ConvertSpec((diseases,)))
    assert (job.status, job.error) == (JobStatus.FINISHED, "")
    assert job.result["totals"] == {"read": 30, "stored": 30}
    first = stored()[0]
    assert first.input == "Patient x0 has gout"
    assert first.output == "Patient : O\nx0 : O\nhas : O\ngout : B"
    assert (first.origin, first.category, first.task) == (
        Origin.CONVERTED,
        Category.IE,
        "named_entity_recognition",
    )
    assert (first.source, first.licence) == ("NCBI", "CC BY 4.0")
    assert {place.wording for place in places()} <= set(range(5))
    assert len({row.instruction for row in stored()}) > 1
    assert {place.split for place in places()} == {Split.TRAIN}
    assert metrics_of(job.id, "rows_per_second")


def test_a_mixture_takes_its_share_and_the_rest_is_counted(convert, diseases):
    mixture = Mixture((Part("NCBI", rows=12, negatives=0.5), Part("BC5CDR", rows=7)), seed=3)
    job = convert(ConvertSpec((diseases,), mixture))
    assert job.result["totals"] == {"read": 30, "stored": 12, "left_out": 18}
    assert job.result["plan"]["BC5CDR"] == {"rows": 0, "train": 0, "short_by": 7}
    assert any(row.output.endswith("gout : O") for row in stored())


def test_what_is_measured_on_keeps_its_split_and_comes_whole(convert, brought, diseases):
    test = Source(
        "NCBI", brought("test.tsv", "".join(tagged(9, start=100))), "iob", NER, options={"type": "Disease"}
    )
    dev = Source(
        "NCBI",
        brought("b.tsv", "".join(tagged(6, start=200))),
        "iob",
        NER,
        options={"type": "Disease"},
        split="validation",
    )
    convert(ConvertSpec((diseases, test, dev), Mixture((Part("NCBI", rows=10),))))
    splits = [place.split for place in places()]
    assert [splits.count(split) for split in Split] == [10, 6, 9]


def test_a_row_that_cannot_be_an_instruction_is_a_fault_with_its_sentence(convert, brought):
    rows = [{"instruction": "", "input": f"Question {n}?", "output": "a" * (n * 10)} for n in range(1, 11)]
    path = brought("qa.jsonl", "\n".join(map(json.dumps, rows)))
    source = Source("Chat", path, "instruction_output", "medtuned-chatdoctor")
    job = convert(ConvertSpec((source,), max_characters=55))
    short = sum(row["faulty"] for row in job.result["sources"].values())
    assert job.status is JobStatus.FINISHED
    assert short == len(job.result["faults"]) > 0
    assert {fault["source"] for fault in job.result["faults"]} == {"Chat"}
    assert "characters, and 55 are allowed" in job.result["faults"][0]["sentence"]


def test_copies_and_what_may_tell_who_a_person_is_are_found(convert, brought):
    rows = [
        {"instruction": "", "input": "Why does gout hurt?", "output": "Crystals."},
        {"instruction": "", "input": "Why does gout hurt?", "output": "Crystals."},
        {"instruction": "", "input": "I was seen on 14 March 2019, why?", "output": "Ask your doctor."},
    ]
    path = brought("qa.jsonl", "\n".join(map(json.dumps, rows)))
    own = {
        "title": "Mine", "category": "QA", "task": "qa", "form": "free_answer",
        "wordings": ["Answer the question."], "few_wordings": "a test", "input": "{{ question }}",
    }  # fmt: skip
    job = convert(ConvertSpec((Source("Chat", path, "instruction_output", "mine", own_template=own),)))
    assert job.result["totals"] == {"read": 3, "stored": 2, "copies_within": 1, "flagged": 1}
    with session.read() as s:
        [flag] = s.scalars(select(PrivacyFlag))
    assert stored()[1].input[flag.span_start : flag.span_end] == "14 March 2019"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"template": "no-such"}, "template: "),
        ({"template": "medtuned-mednli"}, "another kind of rows"),
        ({"template_version": "99"}, "is at version"),
        ({"format": "no-such"}, "format: "),
        ({"path": "0123/gone.tsv"}, "bring the file again"),
        ({"options": {"speed": "3"}}, "speed: "),
    ],
)
def test_what_cannot_be_converted_fails_with_a_sentence_and_stores_nothing(convert, diseases, change, told):
    given = {**vars(diseases), **change}
    job = convert(ConvertSpec((Source(**given),)))
    assert job.status is JobStatus.FAILED
    assert told in job.error
    assert "unexpected" not in job.error
    assert stored() == []


def test_a_broken_line_is_told_by_its_number_before_anything_is_stored(convert, brought, diseases):
    text = "".join(tagged(2000)) + "Patient\tO\nhas\tZ-Disease\n\n"
    broken = Source("Broken", brought("broken.tsv", text), "iob", NER)
    job = convert(ConvertSpec((diseases, broken)))
    assert job.status is JobStatus.FAILED
    assert "line 10002" in job.error
    assert stored() == []


def test_texts_do_not_reach_the_log(convert, diseases, caplog):
    with caplog.at_level("DEBUG"):
        convert(ConvertSpec((diseases,)))
    assert "NCBI: 30 of 30 rows" in caplog.text
    assert "gout" not in caplog.text


def test_what_a_classification_answers_is_counted_label_by_label(convert, brought, studio):
    first, second = "inducing angiogenesis", "evading growth suppressors"
    rows = [
        {"text": f"Text {n}.", "labels": labels} for n, labels in enumerate(([first, second], [first], []))
    ]
    path = brought("hoc.jsonl", "\n".join(map(json.dumps, rows)))
    convert(ConvertSpec((Source("HoC", path, "labels", "medtuned-hoc"),)))
    with session.read() as s:
        [balance] = composition_of(stored_rows(s, [Instruction.project_id == studio[1]])).labels
    assert balance.labels == ((first, 2), (second, 1))
    assert (balance.rows, balance.without) == (3, 1)


# Stopping and going on -----------------------------------------------------------------------------------


def test_a_cancelled_conversion_keeps_what_it_stored_and_goes_on_when_asked(
    convert, queued, attempt, studio, brought
):
    path = brought("train.tsv", "".join(tagged(3 * BATCH_ROWS)))
    job_id = queued(ConvertSpec((Source("NCBI", path, "iob", NER, options={"type": "Disease"}),)))
    context = attempt(job_id)
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    carry_out(context)
    assert job_of(job_id).status is JobStatus.CANCELLED
    with session.write() as s:
        jobs.requeue(s, studio[0], job_id)
    carry_out(attempt(job_id))
    assert job_of(job_id).status is JobStatus.FINISHED
    assert [place.number for place in places()] == list(range(1, 3 * BATCH_ROWS + 1))


def test_three_kills_lose_no_row_and_store_none_twice(settings, queued, studio, brought):
    rows = 6 * BATCH_ROWS
    path = brought("train.tsv", "".join(tagged(rows)))
    mixture = Mixture((Part("NCBI", rows=rows - 500),), seed=5)
    job_id = queued(ConvertSpec((Source("NCBI", path, "iob", NER, options={"type": "Disease"}),), mixture))
    seen = [_kill_after(settings, job_id, studio, more=BATCH_ROWS) for _ in range(3)]
    assert sorted(seen) == seen
    assert 0 < seen[0] < seen[-1] < rows
    _worker(settings).wait(timeout=120)
    job = job_of(job_id)
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 4)
    assert job.result["totals"] == {"read": rows, "stored": rows - 500, "left_out": 500}
    numbers = [place.number for place in places()]
    assert len(numbers) == len(set(numbers)) == rows - 500
    with session.read() as s:
        assert s.scalar(select(func.count()).select_from(Revision)) == rows - 500
        assert s.scalar(select(func.count(Instruction.input.distinct()))) == rows - 500


def _worker(settings):
    environment = {**os.environ, **settings.environment()}
    command = [sys.executable, "-m", "trainer", "worker", "--once"]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _kill_after(settings, job_id, studio, *, more) -> int:
    """Let a worker go on until `more` rows are read, kill the job's process; how many were read then."""
    worker, before = _worker(settings), _read(job_id)
    deadline = time.monotonic() + 60
    while _read(job_id) < before + more:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with session.read() as s:
        [(_, running)] = recovery.running_children(s, boot=processes.boot_id())
    os.kill(running.child_pid, signal.SIGKILL)
    worker.wait(timeout=60)
    with session.write() as s:
        assert jobs.get_job(s, job_id).status is JobStatus.INTERRUPTED
        jobs.requeue(s, studio[0], job_id)
    return _read(job_id)


def _read(job_id) -> int:
    with session.read() as s:
        found = s.scalar(select(Conversion.rows_read).where(Conversion.job_id == job_id))
        return found or 0


# The shell -----------------------------------------------------------------------------------------------


def test_the_shell_plans_converts_and_takes_back(settings, studio, tmp_path, capsys):
    (tmp_path / "train.tsv").write_text("".join(tagged(30)), encoding="utf-8")
    recipe = {
        "name": "Diseases",
        "sources": [
            {
                "name": "NCBI",
                "path": "train.tsv",
                "format": "iob",
                "template": NER,
                "options": {"type": "Disease"},
            }
        ],
        "mixture": {"parts": [{"source": "NCBI", "rows": 40}, {"source": "BC2GM", "rows": 5}]},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    given = ["--data-dir", str(settings.data_dir)]
    path = str(tmp_path / "recipe.json")
    assert shell.main([*given, "convert", path, "--plan"]) == 0
    planned = capsys.readouterr().out
    assert "short by 10" in planned
    assert "missing" in planned
    assert shell.main([*given, "convert", path]) == 0
    capsys.readouterr()
    assert _worker(settings).wait(timeout=60) == 0
    assert len(stored()) == 30
    assert shell.main([*given, "composition", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["rows"] == 30
    assert shell.main([*given, "take-back", "1"]) == 0
    assert stored() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no json", "recipe: "),
        ("[]", "no list of sources"),
        ('{"sources": [1]}', "sources: "),
        (
            '{"sources": [{"name": "a", "path": "gone.tsv", "format": "iob", "template": "t"}]}',
            "file: gone.tsv",
        ),
        ('{"sources": [], "speed": 3}', "speed: "),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_with_a_sentence(settings, tmp_path, capsys, text, told):
    (tmp_path / "recipe.json").write_text(text)
    assert shell.main(["--data-dir", str(settings.data_dir), "convert", str(tmp_path / "recipe.json")]) == 1
    assert told in capsys.readouterr().err
