"""Presets and YAML: what the form and the shell begin with."""

import pytest

from db import train_presets, train_yaml
from db.train_spec import TrainSpec


def spec(**given) -> TrainSpec:
    return TrainSpec(base_model_id=1, dataset_version_id=2, adapter_name="Ward 7", **given)


@pytest.mark.parametrize("preset", train_presets.PRESETS, ids=lambda preset: preset.name)
def test_every_preset_makes_a_run(preset):
    made = spec(**preset.settings)
    assert preset.about
    if preset.name.startswith("BioInstruct"):
        assert made.batch_size * made.accumulation == 128
    if preset.name.startswith("Llama2-MedTuned"):
        assert (made.method, made.precision, made.warmup, made.epochs) == ("full", "fp16", 1000, 3)
        assert not made.is_adapter


def test_a_run_written_down_is_read_back_the_same():
    run = spec(
        method="rslora", rank=64, sample_prompts=("Was ist „Sepsis“?", "a: b\nc"), too_long="cut", clip=0.5
    )
    said = train_yaml.write(run, base="Llama 3", dataset="Triage: notes", version=3)
    recipe = train_yaml.read(said)
    assert (recipe.base, recipe.dataset, recipe.version) == ("Llama 3", "Triage: notes", 3)
    assert recipe.spec(1, 2) == run


def test_a_file_may_say_only_what_differs():
    recipe = train_yaml.read(
        "base: tiny\ndataset: colours\nname: short\nlearning_rate: 3e-4\ncheckpointing: off\n"
    )
    assert recipe.version is None
    assert recipe.spec(1, 2) == TrainSpec(
        base_model_id=1, dataset_version_id=2, adapter_name="short", learning_rate=3e-4, checkpointing="off"
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "base: tiny\nlearning_rat: 1",
            "learning_rat: there is no such setting; did you mean learning_rate?",
        ),
        ("- rank", "file: give one setting a line"),
        ("base: [", "line 1: this is no YAML"),
        ("base: tiny\nname: x", "dataset: the file does not say it"),
        ("base: a\ndataset: b\nname: c\nversion: latest", "version: latest cannot be"),
        ("base: a\ndataset: b\nname: c\nlearning_rate: fast", "learning rate: 'fast' is no number"),
        ("base: a\ndataset: b\nname: c\nsample_prompts: one", "sample prompts: give a list"),
        ("a: " + "x" * 100_001, "file: it is larger than 100,000 bytes"),
        ("!!python/object/apply:os.system ['true']", "line 1: this is no YAML"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text, complaint):
    with pytest.raises(ValueError) as caught:
        train_yaml.read(text)
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"method": "magic"}, "method"),
        ({"machines": 2}, "machines"),
        ({"method": "qlora", "strategy": "fsdp"}, "strategy"),
        ({"warmup": 2.5}, "warmup"),
        ({"target": "q proj"}, "target"),
        ({"partition": "gpu; rm -rf /"}, "partition"),
        ({"sample_prompts": ("x",) * 11}, "sample prompts"),
    ],
)
def test_settings_that_do_not_go_together_are_named(given, field):
    with pytest.raises(ValueError) as caught:
        spec(**given)
    assert str(caught.value).startswith(f"{field}: ")
