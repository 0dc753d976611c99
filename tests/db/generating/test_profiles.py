import json
from dataclasses import replace

import pytest

from db import audit
from db.duplicates import DuplicateRule
from db.generating import profiles
from db.generating.profiles import BIOMEDICAL, CLASSIC, Profile
from db.policy import PolicyError
from db.projects import get_project
from db.session import read, write


def test_both_profiles_are_shipped_and_the_safe_one_is_the_default(project_id):
    assert set(profiles.SHIPPED) == {"biomedical", "self-instruct"}
    with read() as session:
        assert profiles.profile_of(get_project(session, project_id)) == BIOMEDICAL


@pytest.mark.parametrize("profile", [BIOMEDICAL, CLASSIC])
def test_a_profile_is_the_same_after_json(profile):
    assert profiles.from_record(json.loads(json.dumps(profile.record()))) == profile


def test_a_project_keeps_its_profile_with_an_audit_line_and_its_other_settings(people, project_id):
    mine = replace(CLASSIC, name="mine", max_words=90)
    with write() as session:
        get_project(session, project_id).settings = {"overlap": 2}
        profiles.set_profile(session, people.admin, project_id, mine)
    with read() as session:
        project = get_project(session, project_id)
        assert profiles.profile_of(project) == mine
        assert project.settings["overlap"] == 2
        line = audit.list_lines(session)[0]
        assert (line.action, line.subject_id) == ("generation_filters_set", project_id)
        assert line.detail["max_words"] == 90


def test_only_an_admin_sets_it(people, project_id):
    with pytest.raises(PolicyError), write() as session:
        profiles.set_profile(session, people.reviewer, project_id, BIOMEDICAL)


def test_the_default_takes_the_projects_duplicate_rule_and_the_classic_its_own():
    rule = DuplicateRule(copy=0.8, variant=0.9)
    assert BIOMEDICAL.duplicate_rule(rule) == rule
    assert CLASSIC.duplicate_rule(rule) == DuplicateRule(0.7, 0.7)
    assert replace(BIOMEDICAL, copy=0.95).duplicate_rule(rule) == DuplicateRule(0.95, 0.95)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"min_words": -1}, "min_words"),
        ({"min_words": 2.5}, "min_words"),
        ({"max_words": True}, "max_words"),
        ({"max_words": 2}, "max_words"),
        ({"min_output_words": 9, "max_output_words": 8}, "max_output_words"),
        ({"max_input_words": 10**9}, "max_input_words"),
        ({"blacklist": "image"}, "blacklist"),
        ({"blacklist": ["a", " "]}, "blacklist"),
        ({"blacklist": [3]}, "blacklist"),
        ({"blacklist": ["a" * 61]}, "blacklist"),
        ({"start_blacklist": [str(n) for n in range(501)]}, "start_blacklist"),
        ({"needs_ascii_start": 1}, "needs_ascii_start"),
        ({"compare_on": "output"}, "compare_on"),
        ({"phi": "ignore"}, "phi"),
        ({"copy": 0}, "copy"),
        ({"copy": "0.7"}, "copy"),
        ({"copy": 0.8, "variant": 0.7}, "variant"),
        ({"contamination_run": 5}, "contamination_run"),
        ({"contamination_run": None}, "contamination_"),
        ({"contamination_near": 0}, "contamination_near"),
        ({"grounding_coverage": 2}, "grounding_coverage"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(values, field):
    with pytest.raises(ValueError, match=f"^{field}"):
        profiles.from_record({"name": "mine"} | values)


def test_a_record_without_a_name_is_refused():
    with pytest.raises(ValueError, match="^name:"):
        profiles.from_record({"min_words": 3})


def test_lists_are_tidied():
    assert Profile("x", blacklist=["go  to", "go to", " map "]).blacklist == ("go to", "map")
