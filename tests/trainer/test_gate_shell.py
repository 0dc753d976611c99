"""The regression gate from the shell."""

import pytest

from tests.db.evaluated import evaluate, make_setting
from trainer.__main__ import main


@pytest.fixture
def setting(people, project_id, settings, monkeypatch):
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    return make_setting(people, project_id)


def test_a_script_hears_of_a_failing_adapter_and_may_waive_it_with_a_reason(setting, capsys):
    gate = ["gate", "Ward v1", "--as", "trainer"]
    assert main(gate) == 0
    assert "Not measured" in capsys.readouterr().out
    evaluate(setting, [True] * 12, "General")
    evaluate(setting, [False] * 12, "General", adapter=True)
    assert main(gate) == 1
    assert "General lost 100.0 points" in capsys.readouterr().out
    assert main([*gate, "--waive", " "]) == 1
    assert capsys.readouterr().err.startswith("reason: say why")
    assert main([*gate, "--waive", "Only for notes."]) == 0
    assert "Waived: Only for notes." in capsys.readouterr().out
    assert main([*gate, "--withdraw"]) == 1
