"""The form of an evaluation: what it offers, what it queues, and what it refuses."""

import pytest

from bioui.components import evaluate_start
from bioui.components.evaluate_form import GROUPS
from bioui.components.evaluate_start import default_values
from db import jobs
from db.enums import JobKind
from db.policy import PolicyError
from db.session import read
from tests.bioui.conftest import request_of
from tests.bioui.evaluate.conftest import evaluate


@pytest.fixture
def start(setting):
    """Press Start as the trainer with some values changed; all runs queued so far, oldest first."""

    def press(key="key", **changed):
        request = request_of(setting.people.trainer)
        evaluate_start.start(setting.project_id, key, *default_values(**changed), request)
        with read() as session:
            found = jobs.list_jobs(session, setting.project_id, JobKind.EVALUATE)
            return [(job.name, job.spec["adapter_id"], job.spec["tasks"]) for job in reversed(found)]

    return press


def offered(setting, models, way="auto", **tasks):
    """The box that adds the base, for these choices."""
    groups = [tasks.get(group, []) for group in GROUPS]
    request = request_of(setting.people.trainer)
    return evaluate_start.offer_base(setting.project_id, models, *groups, way, request)


def test_the_form_offers_every_model_and_the_tasks_by_group(setting):
    request = request_of(setting.people.trainer, adapter=str(setting.adapter_id))
    *_, models_dd, qa, ie, gen, other = evaluate_start.open_form(setting.project_id, [], request)
    keys = f"base:{setting.base_id}", f"adapter:{setting.adapter_id}"
    assert models_dd.choices == [("tiny (base)", keys[0]), ("Ward v1 (on tiny)", keys[1])]
    assert models_dd.value == [keys[1]]  # the one of ?adapter=
    assert qa.choices == [("Ward QA (12 rows)", setting.tasks["QA"])]
    assert gen.choices == [("Ward GEN (12 rows, general)", setting.tasks["GEN"])]
    assert (ie.visible, other.visible) == (True, False)


def test_without_a_frozen_task_the_form_says_where_to_make_one(people, project_id):
    worker, *_ = evaluate_start.open_form(project_id, [], request_of(people.trainer))
    assert worker["title"] == "No frozen task yet"
    assert worker["links"][0]["href"] == f"/tasks?project={project_id}"


def test_a_run_is_queued_for_each_model_and_a_double_click_queues_no_more(setting, start):
    models = [f"base:{setting.base_id}", f"adapter:{setting.adapter_id}"]
    tasks = [setting.tasks["QA"], setting.tasks["GEN"]]
    wanted = [("tiny on 2 tasks", 0, tasks), ("Ward v1 on 2 tasks", setting.adapter_id, tasks)]
    chosen = {"models": models, "QA": tasks[:1], "GEN": tasks[1:]}
    assert start(**chosen) == wanted
    assert start(**chosen) == wanted
    assert len(start(key="another form", **chosen)) == 4


def test_the_base_of_an_adapter_is_scored_too_where_it_has_no_score(setting, start):
    evaluate(setting, ["QA"], adapter=False, right=3)
    tasks = [setting.tasks["QA"], setting.tasks["IE"]]
    box = offered(setting, [f"adapter:{setting.adapter_id}"], QA=tasks[:1], IE=tasks[1:])
    assert box.visible
    assert box.label.startswith("Score the base, too: tiny (1 task) without a score.")
    *_, base, adapter = start(models=[f"adapter:{setting.adapter_id}"], QA=tasks[:1], IE=tasks[1:])
    assert base == ("tiny on 1 task", 0, tasks[1:])
    assert adapter == ("Ward v1 on 2 tasks", setting.adapter_id, tasks)
    # the base is in the queue now, and is not offered again
    assert not offered(setting, [f"adapter:{setting.adapter_id}"], QA=tasks[:1], IE=tasks[1:]).visible


def test_the_base_is_left_out_when_it_is_not_wanted_or_chosen_itself(setting, start):
    only = {"models": [f"adapter:{setting.adapter_id}"], "QA": [setting.tasks["QA"]]}
    assert [name for name, *_ in start(with_base=False, **only)] == ["Ward v1 on 1 task"]
    both = [f"base:{setting.base_id}", f"adapter:{setting.adapter_id}"]
    assert not offered(setting, both, QA=only["QA"]).visible


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"models": []}, "^models: choose at least one"),
        ({"models": ["adapter:99"]}, "^models: adapter:99 is not in this project any more"),
        ({"QA": []}, "^tasks: choose at least one frozen task"),
        ({"level": 7}, "^level: "),
        ({"max_tokens": None}, "^max tokens: it is empty; 0 is a safe value"),
    ],
)
def test_what_cannot_be_evaluated_is_said_at_its_field_and_nothing_is_queued(
    setting, start, changed, sentence
):
    given = {"models": [f"base:{setting.base_id}"], "QA": [setting.tasks["QA"]], **changed}
    with pytest.raises(ValueError, match=sentence):
        start(**given)
    with read() as session:
        assert jobs.list_jobs(session, setting.project_id, JobKind.EVALUATE) == []


def test_a_task_of_another_project_is_refused(setting, start):
    with pytest.raises(LookupError, match="no task number 999"):
        start(models=[f"base:{setting.base_id}"], QA=[999])


def test_only_those_who_evaluate_start(setting):
    request = request_of(setting.people.author)
    with pytest.raises(PolicyError):
        evaluate_start.start(setting.project_id, "key", *default_values(), request)
