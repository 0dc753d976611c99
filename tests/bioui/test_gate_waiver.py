"""The regression gate of the open adapter on the Models page: told where it fails, waived with a reason."""

import pytest

from bioui.components import gate_waiver
from bioui.pages.models import Opened
from db.policy import PolicyError
from tests.bioui.conftest import request_of
from tests.db.evaluated import evaluate, make_setting


@pytest.fixture
def setting(people, project_id):
    return make_setting(people, project_id)


def test_a_failing_adapter_is_let_go_with_a_reason_and_held_back_again(setting):
    request, opened = request_of(setting.people.trainer), Opened(setting.adapter_id)
    at = setting.project_id, opened
    assert gate_waiver.show_waiver(*at, request)[0].visible is False
    evaluate(setting, [True] * 12, "General")
    evaluate(setting, [False] * 12, "General", adapter=True)
    box, words, reason, waive, withdraw = gate_waiver.show_waiver(*at, request)
    assert (box.visible, reason, waive.visible, withdraw.visible) == (True, "", True, False)
    assert "General lost 100.0 points" in words["text"]
    with pytest.raises(ValueError, match="^reason: say why"):
        gate_waiver.waive(*at, " ", request)
    _, words, reason, waive, withdraw = gate_waiver.waive(*at, "Only for notes.", request)
    assert (reason, waive.visible, withdraw.visible) == ("Only for notes.", False, True)
    assert words["text"].endswith("Waived: Only for notes. It may leave.")
    assert gate_waiver.withdraw(*at, request)[3].visible is True
    assert gate_waiver.show_waiver(setting.project_id, Opened(), request)[0].visible is False


def test_who_may_not_evaluate_waives_nothing(setting):
    opened = Opened(setting.adapter_id)
    with pytest.raises(PolicyError):
        gate_waiver.waive(setting.project_id, opened, "Please.", request_of(setting.people.author))
