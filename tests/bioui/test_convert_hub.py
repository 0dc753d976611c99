"""A dataset of the Hub named on the Convert page: nothing is fetched before the job."""

import pytest

from bioui.components import convert_form
from bioui.components.convert_draft import Draft
from bioui.components.convert_hub import NAMES as HUB_NAMES
from tests.bioui.conftest import request_of


@pytest.fixture(autouse=True)
def _own_data_folder(settings, monkeypatch):
    """What is brought is kept under this test's data folder."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))


NLI = ("owner/nli", "", "train", "", "", "CC BY 4.0", "pairs", "nli-clinical", "sentence1: premise", "")


def add_hub(people, project_id, draft=None, **said):
    values = dict(zip(HUB_NAMES, NLI, strict=True)) | said
    return convert_form.add_hub(project_id, draft or Draft(), *values.values(), request_of(people.reviewer))


def test_a_dataset_of_the_hub_is_named_and_not_fetched(people, project_id, settings):
    draft, mixture, plan, _ = add_hub(people, project_id)
    (source,) = draft.spec("", check_privacy=True).sources
    columns = {"sentence1": "premise"}
    wanted = {"name": "owner/nli", "config": "", "split": "train", "revision": "", "columns": columns}
    assert source.hub == wanted
    assert mixture["rows"][0]["files"] == ["owner/nli of the Hub, not fetched yet"]
    assert (plan["rows"][0]["state"], plan["missing"]) == ("counted when it runs", "")
    assert not (settings.data_dir / "corpora").exists()
    with pytest.raises(ValueError, match="^name: owner/nli has this very"):
        add_hub(people, project_id, draft)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"dataset": "../secret"}, "dataset"),
        ({"format": "brat"}, "format"),
        ({"template": ""}, "template"),
        ({"template": "ner-disease"}, "template"),
        ({"columns": "sentence1"}, "columns"),
        ({"options": "kind: x"}, "kind"),
        ({"revision": "a b"}, "revision"),
    ],
)
def test_a_dataset_that_cannot_be_is_refused_by_field(people, project_id, said, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        add_hub(people, project_id, **said)
