"""Values in the words that people read."""

from datetime import UTC, datetime, timedelta

import pytest

from bioui import present
from bioui.components.progress import progress_value
from bioui.components.table import Column, Trail, cell, table_value
from bioui.components.view import View, escaped
from db.enums import InstructionStatus, JobStatus
from db.tables import AuditLine

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "just now"), (61, "1 min ago"), (3600, "1 h ago"), (86399, "23 h ago")],
)
def test_times_are_relative_within_a_day(seconds, words):
    assert present.ago(NOW - timedelta(seconds=seconds), now=NOW) == words


def test_older_times_are_dates():
    assert present.ago(NOW - timedelta(days=3), now=NOW) == "26 Feb 2026"
    assert present.ago(None) == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(8.4, "8 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (None, "")]
)
def test_durations_are_told_in_two_units_at_most(seconds, words):
    assert present.duration(seconds) == words


def test_counts_agree_in_number():
    assert present.counted(1, "row") == "1 row"
    assert present.counted(2000, "row") == "2,000 rows"
    assert present.counted(2, "entry", "entries") == "2 entries"


def test_a_long_text_is_cut_at_a_word():
    assert present.shortened("one two\nthree four", 12) == "one two…"
    assert present.shortened("short", 12) == "short"


@pytest.mark.parametrize("status", [*InstructionStatus, *JobStatus])
def test_every_status_has_a_word_and_a_hue(status):
    word, hue = present.status_chip(status)
    assert word
    assert hue in ("draft", "review", "approved", "attention")
    assert status in present.STATUS_CHIPS


def test_an_audit_line_reads_as_a_sentence():
    line = AuditLine(action="submitted", subject="instructions", subject_id=81)
    assert present.audit_sentence(line) == "submitted instruction 81"
    line = AuditLine(action="invited", subject="users", subject_id=2)
    assert present.audit_sentence(line, {2: "Nora Aasen"}) == "invited Nora Aasen"
    assert present.audit_sentence(AuditLine(action="logged_in", subject="users", subject_id=2)) == "logged in"


def test_stored_text_cannot_end_a_template_literal():
    value = {"rows": [{"text": "${alert(1)} \\alpha `x`", "n": 3}], "ok": True}
    assert escaped(value) == {"rows": [{"text": "\\${alert(1)} \\\\alpha `x`", "n": 3}], "ok": True}


@pytest.mark.parametrize("template", ["{{{value.text}}}", "${value}", "{{&value.text}}", "`"])
def test_a_template_that_would_not_escape_is_refused(template):
    with pytest.raises(ValueError, match="template"):
        View(template)


def test_a_trail_leads_back_the_way_it_came():
    trail = Trail().older(400).older(350)
    assert trail.before_id == 350
    assert trail.newer().before_id == 400
    assert trail.newer().newer().newer().before_id is None
    assert trail.older(None) == trail


def test_a_table_tells_which_rows_it_shows():
    rows = [{"id": number, "cells": [cell("text")]} for number in range(50)]
    value = table_value(
        [Column("Text")], rows, empty={}, total=120, trail=Trail().older(70), next_before_id=20
    )
    assert value["range"] == "51–100 of 120"
    assert value["has_newer"]
    assert value["has_older"]


def test_progress_tells_rate_and_time_left():
    value = progress_value("training", 50, 200, seconds=25)
    assert value["count"] == "50 of 200 steps"
    assert value["percent"] == 25
    assert value["pace"] == "2.0 steps/s · about 1 min 15 s left"
    assert not progress_value("loading", 0, 0)["known"]
