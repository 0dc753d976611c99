"""Encoder baselines: tuned on a frozen task, scored on others as a language model's answers are."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from db import encoders, evaluations, session
from db.enums import JobStatus, Way
from db.jobs import FencedError
from db.tables import Encoder, Evaluation, Prediction
from tests.trainer.conftest import go_on, job_of, metrics_of
from tests.trainer.encoding import begin, freeze_task, spec_for, tagged, tiny_encoder
from trainer import run
from trainer.context import JobContext


class Stops(JobContext):
    """Is asked to leave at a step of one phase, as a machine that shuts down would."""

    def __init__(self, settings, job_id, attempt, *, phase, at) -> None:
        super().__init__(settings, job_id, attempt)
        self._phase, self._at = phase, at

    def progress(self, phase, step=0, total_steps=0):
        super().progress(phase, step, total_steps)
        if phase.startswith(self._phase) and step >= self._at:
            self.interrupt()


def carry_out(settings, studio, spec) -> int:
    job_id, attempt = begin(studio, spec)
    run.carry_out(JobContext(settings, job_id, attempt))
    job = job_of(job_id)
    assert job.status is JobStatus.FINISHED, job.error
    return job_id


def weights_of(job_id) -> dict[str, torch.Tensor]:
    with session.read() as s:
        return load_file(Path(encoders.of_job(s, job_id).path) / "model.safetensors")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.fixture
def named(settings, studio):
    """NER: (train, validation, test), of which the test has two rows that stand among the train rows."""
    known = "\n\n".join(tagged(60, 1).split("\n\n")[:2])
    return (
        freeze_task(settings, studio, "ner-disease", 60, "train", seed=1),
        freeze_task(settings, studio, "ner-disease", 12, "validation", seed=2),
        freeze_task(settings, studio, "ner-disease", 0, "test", seed=3, text=f"{known}\n\n{tagged(22, 3)}"),
    )


def test_an_encoder_is_tuned_scored_and_kept_with_where_it_comes_from(settings, studio, named):
    train, validation, test = named
    job_id = carry_out(settings, studio, spec_for(train, validation, test))
    result = job_of(job_id).result
    with session.read() as s:
        encoder = s.get(Encoder, result["encoder_id"])
        on_validation, on_test = (
            evaluations.get_evaluation(s, studio[1], number) for number in result["evaluations"]
        )
        predictions = s.query(Prediction).filter_by(evaluation_id=on_test.id).all()
        title = evaluations.title_of(on_test)
        gone_over = evaluations.load_counts(s, on_test.id).counts
    assert (encoder.is_stand_in, encoder.head, encoder.task_version_id) == (True, "tokens", train)
    assert "stand-in" in title
    assert len(encoder.weights_hash) == 64
    assert encoder.packages["torch"]
    assert (Path(encoder.path) / "model.safetensors").is_file()
    assert {(each.way, each.encoder_id) for each in (on_validation, on_test)} == {(Way.ENCODER, encoder.id)}
    # The headline is what the counts of all rows add up to, and the task is one that can be learnt.
    right, wrong, missed = (
        sum(counts[f"strict_{kind}"] for counts in gone_over) for kind in ("right", "wrong", "missed")
    )
    figure = on_test.figures["strict_f1"]
    assert on_test.measure == "strict_f1"
    assert figure["value"] == pytest.approx(2 * right / (2 * right + wrong + missed))
    assert figure["value"] > 0.9
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert on_test.figures["strict_f1 without leaks"]["n"] == figure["n"] - 2
    assert len(predictions) == on_test.rows == 24
    assert "asthma : B" in "\n".join(each.answer for each in predictions)
    looks = metrics_of(job_id, "validation")
    assert len(looks) == 4
    assert looks[-1][1] == pytest.approx(on_validation.figures["strict_f1"]["value"])
    losses = [value for _, value in metrics_of(job_id, "loss")]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    ("task", "measure", "head", "labels"),
    [
        ("re-gad", "micro_f1", "sequence", ""),
        ("mednli", "accuracy", "pair", ""),
        ("hoc", "micro_f1", "sequence", "inducing angiogenesis, resisting cell death"),
    ],
)
def test_a_label_a_text_and_a_pair_is_learnt_and_scored(settings, studio, tiny, task, measure, head, labels):
    train = freeze_task(settings, studio, task, 72, "train", seed=1, labels=labels)
    test = freeze_task(settings, studio, task, 24, "test", seed=2, labels=labels)
    job_id = carry_out(settings, studio, spec_for(train, test, location=tiny, epochs=14, batch_size=8))
    with session.read() as s:
        evaluation = evaluations.list_evaluations(s, studio[1], job_id=job_id)[0]
        assert encoders.of_job(s, job_id).head == head
    assert evaluation.figures[measure]["value"] > 0.9
    assert evaluation.figures["parse_failures"]["value"] == 0


def test_a_run_that_was_stopped_goes_on_to_the_very_weights_it_would_have_had(settings, studio, named, tiny):
    train, _, test = named
    whole = carry_out(settings, studio, spec_for(train, test, location=tiny, name="whole", epochs=2))
    job_id, attempt = begin(studio, spec_for(train, test, location=tiny, name="stopped", epochs=2))
    run.carry_out(Stops(settings, job_id, attempt, phase="training", at=3))
    assert job_of(job_id).status is JobStatus.INTERRUPTED
    run.carry_out(JobContext(settings, job_id, go_on(studio, job_id)))
    assert job_of(job_id).status is JobStatus.FINISHED, job_of(job_id).error
    one, other = weights_of(whole), weights_of(job_id)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], rtol=0, atol=1e-6, msg=name)


def test_a_run_that_was_stopped_while_it_scored_is_not_tuned_again(settings, studio, named, tiny):
    train, _, test = named
    job_id, attempt = begin(studio, spec_for(train, test, location=tiny, epochs=1))
    run.carry_out(Stops(settings, job_id, attempt, phase="scoring", at=1))
    assert job_of(job_id).status is JobStatus.INTERRUPTED
    with session.read() as s:
        made = encoders.of_job(s, job_id)
    steps = len(metrics_of(job_id, "loss"))
    run.carry_out(JobContext(settings, job_id, go_on(studio, job_id)))
    assert job_of(job_id).result["encoder_id"] == made.id
    assert len(metrics_of(job_id, "loss")) == steps


def test_a_lost_attempt_registers_no_encoder(settings, studio, named):
    train, _, test = named
    job_id, attempt = begin(studio, spec_for(train, test))
    go_on(studio, job_id)
    with pytest.raises(FencedError), session.write() as s:
        encoders.register(s, job_id, attempt, name="Trial encoder")


def test_a_folder_that_holds_no_encoder_fails_the_run_with_one_sentence(settings, studio, named, tmp_path):
    train, _, test = named
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    job_id, attempt = begin(studio, spec_for(train, test, location=str(tmp_path)))
    run.carry_out(JobContext(settings, job_id, attempt))
    job = job_of(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("location: ")
    assert "safetensors" in job.error
    with session.read() as s:
        assert s.query(Evaluation).count() == s.query(Encoder).count() == 0
