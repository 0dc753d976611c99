"""A filled studio, made once; each test gets a copy of its file."""

import shutil
from pathlib import Path

import pytest

from db import users
from db.session import connect, read, write
from db.tables import Project
from tests.bioui.conftest import LiveStudio
from tests.bioui.results.stored import Stored, fill


@pytest.fixture(scope="session")
def filled(tmp_path_factory, peopled_file: Path) -> tuple[Path, Stored]:
    folder = tmp_path_factory.mktemp("filled")
    path = folder / "studio.db"
    shutil.copy(peopled_file, path)
    engine = connect(f"sqlite:///{path}")
    with write() as session:
        project = Project(name="Ward 7")
        session.add(project)
        session.flush()
        project_id = project.id
    with read() as session:
        trainer = users.get_actor(session, "trainer")
    stored = fill(folder, trainer, project_id)
    engine.dispose()
    return path, stored


@pytest.fixture
def stored(settings, filled, people, database) -> Stored:
    """What is in the database that `read()` and `write()` are bound to."""
    database.dispose()
    shutil.copy(filled[0], settings.data_dir / "studio.db")
    return filled[1]


@pytest.fixture
def studio_of_stored(app, address, stored) -> LiveStudio:
    return LiveStudio(app, address)
