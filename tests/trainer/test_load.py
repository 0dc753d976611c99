"""Base models that cannot be: one sentence each, naming the base model and the mend."""

import json
import shutil

import pytest
import torch

from trainer.models import load


@pytest.fixture
def folder(tiny_llama, tmp_path):
    return shutil.copytree(tiny_llama, tmp_path / "base")


def refusal(folder):
    """What loading from `folder` says."""
    with pytest.raises(ValueError, match=r"^base model: ") as caught:
        load_both(folder)
    return str(caught.value)


def load_both(folder):
    load.load_tokenizer(str(folder))
    load.load_base(str(folder), dtype=torch.float32, device="cpu")


def test_a_missing_folder(tmp_path):
    assert "there is no folder" in refusal(tmp_path / "gone")


def test_a_folder_without_a_config(folder):
    (folder / "config.json").unlink()
    assert "holds no config.json; point to the folder of a saved model." in refusal(folder)


def test_a_config_that_is_no_json(folder):
    (folder / "config.json").write_text('{"model_type": "lla')
    assert "is not readable JSON; save or download the model again." in refusal(folder)


def test_an_architecture_nobody_knows(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "abacus"}))
    assert "cannot be" in refusal(folder) or "no tokenizer" in refusal(folder)


def test_weights_cut_short(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert "bytes where its header promises" in refusal(folder)


def test_weights_that_are_no_safetensors(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00")
    assert "is cut short or is no safetensors file; save or download the model again." in refusal(folder)


def test_no_weights(folder):
    (folder / "model.safetensors").unlink()
    assert "holds no .safetensors weights" in refusal(folder)


def test_weights_that_lack_a_tensor_are_not_filled_with_random_numbers(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.0.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lack 1 tensors (model.layers.0.mlp.up_proj.weight" in refusal(folder)


def test_an_adapter_is_no_base(folder):
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "somewhere/else"}))
    assert "holds an adapter, not a whole model" in refusal(folder)


def test_a_folder_without_a_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert "has no tokenizer that can be read" in refusal(folder)


def test_a_hub_name_without_a_network(monkeypatch):
    monkeypatch.setattr(load, "hub_is_out_of_reach", lambda: True)
    with pytest.raises(ValueError, match="base model: nobody/nothing could not be fetched from the Hub"):
        load.load_base("nobody/nothing", dtype=torch.float32, device="cpu")


def test_the_revision_of_a_folder_changes_with_its_weights(folder):
    before = load.base_revision(str(folder))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x01"[-1:])
    assert len(before) == 64
    assert load.base_revision(str(folder)) != before


def test_a_tokenizer_without_a_template_gets_the_plain_one_and_its_own_hash(folder):
    theirs = load.template_hash(load.load_tokenizer(str(folder)))
    (folder / "chat_template.jinja").unlink()
    tokenizer = load.load_tokenizer(str(folder))
    assert tokenizer.chat_template == load.PLAIN_TEMPLATE
    assert load.template_hash(tokenizer) != theirs
