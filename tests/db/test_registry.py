"""Base models and adapters in the books."""

import json

import pytest

from db import audit, registry
from db.policy import PolicyError
from db.session import read, write
from db.tables import BaseModel


@pytest.fixture
def adapter_id(project_id):
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny")
        session.add(base)
        session.flush()
        adapter = registry.register_adapter(
            session,
            project_id=project_id,
            name="copier",
            path="/adapters/copier",
            adapter_hash="a",
            base_model_id=base.id,
            base_revision="b",
            template_hash="c",
            data_hash="d",
            seed=1,
            spec={},
            packages={},
        )
        session.flush()
        return adapter.id


def test_a_deleted_adapter_leaves_the_lists_and_comes_back(people, project_id, adapter_id):
    with write() as session:
        registry.delete_adapter(session, people.trainer, adapter_id)
    with read() as session:
        assert registry.list_adapters(session, project_id) == []
        with pytest.raises(LookupError):
            registry.get_adapter(session, adapter_id)
    with write() as session:
        registry.delete_adapter(session, people.trainer, adapter_id, deleted=False)
    with read() as session:
        assert registry.get_adapter(session, adapter_id).deleted_at is None
        assert [line.action for line in audit.list_lines(session)][:2] == ["restored", "deleted"]


@pytest.mark.parametrize("who", ["author", "reviewer", "clinician"])
def test_only_those_who_train_delete_adapters(people, adapter_id, who):
    with write() as session, pytest.raises(PolicyError):
        registry.delete_adapter(session, getattr(people, who), adapter_id)


def test_an_adapter_that_never_was_cannot_be_deleted(people, project_id):
    with write() as session, pytest.raises(LookupError, match="no adapter number 99"):
        registry.delete_adapter(session, people.trainer, 99)


def test_the_name_of_a_deleted_adapter_is_not_given_twice(people, project_id, adapter_id):
    with write() as session:
        registry.delete_adapter(session, people.trainer, adapter_id)
        assert registry.free_adapter_name(session, "copier") == "copier 2"


@pytest.mark.parametrize(
    ("config", "length"),
    [
        ({"max_position_embeddings": 2048}, 2048),
        ({"text_config": {"max_position_embeddings": 512}}, 512),
        ({}, None),
    ],
)
def test_the_context_length_of_a_folder_is_read_from_its_config(people, tmp_path, config, length):
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with write() as session:
        base = registry.add_base_model(session, people.trainer, name="Mine", location=str(tmp_path))
        assert base.context_length == length


def test_a_folder_with_an_unreadable_config_is_refused(people, tmp_path):
    (tmp_path / "config.json").write_text("{not json")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with write() as session, pytest.raises(ValueError, match=r"^location: .*is not readable JSON"):
        registry.add_base_model(session, people.trainer, name="Mine", location=str(tmp_path))
