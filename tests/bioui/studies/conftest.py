"""The form of a study, filled and started."""

import pytest

from bioui.components.study_form import NAMES, TEXTS, TRAINED
from bioui.pages import studies as page
from db.train_yaml import DEFAULTS
from tests.bioui.conftest import request_of
from tests.db import studied


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    """The settings that the pages read."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def form(people, project_id, tmp_path):
    """The form's values with some changed: form(rows=4)."""
    version = studied.freeze_version(people.trainer, project_id)
    folder = tmp_path / "base"
    folder.mkdir()
    base = studied.add_base(people.trainer, folder)
    tasks = list(studied.freeze_tasks(people.trainer, project_id, version))

    def values(**changed) -> tuple:
        given = {
            "name": "Transfer", "kind": "category_transfer", "base_model_id": base,
            "dataset_version_id": version, "tasks": tasks, "rows": 0,
            "varies": "leave one out", "parts": "category", "among": "",
            "mixture": "equal", "shares": "0.1, 0.3, 1", "ranks": "4, 8", "merge": "linear", "seed": 42,
            **{name: DEFAULTS[name] for name in TRAINED}, **dict.fromkeys(TEXTS, ""), **changed,
        }  # fmt: skip
        return tuple(given[name] for name in NAMES)

    return values


@pytest.fixture
def start(people, project_id, form):
    """Press Start as the trainer; the id of the study that is shown."""

    def press(key="key", **changed) -> int:
        return page.start(project_id, key, *form(**changed), request_of(people.trainer))[3].study_id

    return press
