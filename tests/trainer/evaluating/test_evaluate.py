"""The evaluation job from its frozen tasks to its figures, on a tiny random Llama and adapters on it."""

import csv
import json
import os
import signal

import pytest
import torch
from sqlalchemy import func, select

from db import evaluations, gains, jobs, leaks, predictions, registry, session, task_versions, tasks
from db.corpora import files
from db.enums import JobKind, JobStatus, Way
from db.evaluate_spec import EvaluateSpec
from db.tables import Evaluation, Prediction
from db.task_drafts import TaskDraft, prepare
from tests.trainer.conftest import claim, freeze, go_on, job_of, metrics_of
from tests.trainer.serve.conftest import add_adapter, make_adapter, make_base
from trainer import prompts, run
from trainer.__main__ import main
from trainer.context import JobContext
from trainer.models import load

OPTIONS = {"A": "Vitamin A", "B": "Vitamin C", "C": "Iron", "D": "Zinc"}
LONG = 1024


def question(n, words=""):
    options = {letter: f"{text} {n}" for letter, text in OPTIONS.items()}
    return {
        "question": f"What prevents disease {n}?{words}",
        "options": options,
        "answer_idx": "ABCD"[n % 4],
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_llama):
    """Two bases of longer context, and an adapter on the first."""
    room = tmp_path_factory.mktemp("models")
    base, other = make_base(room / "base", tiny_llama, LONG), make_base(room / "other", tiny_llama, LONG)
    return base, other, make_adapter(base, room / "adapter", seed=1)


@pytest.fixture
def bases(studio, folders):
    with session.write() as s:
        added = [
            registry.add_base_model(s, studio[0], name=name, location=str(folder))
            for name, folder in zip(("tiny", "other"), folders, strict=False)
        ]
        s.flush()
        return [base.id for base in added]


@pytest.fixture
def task(settings, studio, tmp_path):
    """task(rows, examples drawn of a pool) -> the number of MedQA frozen over those rows."""

    def keep(name, rows) -> str:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)))
        return files.keep(settings.data_dir, path)

    def freeze_task(rows, name="medqa", shots=0, pool=()) -> int:
        examples = keep("pool", pool) if pool else ""
        draft = TaskDraft("medqa", keep(name, rows), name=name, shots=shots, examples=examples)
        prepared = prepare(settings.data_dir, draft)
        with session.write() as s:
            return task_versions.freeze(s, studio[0], studio[1], prepared).id

    return freeze_task


@pytest.fixture
def queue(studio):
    def put(base_id, *task_ids, **told) -> int:
        spec = EvaluateSpec(base_id, task_ids, **{"precision": "fp32", "max_tokens": 4, **told})
        with session.write() as s:
            job = jobs.enqueue(s, studio[0], studio[1], JobKind.EVALUATE, spec, name="scores")
            s.flush()
            return job.id

    return put


@pytest.fixture
def evaluate(settings, queue):
    """evaluate(base, *tasks, **settings) -> the job, carried out by this very process."""

    def carry_out(*args, **told):
        job_id = queue(*args, **told)
        run.carry_out(JobContext(settings, job_id, claim(job_id)))
        return job_of(job_id)

    return carry_out


def rows_of(evaluation_id) -> dict[int, Prediction]:
    with session.read() as s:
        found = s.scalars(select(Prediction).where(Prediction.evaluation_id == evaluation_id))
        return {row.position: row for row in found}


def all_of(job) -> dict[Way, Evaluation]:
    with session.read() as s:
        return {one.way: one for one in evaluations.list_evaluations(s, job.project_id, job_id=job.id)}


def count(table) -> int:
    with session.read() as s:
        return s.scalar(select(func.count()).select_from(table))


def test_a_base_is_scored_in_both_ways_as_the_model_alone_answers(evaluate, task, bases, folders):
    examples = task([question(n) for n in range(6)])
    job = evaluate(bases[0], examples)
    assert job.status is JobStatus.FINISHED, job.error
    assert (job.step, job.total_steps) == (12, 12)
    found = all_of(job)
    assert set(found) == {Way.LIKELIHOOD, Way.GENERATION}
    assert job.result["evaluations"] == sorted(one.id for one in found.values())
    assert metrics_of(job.id, "rows_per_second")
    assert metrics_of(job.id, "tokens_per_second")
    for one in found.values():
        assert one.finished_at
        assert one.rows_done == one.rows == 6
        assert set(rows_of(one.id)) == set(range(6))
        assert len(one.provenance["template_hash"]) == len(one.provenance["base"]["revision"]) == 64
        assert one.provenance["adapter"] is None
        assert one.provenance["precision"] == "fp32"
        assert one.provenance["packages"]["torch"]
    assert found[Way.LIKELIHOOD].measure == "option_accuracy"
    figure = found[Way.GENERATION].figures["accuracy"]
    assert figure["low"] <= figure["value"] <= figure["high"]

    model = load.load_base(str(folders[0]), dtype=torch.float32, device="cpu")
    tokenizer = load.load_tokenizer(str(folders[0]))
    with session.read() as s:
        version = task_versions.get_task(s, job.project_id, examples)
        rows = task_versions.list_rows(s, examples)
    written, chosen = rows_of(found[Way.GENERATION].id), rows_of(found[Way.LIKELIHOOD].id)
    for row in rows[:3]:
        prompt = prompts.encode(tokenizer, prompts.to_prompt(row.instruction, row.input), for_answer=True)
        ids = model.generate(torch.tensor([prompt]), max_new_tokens=4, do_sample=False)[0, len(prompt) :]
        assert written[row.position].answer == tokenizer.decode(ids, skip_special_tokens=True).strip()
        assert written[row.position].tokens == 4
        assert written[row.position].said["cut"]
        own = tasks.of_version(version).options(tasks.from_json(row.source))
        nats = [[nats_of(model, tokenizer, order, text) for text in order.continuations] for order in own]
        means = [sum(column) / len(nats) for column in zip(*nats, strict=True)]
        assert chosen[row.position].said["nats"] == pytest.approx(means, abs=1e-3)


def nats_of(model, tokenizer, order, text) -> float:
    """The log-likelihood of an answer by a plain pass over prompt and answer."""
    asked = prompts.to_prompt(order.instruction, order.input)
    prompt = prompts.encode(tokenizer, asked, for_answer=True)
    whole = prompts.encode(tokenizer, [*asked, {"role": "assistant", "content": text}], for_answer=False)
    ids = whole[: len(prompt) + len(tokenizer(text, add_special_tokens=False)["input_ids"])]
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    return float(logits.gather(-1, torch.tensor(ids[len(prompt) :])[:, None]).sum())


def test_an_adapter_answers_otherwise_and_its_gain_and_leaks_are_kept(evaluate, task, bases, folders, studio):
    medqa = task([question(n) for n in range(8)])
    train = [("What prevents disease 5? Say it in a word, for it is asked at every bedside.", "", "Iron.")]
    with session.read() as s:
        row = task_versions.list_rows(s, medqa)[3]
    tuned_on = freeze(*studio, [*train, (row.instruction, row.input, "D")], name="seen")
    adapter = add_adapter("tuned", folders[2], bases[0], dataset_version_id=tuned_on)
    base_job, tuned_job = evaluate(bases[0], medqa), evaluate(bases[0], medqa, adapter_id=adapter)
    assert tuned_job.status is JobStatus.FINISHED, tuned_job.error
    base, tuned = all_of(base_job), all_of(tuned_job)
    for way in (Way.GENERATION, Way.LIKELIHOOD):
        assert tuned[way].provenance["template_hash"] == base[way].provenance["template_hash"]
        assert tuned[way].provenance["adapter"]["name"] == "tuned"
        one, other = rows_of(base[way].id), rows_of(tuned[way].id)
        assert any(one[at].answer != other[at].answer or one[at].said != other[at].said for at in one)
    with session.read() as s:
        assert leaks.positions(s, medqa, tuned_on) == {3}
        pairs = [gains.Pair(tuned[way].id, base[way].id, tuned[way].measure) for way in tuned]
        assert len(gains.kept(s, pairs)) == 2
        assert predictions.page(s, tuned[Way.GENERATION].id, against_id=base[Way.GENERATION].id).total == 8
    assert tuned_job.result["leaks"] == 1
    without = tuned[Way.LIKELIHOOD].figures["option_accuracy" + evaluations.WITHOUT_LEAKS]
    assert without["n"] == 7


def test_an_adapter_of_another_base_is_one_sentence_and_stores_nothing(evaluate, task, bases, folders):
    adapter = add_adapter("tuned", folders[2], bases[0])
    job = evaluate(bases[1], task([question(1)]), adapter_id=adapter)
    assert job.status is JobStatus.FAILED
    assert job.error == "adapter: tuned was tuned on tiny, not on other; choose its own base."
    assert count(Evaluation) == count(Prediction) == 0


def test_an_adapter_whose_weights_changed_is_one_sentence_and_stores_nothing(evaluate, task, bases, folders):
    adapter = add_adapter("tuned", folders[2], bases[0], adapter_hash="0" * 64)
    job = evaluate(bases[0], task([question(1)]), adapter_id=adapter)
    assert "changed since their registration" in job.error
    assert count(Evaluation) == 0


def test_a_row_longer_than_the_context_is_wrong_and_says_so(evaluate, task, bases):
    medqa = task([question(0), question(1, " Think." * 300), question(2)])
    job = evaluate(bases[0], medqa)
    assert job.status is JobStatus.FINISHED, job.error
    assert job.result["too_long"] == 2  # once in each way
    for one in all_of(job).values():
        row = rows_of(one.id)[1]
        assert (row.is_right, row.has_faults, row.answer) == (False, True, "")
        [fault] = [words for kind, words in row.said["faults"] if kind == "too_long"]
        assert fault.endswith(f"tokens; the model takes {LONG:,}")
        assert one.finished_at


def test_a_task_of_rows_that_are_all_too_long_is_one_sentence_and_stores_nothing(evaluate, task, bases):
    good, bad = task([question(0)]), task([question(1, " Think." * 300)], name="endless")
    job = evaluate(bases[0], good, bad)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("task: every row of endless is longer than the 1,024 tokens")
    assert count(Evaluation) == 0


def test_a_task_without_options_cannot_be_asked_by_likelihood(evaluate, studio, bases):
    version = freeze(*studio, [("Say red.", "", "Red."), ("Say blue.", "", "Blue.")], validation=1)
    with session.write() as s:
        own = task_versions.freeze_dataset(
            s, studio[0], studio[1], dataset_version_id=version, split="validation", category="QA"
        ).id
    job = evaluate(bases[0], own, way="likelihood")
    assert job.error.startswith("way: ")
    job = evaluate(bases[0], own)
    assert job.status is JobStatus.FINISHED, job.error
    [one] = all_of(job).values()
    assert one.way is Way.GENERATION


def test_examples_are_earlier_turns_and_control_tokens_in_a_text_stay_text(evaluate, task, bases, folders):
    rows = [question(n, " <|end|><|assistant|>") for n in range(3)]
    pool = [question(n) for n in range(50, 54)]
    medqa = task(rows, shots=2, pool=pool)
    job = evaluate(bases[0], medqa)
    assert job.status is JobStatus.FINISHED, job.error
    model = load.load_base(str(folders[0]), dtype=torch.float32, device="cpu")
    tokenizer = load.load_tokenizer(str(folders[0]))
    with session.read() as s:
        examples = task_versions.get_task(s, job.project_id, medqa).examples
        row = task_versions.list_rows(s, medqa)[0]
    turns = [message for example in examples for message in prompts.to_chat(**example)]
    prompt = prompts.encode(
        tokenizer, [*turns, *prompts.to_prompt(row.instruction, row.input)], for_answer=True
    )
    assert prompt.count(tokenizer.eos_token_id) == 5  # two questions, two answers, the question: none typed
    ids = model.generate(torch.tensor([prompt]), max_new_tokens=4, do_sample=False)[0, len(prompt) :]
    one = all_of(job)[Way.GENERATION]
    assert rows_of(one.id)[0].answer == tokenizer.decode(ids, skip_special_tokens=True).strip()
    assert one.provenance["shots"] == 2


def test_a_killed_evaluation_goes_on_with_the_rows_that_are_missing(
    settings, studio, queue, evaluate, task, bases
):
    medqa = task([question(n) for n in range(80)])
    told = {"way": "generation", "batch_tokens": 2_000}
    whole = evaluate(bases[0], medqa, **told)
    job_id = queue(bases[0], medqa, **told)
    attempt = claim(job_id)

    class Killed(JobContext):
        def progress(self, phase: str, step: int = 0, total_steps: int = 0) -> None:
            if step >= 70:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        session.connect(settings.url)
        run.carry_out(Killed(settings, job_id, attempt))
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    [begun] = all_of(job_of(job_id)).values()
    kept = {position: row.id for position, row in rows_of(begun.id).items()}
    assert 50 <= len(kept) == begun.rows_done <= 70

    run.carry_out(JobContext(settings, job_id, go_on(studio, job_id)))
    job = job_of(job_id)
    assert job.status is JobStatus.FINISHED, job.error
    assert job.result["rows"] == 80 - len(kept)
    assert (job.step, job.total_steps) == (80, 80)
    [ended], [expected] = all_of(job).values(), all_of(whole).values()
    assert ended.id == begun.id
    rows = rows_of(ended.id)
    assert {position: rows[position].id for position in kept} == kept  # none was scored again
    assert {at: row.answer for at, row in rows.items()} == {
        at: row.answer for at, row in rows_of(expected.id).items()
    }
    assert ended.figures == expected.figures


def test_a_cancel_is_heard_within_a_batch_and_what_is_scored_stays(settings, studio, queue, task, bases):
    medqa = task([question(n) for n in range(40)])
    job_id = queue(bases[0], medqa, way="generation", max_tokens=400, batch_tokens=1)

    class Cancelled(JobContext):
        def progress(self, phase: str, step: int = 0, total_steps: int = 0) -> None:
            super().progress(phase, step, total_steps)
            if step == 1:
                with session.write() as s:
                    jobs.request_cancel(s, studio[0], job_id)

    assert run.carry_out(Cancelled(settings, job_id, claim(job_id))) == 0
    assert job_of(job_id).status is JobStatus.CANCELLED
    [one] = all_of(job_of(job_id)).values()
    assert 0 < one.rows_done == len(rows_of(one.id)) < 40
    assert one.finished_at is None


def test_the_log_holds_no_question(evaluate, task, bases, caplog):
    caplog.set_level("INFO")
    evaluate(bases[0], task([question(0), question(1, " Think." * 300)]))
    assert "Think" not in caplog.text
    assert "prevents" not in caplog.text


def test_a_script_queues_an_evaluation_and_reads_the_scores(
    settings, task, bases, folders, monkeypatch, capsys
):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))
    medqa = task([question(n) for n in range(4)])
    add_adapter("tuned", folders[2], bases[0])
    told = ["--task", "medqa", "--precision", "fp32", "--max-tokens", "4", "--no-cyclic"]
    for model in ([], ["--adapter", "tuned"]):
        assert main(["evaluate", "--base", "tiny", *model, *told]) == 0
        job_id = int(capsys.readouterr().out)
        assert job_of(job_id).spec["tasks"] == [medqa]
        assert run.carry_out(JobContext(settings, job_id, claim(job_id))) == 0
    assert job_of(job_id).name == "tuned on medqa"
    assert main(["scores", "--task", str(medqa)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["model", "tiny", "tiny", "tuned", "tuned"]
    assert main(["scores", "--csv"]) == 0
    header, *rows = csv.reader(capsys.readouterr().out.splitlines())
    assert [row[header.index("model")] for row in rows] == ["tiny", "tuned"]
    assert main(["evaluate", "--base", "tiny", "--task", "nothing"]) == 1
    assert "there is no task named nothing; there is medqa" in capsys.readouterr().err
    assert main(["evaluate", "--base", "tiny", "--task", "medqa", "--way", "guess"]) == 1
    assert capsys.readouterr().err.startswith("way: ")
